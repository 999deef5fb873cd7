import { NotConfiguredError } from '../../core/errors.ts';

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

/** The folder for stored values. */
export function folderFromEnvironment(): string {
  return process.env.CACHE_FOLDER_NAME || 'cache';
}
