import type { ChainState } from '../../core/chains/ChainState.ts';
import { foldChain } from '../../core/chains/foldChain.ts';
import { getChain } from '../../core/chains/waitForChain.ts';
import { AlgernonError } from '../../core/errors.ts';
import { s3Sink } from '../../middlewares/s3Sink.ts';
import { readRunFile } from '../dev/readRunFile.ts';
import { devFile, readDevFile, type Target } from './openTarget.ts';

/** Reads a chain from the events that `s3Sink` has written. */
export function chainInBucket(
  chainId: string,
  { s3 }: Target,
  { bucket, folder }: { bucket: string; folder: string | undefined },
): Promise<ChainState | undefined> {
  return getChain(chainId, { from: s3Sink({ s3, bucket, ...(folder !== undefined && { folder }) }) });
}

/** Reads a chain from the file of a run. */
export async function chainInRun(chainId: string, file: string): Promise<ChainState | undefined> {
  const fold = foldChain(chainId);
  await readRunFile(file, (entry) => {
    if (entry.kind === 'event') fold.add(entry.event);
  });
  return fold.state();
}

/**
 * Reads a chain of the dev server that runs in this folder.
 *
 * @throws AlgernonError `DEV_NOT_RUNNING`
 */
export async function chainOfDev(chainId: string): Promise<ChainState | undefined> {
  const { file } = (await readDevFile()) ?? {};
  if (file !== undefined) return chainInRun(chainId, file);
  throw new AlgernonError(
    'DEV_NOT_RUNNING',
    `No dev server runs in this folder (there is no ${devFile}). On AWS, give --bucket NAME for the events of s3Sink, or ` +
      '--log-group NAME for the lines of lambdaLogged.',
  );
}
