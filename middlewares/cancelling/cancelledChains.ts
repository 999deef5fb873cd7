import { type OptionCheck, text } from '../../core/checkOptions.ts';
import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { chainIdPattern } from '../../core/tasks/chainId.ts';
import { bucketToWrite } from '../aws/environment.ts';

/** Where cancelled chains are listed, one object for each. */
export interface CancelledChainsOptions {
  /** Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string | undefined;
  /** Default `cancelled`. */
  folder?: string | undefined;
}

export interface Cancellation {
  /** In milliseconds since 1970. */
  readonly cancelledAt: number;
  readonly reason?: string | undefined;
}

export const maxReasonLength = 1000;

export const chainIdCheck: OptionCheck = /* @__PURE__ */ text(
  '1 to 128 letters, digits and "_.:-"',
  chainIdPattern,
);

/** The object that cancels a chain. The format of chain ids keeps it in its folder. */
export function cancellationOf(
  chainId: string,
  { bucket, folder = 'cancelled' }: CancelledChainsOptions,
  owner: string,
): ObjectAddress {
  return { bucket: bucketToWrite(bucket, owner), key: `${folder}/${chainId}.json` };
}

/** The reason in a cancellation. Anything in the object cancels the chain, whether it can be read or not. */
export function reasonIn(body: string): string | undefined {
  try {
    const { reason } = JSON.parse(body) as Partial<Cancellation>;
    return typeof reason === 'string' ? reason.slice(0, maxReasonLength) : undefined;
  } catch {
    return undefined;
  }
}
