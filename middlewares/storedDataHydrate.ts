import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { stoppedBy } from '../core/batch/deadline.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, listOf, whole } from '../core/checkOptions.ts';
import { type HydrateOptions, hydrate } from '../core/storedData/hydrate.ts';
import { isTask } from '../core/tasks/task.ts';
import { bucketGuard } from './aws/environment.ts';
import { awsClient, bucketName } from './aws/optionChecks.ts';
import { s3Reader } from './aws/s3Reader.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link storedDataHydrate}. */
export interface StoredDataHydrateOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client;
  /** The bucket that pointers may lead to. Default: `ALGERNON_BUCKET_NAME`, read when a pointer is followed. */
  bucket?: string;
  /** Other buckets that pointers may lead to. Default: none. */
  buckets?: readonly string[];
  /** How many bytes one task may read in total. Default 64 MiB. */
  maxBytes?: number;
  /** How many pointers one task may have, those in stored values included. Default 10,000. */
  maxPointers?: number;
  /** How many objects are read at the same time for one task. Default 16. */
  concurrentReads?: number;
}

const name = 'storedDataHydrate';

const optionChecks = {
  s3: awsClient('S3Client'),
  bucket: bucketName,
  buckets: listOf(bucketName),
  maxBytes: whole(1),
  maxPointers: whole(1),
  concurrentReads: whole(1),
};

/**
 * Replaces pointers in `task_kwargs`, at any depth, by the values that they lead to. Tags in the values stay tags: see
 * `rebuildEvent`. Two pointers to one object give two values.
 *
 * A pointer that cannot be followed fails its record with a `StoredDataError`, and stops the other reads of the task.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(async ({ task_kwargs }: Task) => describe(task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(storedDataHydrate());
 */
export function storedDataHydrate(options: StoredDataHydrateOptions = {}): MiddlewareObj {
  const {
    s3,
    bucket,
    buckets = [],
    maxBytes = 64 * 1024 * 1024,
    maxPointers,
    concurrentReads,
  } = checkOptions(name, options, optionChecks);
  const store = s3Reader({ s3 });
  const isAllowed = bucketGuard(bucket, buckets);
  const settings = { store, isAllowed, maxBytes, maxPointers, concurrentReads };

  const optionsFor = ({ signal, counts }: TaskRun): HydrateOptions => ({
    ...settings,
    signal,
    onRead(bytes) {
      counts[bytesHydrated] = (counts[bytesHydrated] ?? 0) + bytes;
    },
  });

  return stageMiddleware({
    name,
    order: { at: 'hydrate' },
    async around(run, next) {
      assertUnwrapped(run, name);
      const { task } = run;
      if (isTask(task)) {
        const reading = hydrate(task.task_kwargs, '$.task_kwargs', optionsFor(run));
        const task_kwargs = await stoppedBy(run.signal, reading);
        if (task_kwargs !== task.task_kwargs) run.task = { ...task, task_kwargs };
      } else {
        // The input of a state machine need not be a task.
        run.task = await stoppedBy(run.signal, hydrate(task, '$', optionsFor(run)));
      }
      await next();
    },
  });
}

/** The count in the summary of a batch. */
const bytesHydrated = 'bytes_hydrated';
