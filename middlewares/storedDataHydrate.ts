import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { awsClient, bucketName, checkOptions, listOf, whole } from '../core/checkOptions.ts';
import { NotUnwrappedError } from '../core/errors.ts';
import { type HydrateOptions, hydrate } from '../core/storedData/hydrate.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { assertPipelineRan, declareStage, stageRanks, type TaskRun } from '../core/tasks/pipeline.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { bucketGuard } from './aws/environment.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';

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
  const store = s3ObjectStore({ s3 });
  const isAllowed = bucketGuard(bucket, buckets);
  const settings = { store, isAllowed, maxBytes, maxPointers, concurrentReads };

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
