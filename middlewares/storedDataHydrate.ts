import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { isPlain } from '../core/ajson/isPlain.ts';
import { checkOptions, listOf, whole } from '../core/checkOptions.ts';
import { isTask } from '../core/tasks/task.ts';
import { loadOnce } from './aws/loadOnce.ts';
import { awsClient, bucketName } from './aws/optionChecks.ts';
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

/** How many levels are searched for a pointer before the code that follows pointers is loaded. */
const maxScanned = 100;

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
  // Copied, since they are read again later.
  const settings = { ...checkOptions(name, options, optionChecks) };
  const loadHydrate = loadOnce(async () => {
    const { openHydrate } = await import('./storedData/openHydrate.ts');
    return openHydrate(settings);
  });

  return stageMiddleware({
    name,
    order: { at: 'hydrate' },
    async around(run, next) {
      assertUnwrapped(run, name);
      const { task } = run;
      // The input of a state machine need not be a task.
      const value = isTask(task) ? task.task_kwargs : task;
      if (mayHoldPointer(value)) {
        const hydrate = await loadHydrate();
        const hydrated = await hydrate(value, isTask(task) ? '$.task_kwargs' : '$', run);
        if (hydrated !== value) run.task = isTask(task) ? { ...task, task_kwargs: hydrated } : hydrated;
      }
      await next();
    },
  });
}

/** Whether a value has a pointer. Also true for what is not plain JSON or very deep: `hydrate` decides then. */
function mayHoldPointer(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth > maxScanned) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && mayHoldPointer(item, depth + 1)) return true;
    }
    return false;
  }
  if (!isPlain(value)) return true;
  for (const key in value) {
    const member: unknown = value[key as never];
    // Compared here, since a read of `_alg_class` in each object takes far longer.
    if (typeof member === 'object' ? mayHoldPointer(member, depth + 1) : isPointerName(key, member))
      return true;
  }
  return false;
}

function isPointerName(key: string, value: unknown): boolean {
  return key === '_alg_class' && value === 'StoredData';
}
