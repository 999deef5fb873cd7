import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { type HydrateOptions, hydrate } from '../core/hydrate.ts';
import { isTask } from '../core/tasks/task.ts';
import { bucketGuard } from './aws/environment.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

export interface StoredDataHydrateOptions {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client;
  /** The bucket that pointers may lead to. Default: `ALGERNON_BUCKET_NAME`, read when the first task needs it. */
  bucket?: string;
  /** Other buckets that pointers may lead to. Default: none. */
  buckets?: readonly string[];
  /** How much one task may read in all, in bytes. Default 64 MiB. */
  maxBytes?: number;
}

const name = 'storedDataHydrate';

/**
 * Puts the values that pointers in `task_kwargs` lead to in the pointers' places, however deep. Tags in the values
 * are still tags: see `rebuildEvent`.
 *
 * A pointer that cannot be followed fails its own record with a `StoredDataError`, which says why.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * export const handler = middy(queued(async ({ task_kwargs }: Task) => describe(task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(storedDataHydrate());
 */
export function storedDataHydrate(options: StoredDataHydrateOptions = {}): MiddlewareObj {
  const { s3, bucket, buckets = [], maxBytes = 64 * 1024 * 1024 } = options;
  assertOption(bucket === undefined || bucket, name, 'bucket', 'the name of a bucket');
  assertOption(Array.isArray(buckets), name, 'buckets', 'a list of names');
  assertOption(maxBytes > 0, name, 'maxBytes', 'a number of bytes above 0');
  const store = s3ObjectStore({ s3 });
  const settings = { store, isAllowed: bucketGuard(bucket, buckets), maxBytes };

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
        const task_kwargs = await hydrate(task.task_kwargs, '$.task_kwargs', optionsFor(run));
        if (task_kwargs !== task.task_kwargs) run.task = { ...task, task_kwargs };
      } else {
        // The input of a state machine need not be a task.
        run.task = await hydrate(task, '$', optionsFor(run));
      }
      await next();
    },
  });
}

/** The count in the summary of a batch. */
const bytesHydrated = 'bytes_hydrated';
