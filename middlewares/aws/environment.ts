import { NotConfiguredError } from '../../core/errors.ts';
import { isFolderName } from '../../core/storedData.ts';

/**
 * The bucket for stored values. Read when it is needed and not at import, so that what a test or a bootstrap sets is
 * seen.
 *
 * @throws NotConfiguredError when the variable is not set
 */
export function bucketFromEnvironment(): string {
  const bucket = process.env.ALGERNON_BUCKET_NAME;
  if (!bucket) throw new NotConfiguredError('The bucket for stored values', 'ALGERNON_BUCKET_NAME', 'bucket');
  return bucket;
}

/** Whether a bucket may be read: the one given, else the one in the environment, and those listed beside it. */
export function bucketGuard(
  bucket: string | undefined,
  buckets: readonly string[],
): (asked: string) => boolean {
  return (asked) => buckets.includes(asked) || asked === (bucket ?? bucketFromEnvironment());
}

/**
 * The folder for stored values.
 *
 * @throws NotConfiguredError when the variable holds what a pointer cannot
 */
export function folderFromEnvironment(): string {
  const folder = process.env.CACHE_FOLDER_NAME || 'cache';
  if (!isFolderName(folder)) {
    throw new NotConfiguredError('A folder without #, ! and /', 'CACHE_FOLDER_NAME', 'folder');
  }
  return folder;
}
