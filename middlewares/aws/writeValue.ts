import { mapAtMost } from '../../core/mapAtMost.ts';
import { limitConcurrency } from '../../core/storedData/limitConcurrency.ts';
import type { ObjectAddress, ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { collectUnstored, markStored, type StoredData } from '../../core/storedData/StoredData.ts';
import { StoredDataError, shown } from '../../core/storedData/StoredDataError.ts';
import { type BodyOptions, formatStoredBody, streamStoredBody } from '../../core/storedData/storedBody.ts';
import { bucketFromEnvironment } from './environment.ts';

export interface WriteValueOptions {
  store: ObjectStore;
  /** Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string | undefined;
  /** Writes a value as ajson, in pieces. */
  pieces(value: unknown): Iterable<string>;
  signal?: AbortSignal | undefined;
}

/** A value in ajson. */
export interface WrittenValue {
  /** The whole text, unless it is large. */
  readonly text: string | undefined;
  /** The text in pieces, which can be taken once. A large value is written as they are taken. */
  readonly pieces: Iterable<string>;
  /** Each StoredData in the pieces so far whose value was never stored. The ajson has only its pointer. */
  readonly unstored: ReadonlySet<StoredData>;
}

const concurrentWrites = 16;

/** The number of characters up to which a value is one text. */
const wholeLength = 1024 * 1024;

/** Writes a value as ajson: a small one at once, a large one as it is stored. */
export function writeValue(
  value: unknown,
  { pieces }: Pick<WriteValueOptions, 'pieces'>,
  atLeast = 0,
): WrittenValue {
  const unstored = new Set<StoredData>();
  const rest = collecting(() => pieces(value), unstored);
  const limit = Math.max(wholeLength, atLeast);
  let text = '';
  for (let next = rest.next(); !next.done; next = rest.next()) {
    text += next.value;
    if (text.length > limit) return { text: undefined, pieces: joined(text, rest), unstored };
  }
  return { text, pieces: [text], unstored };
}

function* collecting(
  pieces: () => Iterable<string>,
  unstored: Set<StoredData>,
): Generator<string, void, undefined> {
  // A registry may write all of it here.
  const iterator = collectUnstored(unstored, () => pieces()[Symbol.iterator]());
  const next = () => collectUnstored(unstored, () => iterator.next());
  for (let piece = next(); !piece.done; piece = next()) yield piece.value;
}

function* joined(first: string, rest: Iterable<string>): Iterable<string> {
  yield first;
  yield* rest;
}

/**
 * Stores a value with the values of each StoredData in it.
 *
 * @returns the number of characters of its ajson
 * @throws StoredDataError
 */
export async function storeValue(
  address: ObjectAddress,
  written: WrittenValue,
  options: WriteValueOptions,
  body?: BodyOptions,
): Promise<number> {
  return storing(options).store(address, written, body);
}

/**
 * Stores values at the pointers of their StoredData.
 *
 * @throws StoredDataError `STORED_DATA_NOT_STORED` when a pointer is in another bucket
 */
export async function storeUnstored(
  unstored: Iterable<StoredData>,
  options: WriteValueOptions,
): Promise<void> {
  await storing(options).storeAll(unstored);
}

/**
 * Writes a value as one text of ajson, and stores the values of each StoredData in it.
 *
 * @throws StoredDataError
 */
export async function writeText(value: unknown, options: WriteValueOptions): Promise<string> {
  const { pieces, unstored } = writeValue(value, options);
  const text = [...pieces].join('');
  await storeUnstored(unstored, options);
  return text;
}

function storing(options: WriteValueOptions) {
  const { signal } = options;
  const limited = limitConcurrency(concurrentWrites);
  const seen = new Set<StoredData>();

  const storeAll = async (found: Iterable<StoredData>): Promise<void> => {
    // Not all at once: each holds its text until it is stored.
    await mapAtMost(concurrentWrites, [...found], storeOne);
  };

  const storeOne = async (data: StoredData): Promise<void> => {
    if (seen.has(data)) return;
    seen.add(data);
    const { bucket = bucketFromEnvironment() } = options;
    const address = parsePointer(data.pointer);
    if (address.bucket !== bucket) {
      throw new StoredDataError(
        'STORED_DATA_NOT_STORED',
        `The StoredData ${shown(data.pointer)} has a value that was never stored, and its bucket is not "${bucket}". ` +
          'Store the value with storeData().',
      );
    }
    await store(address, writeValue(data.value, options));
    markStored(data);
  };

  const store = async (
    address: ObjectAddress,
    written: WrittenValue,
    body?: BodyOptions,
  ): Promise<number> => {
    const { text, pieces, unstored } = written;
    const put = (content: Iterable<string>) => limited(() => options.store.put(address, content, { signal }));
    if (text !== undefined) {
      // First, so that nothing is stored around a value that cannot be.
      await storeAll(unstored);
      await put(formatStoredBody(text, body));
      return text.length;
    }
    let length = 0;
    const counted = function* () {
      for (const piece of pieces) {
        length += piece.length;
        yield piece;
      }
    };
    await put(streamStoredBody(counted(), body));
    // These are known once the value has been written.
    await storeAll(unstored);
    return length;
  };

  return { store, storeAll };
}
