import { checkOption } from '../../core/checkOptions.ts';
import { AlgernonError } from '../../core/errors.ts';
import { isFolderName } from '../../core/storedData/pointer.ts';
import { bucketName, folderName } from './optionChecks.ts';

/** An environment variable is missing or has a bad value, and the option that replaces it is missing. */
export class NotConfiguredError extends AlgernonError {
  override readonly name = 'NotConfiguredError';

  constructor(message: string) {
    super('NOT_CONFIGURED', message);
  }
}

/**
 * The bucket for stored values. Read when it is used, not at import, so that a test or a bootstrap can set it.
 *
 * @throws NotConfiguredError when the variable is not set
 */
export function bucketFromEnvironment(): string {
  const bucket = process.env.ALGERNON_BUCKET_NAME;
  if (!bucket)
    throw new NotConfiguredError('ALGERNON_BUCKET_NAME is not set, and the option bucket is missing.');
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

/** Makes a function that tells whether a bucket may be read: `bucket`, else the one in the environment, or one of `buckets`. */
export function bucketGuard(
  bucket: string | undefined,
  buckets: readonly string[],
): (name: string) => boolean {
  return (name) => buckets.includes(name) || name === (bucket ?? bucketFromEnvironment());
}

/**
 * The folder for stored values.
 *
 * @throws NotConfiguredError when the variable has a value that does not fit into a pointer
 */
export function folderFromEnvironment(): string {
  const folder = process.env.CACHE_FOLDER_NAME || 'cache';
  if (!isFolderName(folder)) {
    throw new NotConfiguredError(
      `CACHE_FOLDER_NAME is ${JSON.stringify(folder)}, which is not ${folderName.expected}. Change it, or set the option folder.`,
    );
  }
  return folder;
}
