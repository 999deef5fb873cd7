import { randomUUID } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { EventSink, EventSource } from '../core/chains/EventSink.ts';
import { checkOptions, finite, text } from '../core/checkOptions.ts';
import { limitConcurrency } from '../core/storedData/limitConcurrency.ts';
import { chainIdPattern } from '../core/tasks/chainId.ts';
import { bucketToWrite } from './aws/environment.ts';
import { awsClient, bucketName } from './aws/optionChecks.ts';
import { s3ConditionalStore } from './aws/s3ConditionalStore.ts';
import { keyTime, readEventObjects } from './events/readEventObjects.ts';

/** Options of {@link s3Sink}. */
export interface S3SinkOptions {
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** The bucket for events. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** The folder for events. Give it a lifecycle rule. Default `chains`. */
  folder?: string;
  /** A canned ACL for the objects. Default: none. */
  acl?: ObjectCannedACL;
  /** How long an event waits for others of its chain, to be one object with them, in milliseconds. Default 100. */
  lingerMillis?: number;
}

/** Chain events in S3. */
export interface S3Sink extends EventSink, EventSource {}

/** The maximum number of concurrent writes. */
const concurrentWrites = 16;

/**
 * Keeps chain events in S3. It is a sink for workers and senders, and a source for readers.
 *
 * Each write creates one object per chain, `folder/chain/time-id.json`, with `If-None-Match`: objects are never changed. The
 * events of a task that is done within `lingerMillis` are one object, those of a longer task two. Workers need `s3:PutObject`
 * for the folder, readers `s3:GetObject` and, for the bucket, `s3:ListBucket`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * const events = s3Sink({ bucket: 'my-events' });
 * export const handler = middy(queued(worker)).use(chainEvents({ to: events })).use(sqsSnsUnwrap());
 */
export function s3Sink(options: S3SinkOptions = {}): S3Sink {
  const {
    s3,
    bucket,
    folder = 'chains',
    acl,
    lingerMillis = 100,
  } = checkOptions('s3Sink', options, {
    s3: awsClient('S3Client'),
    bucket: bucketName,
    folder: text(
      'the name of a folder, such as chains or team/chains',
      /^[\w!-][\w.!-]*(\/[\w!-][\w.!-]*)*$/,
    ),
    acl: text('a canned ACL'),
    lingerMillis: finite('milliseconds', 0),
  });
  const store = s3ConditionalStore({ s3, acl });
  const limited = limitConcurrency(concurrentWrites);
  const prefixOf = (chainId: string) => `${folder}/${chainId}/`;

  return {
    lingerMillis,

    async write(events, { signal }) {
      const byChain = Map.groupBy(events, ({ chainId }) => chainId);
      const writes = [...byChain].map(([chainId, ofChain]) =>
        limited(async () => {
          if (!chainIdPattern.test(chainId)) return;
          const key = `${prefixOf(chainId)}${keyTime(Date.now())}-${randomUUID()}.json`;
          const address = { bucket: bucketToWrite(bucket, 's3Sink'), key };
          // An object of that name can only be the same one, whose answer was lost.
          await store.create(address, JSON.stringify(ofChain), { signal });
        }),
      );
      const outcomes = await Promise.allSettled(writes);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },

    open: (chainId) =>
      readEventObjects({ s3, bucket: bucketToWrite(bucket, 's3Sink'), prefix: prefixOf(chainId) }),
  };
}
