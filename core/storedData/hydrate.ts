import { formatPath } from '../ajson/formatPath.ts';
import { markRaw } from '../ajson/markRaw.ts';
import { mapAtMost } from '../mapAtMost.ts';
import { type FoundPointer, findPointers, type Keys } from './findPointers.ts';
import { limitConcurrency } from './limitConcurrency.ts';
import type { ObjectAddress, ObjectStore } from './ObjectStore.ts';
import { addressOf, badPointer } from './pointer.ts';
import { markStored, StoredData, storedDataClass } from './StoredData.ts';
import { bucketNotAllowed, StoredDataError, shown, tooLarge } from './StoredDataError.ts';
import { parseStoredBody } from './storedBody.ts';

export interface HydrateOptions {
  store: Pick<ObjectStore, 'get'>;
  isAllowed(bucket: string): boolean;
  /** The limit for all pointers together. */
  maxBytes: number;
  /** How many pointers are followed, nested and repeated ones included. Default 10,000. */
  maxPointers?: number | undefined;
  /** How many objects are read at the same time. Default 16. */
  concurrentReads?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the number of bytes of each piece that is read. */
  onRead?: ((bytes: number) => void) | undefined;
}

/** Stored values may contain pointers. The limit ends a cycle. */
const maxDepth = 8;

/** A longer text is not cached: if its pointer is repeated, it is read again. */
const maxCachedLength = 1024 * 1024;

/**
 * Replaces pointers by the stored values. The argument is not changed, and parts without pointers are not copied.
 * Repeated pointers get separate values. The first failure aborts all reads.
 *
 * @param path the path of the value in the message, for errors
 * @throws StoredDataError
 */
export async function hydrate<T>(value: T, path: string, options: HydrateOptions): Promise<T> {
  const { isAllowed, maxPointers = 10_000, concurrentReads = 16 } = options;
  let opened: { failed: AbortController; load: ReturnType<typeof textReader> } | undefined;
  // Most tasks have no pointer, and pay for none.
  const open = () => {
    const failed = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
    return { failed, load: textReader({ ...options, concurrentReads, signal }) };
  };
  const pathOf = (keys: Keys) => path + formatPath(keys).slice(1);
  let pointers = 0;

  const fill = async <V>(within: V, base: Keys, depth: number): Promise<V> => {
    const reads: { found: FoundPointer; address: ObjectAddress }[] = [];
    // Values that were read here may be changed in place.
    const root = findPointers(within, base, depth > 0, (found) => {
      if (++pointers > maxPointers) {
        throw tooMany(
          pathOf(found.keys),
          `exceeds the limit of ${maxPointers} pointers (option maxPointers)`,
        );
      }
      if (depth === maxDepth) {
        throw tooMany(
          pathOf(found.keys),
          `is nested more than ${maxDepth} levels deep. The stored values may form a cycle`,
        );
      }
      const address = addressOf(found.pointer);
      if (!address) throw badPointer(pathOf(found.keys));
      if (!isAllowed(address.bucket)) throw bucketNotAllowed(address.bucket, pathOf(found.keys));
      reads.push({ found, address });
    });
    if (reads.length === 0) return root.value;
    await mapAtMost(concurrentReads, reads, async ({ found, address }) => {
      found.container[found.key] = await read(found, address, depth + 1);
    });
    return root.value;
  };

  const read = async (
    { pointer, keys }: FoundPointer,
    address: ObjectAddress,
    depth: number,
  ): Promise<unknown> => {
    opened ??= open();
    const { failed, load } = opened;
    try {
      const text = await load(pointer, address);
      const { value, safeMode, fullUnpack } = parseStoredBody(text, pointer);
      if (safeMode) markRaw(value);
      const filled = safeMode || !mayHoldPointer(text) ? value : await fill(value, keys, depth);
      return fullUnpack ? filled : markStored(new StoredData({ pointer, value: filled }));
    } catch (error) {
      if (!failed.signal.aborted) {
        if (error instanceof StoredDataError) error.path ??= pathOf(keys);
        failed.abort(error);
      }
      throw error;
    }
  };

  try {
    return await fill(value, [], 0);
  } catch (error) {
    // The first failure aborted the other reads.
    throw opened?.failed.signal.aborted ? opened.failed.signal.reason : error;
  }
}

