import { bucketName, checkOption } from '../../core/checkOptions.ts';
import { NotConfiguredError } from '../../core/errors.ts';
import { isFolderName } from '../../core/storedData/pointer.ts';

/**
 * The bucket for stored values. Read on use and not at import, so that a test or a bootstrap may set it.
 *
 * @throws NotConfiguredError when the variable is not set
 */
export function bucketFromEnvironment(): string {
  const bucket = process.env.ALGERNON_BUCKET_NAME;
  if (!bucket) throw new NotConfiguredError('The bucket for stored values', 'ALGERNON_BUCKET_NAME', 'bucket');
  return bucket;
}

/**
 * The bucket to write to: the option, or the one in the environment.
 *
 * @throws OptionError for an ARN, which does not fit into a pointer
 */
export function bucketToWrite(bucket: string | undefined, owner: string): string {
  checkOption(owner, 'bucket', bucket ?? bucketFromEnvironment(), bucketName);
  return bucket ?? bucketFromEnvironment();
}

/** Tells which buckets may be read: the one given, else the one in the environment, and those listed. */
export function bucketGuard(
  bucket: string | undefined,
  buckets: readonly string[],
): (asked: string) => boolean {
  return (asked) => buckets.includes(asked) || asked === (bucket ?? bucketFromEnvironment());
}

/**
 * The folder for stored values.
 *
 * @throws NotConfiguredError when the variable has a value that does not fit into a pointer
 */
export function folderFromEnvironment(): string {
  const folder = process.env.CACHE_FOLDER_NAME || 'cache';
  if (!isFolderName(folder)) {
    throw new NotConfiguredError('A folder without # and !', 'CACHE_FOLDER_NAME', 'folder');
  }
  return folder;
}
