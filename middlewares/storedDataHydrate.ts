import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import { NotUnwrappedError } from '../core/errors.ts';
import { type HydrateOptions, hydrate } from '../core/hydrate.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { assertPipelineRan, declareStage, stageRanks, type TaskRun } from '../core/tasks/pipeline.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { bucketGuard } from './aws/environment.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';

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

  const readingFor = (run?: TaskRun): HydrateOptions => ({
    ...settings,
    signal: run?.signal,
    onRead(bytes) {
      if (run) run.counts.bytesHydrated += bytes;
    },
  });
  const hydrateTask = async <T extends Task>(task: T, run?: TaskRun): Promise<T> => {
    const task_kwargs = await hydrate(task.task_kwargs, '$.task_kwargs', readingFor(run));
    return task_kwargs === task.task_kwargs ? task : { ...task, task_kwargs };
  };

  return {
    async before(request) {
      keepResponse(request);
      const pipeline = declareStage(request, {
        name,
        rank: stageRanks.hydrate,
        async around(run, next) {
          if (run.task === run.record) throw new NotUnwrappedError(name);
          if (isTask(run.task)) run.task = await hydrateTask(run.task, run);
          // What a state machine waits for need not be a task.
          else run.task = await hydrate(run.task, '$', readingFor(run));
          await next();
        },
      });
      if (!pipeline && isTask(request.event)) request.event = await hydrateTask(request.event);
    },
    after: (request) => assertPipelineRan(request, name),
    onError: keepResponse,
  };
}
