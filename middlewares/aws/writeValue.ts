import { limitConcurrency } from '../../core/storedData/limitConcurrency.ts';
import type { ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { markStored, type StoredData, writeWithUnstored } from '../../core/storedData/StoredData.ts';
import { StoredDataError, shown } from '../../core/storedData/StoredDataError.ts';
import { formatStoredBody } from '../../core/storedData/storedBody.ts';
import { bucketFromEnvironment } from './environment.ts';

export interface WriteValueOptions {
  store: ObjectStore;
  /** Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string | undefined;
  dumps(value: unknown): string;
  signal?: AbortSignal | undefined;
}

const concurrentWrites = 16;

/** The ajson of a value. Each StoredData in it that was never stored is stored, since the ajson has only its pointer. */
export async function writeValue(value: unknown, options: WriteValueOptions): Promise<string> {
  const { text, unstored } = writeWithUnstored(() => options.dumps(value));
  if (unstored.size > 0) await storeUnstored(unstored, options);
  return text;
}

/**
 * Stores values at the pointers of their StoredData.
 *
 * @throws StoredDataError `STORED_DATA_NOT_STORED` when a pointer is in another bucket
 */
export async function storeUnstored(
  unstored: Iterable<StoredData>,
  { store, bucket = bucketFromEnvironment(), dumps, signal }: WriteValueOptions,
): Promise<void> {
  const limited = limitConcurrency(concurrentWrites);
  const seen = new Set<StoredData>();

  const storeAll = async (found: Iterable<StoredData>): Promise<void> => {
    await Promise.all([...found].filter((data) => !seen.has(data)).map(storeOne));
  };
  const storeOne = async (data: StoredData): Promise<void> => {
    seen.add(data);
    const address = parsePointer(data.pointer);
    if (address.bucket !== bucket) {
      throw new StoredDataError(
        'STORED_DATA_NOT_STORED',
        `The StoredData ${shown(data.pointer)} has a value that was never stored, and its bucket is not "${bucket}". ` +
          'Store the value with storeData().',
      );
    }
    const inner = writeWithUnstored(() => dumps(data.value));
    await storeAll(inner.unstored);
    await limited(() => store.put(address, formatStoredBody(inner.text), { signal }));
    markStored(data);
  };
  await storeAll(unstored);
}
