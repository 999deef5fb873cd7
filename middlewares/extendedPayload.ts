import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { stoppedBy } from '../core/batch/deadline.ts';
import { messageIdOf } from '../core/batch/events.ts';
import { checkTask, parseMessage } from '../core/batch/unwrapTask.ts';
import { checkOptions, listOf, type OptionCheck, text, whole } from '../core/checkOptions.ts';
import { bucketNotAllowed, tooLarge } from '../core/storedData/StoredDataError.ts';
import { bucketGuard } from './aws/environment.ts';
import { type ExtendedPointer, extendedPointerIn, keyNotAllowed } from './aws/extendedPointer.ts';
import { awsClient } from './aws/optionChecks.ts';
import { s3Reader } from './aws/s3Reader.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link extendedPayload}. */
export interface ExtendedPayloadOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client;
  /** The bucket that senders put large messages into: a name, or the ARN of an access point. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** Other buckets that may be read. Default: none. */
  buckets?: readonly string[];
  /** The keys that may be read. Default: those that end in a UUID, as the clients make them by default. */
  keys?: RegExp;
  /** The largest message that is read, in bytes. Default 64 MiB. */
  maxBytes?: number;
}

const name = 'extendedPayload';

const optionChecks = {
  s3: awsClient('S3Client'),
  bucket: text('the name of a bucket, or an ARN'),
  buckets: listOf(text('the name of a bucket, or an ARN')),
  keys: {
    expected: 'a regular expression',
    test: (value: unknown) => value instanceof RegExp,
  } satisfies OptionCheck,
  maxBytes: whole(1),
};

const uuidAtEnd = /(^|\/)[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Reads messages sent with AWS's extended client for SQS or SNS (Java, Python), which puts a large message into S3 and
 * sends a pointer. Both forms of the pointer and both names of its attribute are supported. Other messages are not
 * changed. The object stays in S3, since a redelivery needs it: remove old ones with a lifecycle rule.
 *
 * A message may come from anyone, so only the listed buckets and keys that match `keys` are read.
 *
 * Fails a record with a `StoredDataError`, `MessageNotJsonError` or `NotATaskError`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(extendedPayload({ bucket: 'large-messages' }));
 */
export function extendedPayload(options: ExtendedPayloadOptions = {}): MiddlewareObj {
  const {
    s3,
    bucket,
    buckets = [],
    keys = uuidAtEnd,
    maxBytes = 64 * 1024 * 1024,
  } = checkOptions(name, options, optionChecks);
  const store = s3Reader({ s3 });
  const isAllowed = bucketGuard(bucket, buckets);

  const read = async (pointer: ExtendedPointer, signal: AbortSignal): Promise<string> => {
    const { s3BucketName, s3Key } = pointer;
    if (!isAllowed(s3BucketName)) throw bucketNotAllowed(s3BucketName, '$[1]');
    if (s3Key.search(keys) === -1) throw keyNotAllowed(s3Key, keys);
    let bytes = 0;
    const admit = (more: number) => {
      bytes += more;
      if (bytes > maxBytes) throw tooLarge(s3Key, bytes, maxBytes);
    };
    return store.get({ bucket: s3BucketName, key: s3Key }, { admit, signal });
  };

  return stageMiddleware({
    name,
    order: { at: 'extended' },
    twice: 'list all buckets in the option buckets of one',
    async around(run, next) {
      const { record } = run;
      if (!record) return next();
      const message = run.unwrap();
      const pointer = extendedPointerIn(message);
      if (pointer) {
        const messageId = messageIdOf(record);
        const text = await stoppedBy(run.signal, read(pointer, run.signal));
        run.task = checkTask(parseMessage(text, messageId), messageId);
        // Later readers of the message need the task too, such as an error task.
        message.content = run.task;
      }
      return next();
    },
  });
}
