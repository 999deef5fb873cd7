import type { S3Client } from '@aws-sdk/client-s3';
import { checkOption, checkOptions } from '../core/checkOptions.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import {
  type Cancellation,
  cancellationOf,
  chainIdCheck,
  maxReasonLength,
} from './cancelling/cancelledChains.ts';

/** Options of {@link cancelChain}. */
export interface CancelChainOptions {
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** The bucket that `cancellable` looks into. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** The folder that `cancellable` looks into. Default `cancelled`. */
  folder?: string;
  /** For the logs, up to 1000 characters. Default: none. */
  reason?: string;
}

/**
 * Cancels a chain: in workers with `cancellable`, its tasks that have not started end the chain, as `endChain()` does. A task
 * that is running ends as usual; the task after it is the first that is cancelled.
 *
 * The caller's role needs `s3:PutObject` on the folder.
 *
 * @param chainId the `chainId` that `sendTask` resolved to
 * @throws OptionError, NotConfiguredError, StoredDataError
 * @example
 * const { chainId } = await sendTask(task, { topics });
 * await cancelChain(chainId, { reason: 'the order was withdrawn' });
 */
export async function cancelChain(chainId: string, options: CancelChainOptions = {}): Promise<void> {
  checkOption('cancelChain', 'chainId', chainId, chainIdCheck);
  const { s3, reason, ...where } = checkOptions('cancelChain', options, {
    s3: awsClient('S3Client'),
    bucket: bucketName,
    folder: folderName,
    reason: {
      expected: `a text of up to ${maxReasonLength} characters`,
      test: (value: unknown) => typeof value === 'string' && value.length <= maxReasonLength,
    },
  });
  const cancellation: Cancellation = { cancelledAt: Date.now(), reason };
  await s3ObjectStore({ s3 }).put(
    cancellationOf(chainId, where, 'cancelChain'),
    JSON.stringify(cancellation),
  );
}
