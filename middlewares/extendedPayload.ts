import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import { messageIdOf } from '../core/batch/events.ts';
import { checkTask, parseMessage } from '../core/batch/unwrapTask.ts';
import { BucketNotAllowedError, PointerError, StoredDataTooLargeError } from '../core/errors.ts';
import { bucketGuard } from './aws/environment.ts';
import { pointerClasses, sizeAttributes } from './aws/extendedPointer.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

export interface ExtendedPayloadOptions {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client;
  /** The bucket that producers put large messages into. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** Other buckets they may be in. Default: none. */
  buckets?: readonly string[];
  /** The keys that may be read. Default: those that end in a UUID, as the clients make them. */
  keys?: RegExp;
  /** How large a message may be, in bytes. Default 64 MiB. */
  maxBytes?: number;
}

const name = 'extendedPayload';

const uuidAtEnd = /(^|\/)[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Reads messages that were sent with the extended client of AWS for SQS or SNS (Java, Python), which puts a message
 * that is too large into S3, and a pointer in its place. Both forms of the pointer and both names of its
 * attribute are known. Other messages are not touched.
 *
 * A pointer comes from a message, and a message may come from anyone: only the buckets named and keys of the form that
 * the clients make are read.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(extendedPayload({ bucket: 'large-messages' }));
 */
export function extendedPayload(options: ExtendedPayloadOptions = {}): MiddlewareObj {
  const { s3, bucket, buckets = [], keys = uuidAtEnd, maxBytes = 64 * 1024 * 1024 } = options;
  assertOption(Array.isArray(buckets), name, 'buckets', 'a list of names');
  assertOption(keys instanceof RegExp, name, 'keys', 'a regular expression');
  assertOption(maxBytes > 0, name, 'maxBytes', 'a number of bytes above 0');
  const store = s3ObjectStore({ s3 });
  const isAllowed = bucketGuard(bucket, buckets);

  const read = async (pointer: S3Pointer, signal: AbortSignal): Promise<string> => {
    const { s3BucketName, s3Key } = pointer;
    if (!isAllowed(s3BucketName)) throw new BucketNotAllowedError(s3BucketName, '$[1]');
    if (s3Key.search(keys) === -1) throw new PointerError('$[1].s3Key');
    let bytes = 0;
    const admit = (more: number) => {
      bytes += more;
      if (bytes > maxBytes) throw new StoredDataTooLargeError(s3Key, bytes, maxBytes);
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
      const isExtended = sizeAttributes.some((size) => size in message.attributes);
      const pointer = isExtended ? pointerIn(message.content) : undefined;
      if (pointer) {
        const messageId = messageIdOf(record);
        run.task = checkTask(parseMessage(await read(pointer, run.signal), messageId), messageId);
        // Later readers of the message need the task too, such as an error task.
        message.content = run.task;
      }
      return next();
    },
  });
}

interface S3Pointer {
  s3BucketName: string;
  s3Key: string;
}

function pointerIn(content: unknown): S3Pointer | undefined {
  if (!Array.isArray(content) || !pointerClasses.includes(content[0])) return undefined;
  const { s3BucketName, s3Key } = Object(content[1]) as Partial<S3Pointer>;
  if (typeof s3BucketName !== 'string' || typeof s3Key !== 'string') throw new PointerError('$[1]');
  return { s3BucketName, s3Key };
}
