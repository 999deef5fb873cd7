import { stoppedBy } from '../../core/batch/deadline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { hydrate } from '../../core/storedData/hydrate.ts';
import { bucketGuard } from '../aws/environment.ts';
import { s3Reader } from '../aws/s3Reader.ts';
import type { StoredDataHydrateOptions } from '../storedDataHydrate.ts';

/** The count in the summary of a batch. */
const bytesHydrated = 'bytes_hydrated';

/**
 * Makes the function with which `storedDataHydrate` replaces the pointers in a value.
 *
 * @returns a function of the value, its path in the message, and the run that reads it
 */
export function openHydrate({
  s3,
  bucket,
  buckets = [],
  maxBytes = 64 * 1024 * 1024,
  maxPointers,
  concurrentReads,
}: StoredDataHydrateOptions): <T>(value: T, path: string, run: TaskRun) => Promise<T> {
  const store = s3Reader({ s3 });
  const isAllowed = bucketGuard(bucket, buckets);

  return (value, path, { signal, counts }) => {
    const onRead = (bytes: number) => {
      counts[bytesHydrated] = (counts[bytesHydrated] ?? 0) + bytes;
    };
    const options = { store, isAllowed, maxBytes, maxPointers, concurrentReads, signal, onRead };
    return stoppedBy(signal, hydrate(value, path, options));
  };
}
