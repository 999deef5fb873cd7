import type { S3Client } from '@aws-sdk/client-s3';
import { ajson as sharedAjson } from '../core/ajson/ajson.ts';
import type { Ajson } from '../core/ajson/openAjson.ts';
import { checkOptions, listOf, whole, withMethod } from '../core/checkOptions.ts';
import { hydrate } from '../core/storedData/hydrate.ts';
import { StoredData } from '../core/storedData/StoredData.ts';
import { awsClient, bucketName } from './aws/optionChecks.ts';
import { hydrateSettings } from './storedData/hydrateSettings.ts';

/** Options of {@link readData}. */
export interface ReadDataOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client;
  /** The bucket that the pointer, and pointers in the value, may lead to. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** Other buckets that pointers may lead to. Default: none. */
  buckets?: readonly string[];
  /** How many bytes are read in total. Default 64 MiB. */
  maxBytes?: number;
  /** How many pointers are followed. Default 10,000. */
  maxPointers?: number;
  /** How many objects are read at the same time. Default 16. */
  concurrentReads?: number;
  /** The registry that rebuilds the value. Default: the shared one. */
  ajson?: Pick<Ajson, 'rebuildEvent'>;
  /** Aborts the reads. Default: none. */
  signal?: AbortSignal;
}

const optionChecks = {
  s3: awsClient('S3Client'),
  bucket: bucketName,
  buckets: listOf(bucketName),
  maxBytes: whole(1),
  maxPointers: whole(1),
  concurrentReads: whole(1),
  ajson: withMethod('rebuildEvent', 'a registry'),
  signal: withMethod('throwIfAborted', 'an AbortSignal'),
};

/**
 * Reads a stored value outside of a middleware stack, and rebuilds it. Pointers in the value are followed too. A value stored
 * with `safeMode` is not rebuilt.
 *
 * @param stored a pointer as text, or a `StoredData`; one that was read already is not read again
 * @throws OptionError, NotConfiguredError, AjsonError, StoredDataError
 * @example
 * const stored = await storeData(new Order('A-1'), { bucket: 'results' });
 * const order = await readData<Order>(stored.pointer, { bucket: 'results' });
 */
export async function readData<T = unknown>(
  stored: StoredData | string,
  options: ReadDataOptions = {},
): Promise<T> {
  const { ajson = sharedAjson, signal, ...shared } = checkOptions('readData', options, optionChecks);
  const data = typeof stored === 'string' ? new StoredData({ pointer: stored }) : stored;
  const hydrated: unknown = await hydrate<unknown>(data, '$', { ...hydrateSettings(shared), signal });
  const value = hydrated instanceof StoredData ? hydrated.value : hydrated;
  return ajson.rebuildEvent<T>(value);
}
