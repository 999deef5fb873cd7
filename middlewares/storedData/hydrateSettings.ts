import type { HydrateOptions } from '../../core/storedData/hydrate.ts';
import { bucketGuard } from '../aws/environment.ts';
import { s3Reader } from '../aws/s3Reader.ts';
import type { StoredDataHydrateOptions } from '../storedDataHydrate.ts';

/** The settings of `hydrate` for the options that `storedDataHydrate` and `readData` share. */
export function hydrateSettings({
  s3,
  bucket,
  buckets = [],
  maxBytes = 64 * 1024 * 1024,
  maxPointers,
  concurrentReads,
}: StoredDataHydrateOptions): HydrateOptions {
  return {
    store: s3Reader({ s3 }),
    isAllowed: bucketGuard(bucket, buckets),
    maxBytes,
    maxPointers,
    concurrentReads,
  };
}