/** Reads objects within the limits. Small texts are cached. */
function textReader(options: HydrateOptions & { concurrentReads: number; signal: AbortSignal }) {
  const { store, maxBytes, concurrentReads, signal, onRead } = options;
  const limited = limitConcurrency(concurrentReads);
  const maxContainers = Math.max(maxBytes / 16, 1_000_000);
  const texts = new Map<string, Promise<{ text: string; bytes: number }>>();
  let bytesRead = 0;
  let containers = 0;

  const countBytes = (bytes: number, pointer: string) => {
    bytesRead += bytes;
    if (bytesRead > maxBytes) throw tooLarge(pointer, bytesRead, maxBytes);
  };
  // `[]` takes 80 times its bytes in memory, and no text has more of them than half its characters.
  const countContainers = (text: string, pointer: string) => {
    if (bytesRead <= 2 * maxContainers) return;
    containers += countOpening(text, maxContainers - containers);
    if (containers > maxContainers) throw tooManyContainers(pointer, maxContainers);
  };

  const fetch = (pointer: string, address: ObjectAddress) =>
    limited(async () => {
      if (signal.aborted) throw stopped(pointer, signal.reason);
      let bytes = 0;
      const admit = (more: number) => {
        bytes += more;
        onRead?.(more);
        countBytes(more, pointer);
      };
      const text = await store.get(address, { admit, signal });
      if (text.length > maxCachedLength) texts.delete(pointer);
      return { text, bytes };
    });

  return async (pointer: string, address: ObjectAddress): Promise<string> => {
    const cached = texts.get(pointer);
    const reading = cached ?? fetch(pointer, address);
    if (!cached) texts.set(pointer, reading);
    const { text, bytes } = await reading;
    // Read once but counted each time: nested repetition multiplies the size of the value.
    if (cached) countBytes(bytes, pointer);
    countContainers(text, pointer);
    return text;
  };
}

/** Whether a text may contain a pointer, whose class name may be escaped. */
function mayHoldPointer(text: string): boolean {
  return text.includes(storedDataClass.name) || (text.includes('\\u') && /\\u00[4-7]/.test(text));
}

/** Counts the lists and objects in a JSON text, up to a little more than `limit`. */
function countOpening(text: string, limit: number): number {
  const rough = countOf(text, '[', limit) + countOf(text, '{', limit);
  if (rough <= limit) return rough;
  // Count again without those in strings.
  let count = 0;
  let inString = false;
  for (let at = 0; at < text.length && count <= limit; at++) {
    const character = text[at];
    if (inString && character === '\\') at += 1;
    else if (character === '"') inString = !inString;
    else if (!inString && (character === '[' || character === '{')) count += 1;
  }
  return count;
}

function countOf(text: string, character: string, limit: number): number {
  let count = 0;
  let at = text.indexOf(character);
  for (; at >= 0 && count <= limit; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function tooMany(path: string, reason: string): StoredDataError {
  return new StoredDataError('TOO_MANY_POINTERS', `The pointer at ${shown(path)} ${reason}.`, { path });
}

function tooManyContainers(pointer: string, limit: number): StoredDataError {
  return new StoredDataError(
    'STORED_DATA_TOO_LARGE',
    `With ${shown(pointer)}, this task reads more than ${Math.floor(limit)} lists and objects. ` +
      'The limit is one per 16 bytes of the option maxBytes, but at least a million.',
  );
}

function stopped(pointer: string, cause: unknown): StoredDataError {
  return new StoredDataError(
    'STORED_DATA_UNAVAILABLE',
    `${shown(pointer)} was not read: the task was stopped.`,
    {
      cause,
      retryable: true,
    },
  );
}
