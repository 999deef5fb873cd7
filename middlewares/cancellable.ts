import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { stoppedBy } from '../core/batch/deadline.ts';
import { identityOf } from '../core/batch/identity.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, oneOf } from '../core/checkOptions.ts';
import { isAlgernonError } from '../core/errors.ts';
import { shown } from '../core/storedData/StoredDataError.ts';
import { chainIdPattern } from '../core/tasks/chainId.ts';
import { endChain } from '../core/tasks/endChain.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ConditionalStore } from './aws/s3ConditionalStore.ts';
import { cancellationOf, reasonIn } from './cancelling/cancelledChains.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link cancellable}. */
export interface CancellableOptions {
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** The bucket that `cancelChain` writes to. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** The folder that `cancelChain` writes to. Default `cancelled`. */
  folder?: string;
  /**
   * Whether a task runs if S3 cannot tell whether its chain is cancelled: `run`, with a warning, or `fail`, and its message comes
   * back. Default `fail`.
   */
  whenUnknown?: 'fail' | 'run';
}

const name = 'cancellable';

/** The most that is read of a cancellation, in bytes. */
const maxBytes = 16_384;

/**
 * Asks before each task whether `cancelChain` has cancelled its chain. If so, the handler does not run and no callback is
 * sent, as with `endChain()`. This takes one GET of S3 for each task. Direct invocations belong to no chain, and are not asked
 * about.
 *
 * The function's role needs `s3:GetObject` on the folder. Without it no chain counts as cancelled: S3 answers the same for an
 * object that does not exist.
 *
 * Fails a record with a `StoredDataError` when S3 is down, unless `whenUnknown` is `run`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(callbackPublisher())
 *   .use(cancellable());
 */
export function cancellable(options: CancellableOptions = {}): MiddlewareObj {
  const {
    s3,
    bucket,
    folder,
    whenUnknown = 'fail',
  } = checkOptions(name, options, {
    s3: awsClient('S3Client'),
    bucket: bucketName,
    folder: folderName,
    whenUnknown: oneOf('fail', 'run'),
  });
  const store = s3ConditionalStore({ s3 });

  /** The cancellation of a chain; undefined if there is none. */
  const find = async (
    chainId: string,
    signal: AbortSignal,
  ): Promise<{ reason: string | undefined } | undefined> => {
    const address = cancellationOf(chainId, { bucket, folder }, name);
    try {
      const found = await stoppedBy(signal, store.read(address, { maxBytes, signal }));
      return found && { reason: reasonIn(found.text) };
    } catch (error) {
      const code = isAlgernonError(error) ? error.code : undefined;
      // There is an object, although not one that cancelChain has written.
      if (code === 'STORED_DATA_TOO_LARGE' || code === 'STORED_DATA_BODY') return { reason: undefined };
      if (whenUnknown === 'fail' || code !== 'STORED_DATA_UNAVAILABLE') throw error;
      console.warn(
        `${name}: whether the chain ${chainId} is cancelled is unknown, and its task runs:`,
        error,
      );
      return undefined;
    }
  };

  return stageMiddleware({
    name,
    order: { after: 'publish' },
    async around(run: TaskRun, next) {
      const { chainId } = identityOf(run);
      // A chain without an id has that of its first message, which may be any text.
      const cancellation =
        run.record && chainIdPattern.test(chainId) ? await find(chainId, run.signal) : undefined;
      if (!cancellation) return next();
      const { reason } = cancellation;
      console.info(`The chain ${chainId} is cancelled${reason ? `: ${shown(reason)}` : ''}`);
      run.counts[cancelled] = 1;
      run.skip(endChain());
    },
  });
}

/** The count in the summary of a batch. */
const cancelled = 'tasks_cancelled';
