import { isPlain } from './ajson/isPlain.ts';
import { markRaw } from './ajson/markRaw.ts';
import { BucketNotAllowedError, StoredDataTooLargeError, TooManyPointersError } from './errors.ts';
import {
  type ObjectAddress,
  type ObjectStore,
  parsePointer,
  parseStoredBody,
  pointerIn,
  type StoredBody,
  StoredData,
} from './storedData.ts';

export interface HydrateOptions {
  store: ObjectStore;
  isAllowed(bucket: string): boolean;
  /** For all the pointers together. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** Told of the bytes that are read, piece by piece. */
  onRead?: ((bytes: number) => void) | undefined;
}

/** A stored value may hold pointers of its own, but a circle of them must end. */
const maxDepth = 8;

/**
 * Puts the values that pointers lead to in the pointers' places. The value given is left as it is; what has no
 * pointer in it is not copied.
 *
 * @param path where in the message the value stands, for errors
 */
export async function hydrate<T>(value: T, path: string, options: HydrateOptions): Promise<T> {
  const { store, isAllowed, maxBytes, signal, onRead } = options;
  let bytesRead = 0;
  const count = (bytes: number, pointer: string) => {
    bytesRead += bytes;
    if (bytesRead > maxBytes) throw new StoredDataTooLargeError(pointer, bytesRead, maxBytes);
  };
  const objects = new Map<string, Promise<{ body: StoredBody; bytes: number }>>();

  const fetch = async (pointer: string, address: ObjectAddress) => {
    let bytes = 0;
    const admit = (more: number) => {
      bytes += more;
      onRead?.(more);
      count(more, pointer);
    };
    const text = await store.get(address, { admit, signal });
    return { body: parseStoredBody(text, pointer), bytes };
  };

  const read = async (pointer: string, at: string, depth: number): Promise<unknown> => {
    if (depth > maxDepth) throw new TooManyPointersError(at, maxDepth);
    const address = parsePointer(pointer, at);
    if (!isAllowed(address.bucket)) throw new BucketNotAllowedError(address.bucket, at);
    const known = objects.get(pointer);
    const object = known ?? fetch(pointer, address);
    objects.set(pointer, object);
    const { body, bytes } = await object;
    // Read once, but counted wherever it is put: a few values that hold each other grow without end.
    if (known) count(bytes, pointer);
    if (body.safeMode) markRaw(body.value);
    const inPlace = body.safeMode ? body.value : await fill(body.value, at, depth);
    return body.fullUnpack ? inPlace : new StoredData({ pointer, value: inPlace });
  };

  const fill = async <V>(within: V, at: string, depth: number): Promise<V> => {
    const places: Place[] = [];
    findPointers(within, at, places);
    if (places.length === 0) return within;
    const values = new Map<string, unknown>();
    await Promise.all(
      places.map(async ({ pointer, path }) => values.set(pointer, await read(pointer, path, depth + 1))),
    );
    return replacePointers(within, values) as V;
  };

  return fill(value, path, 0);
}

/** Where a pointer stands. */
interface Place {
  readonly pointer: string;
  readonly path: string;
}

/** Collects every place: one pointer in forty of them puts its value there forty times. */
function findPointers(value: unknown, path: string, places: Place[]): void {
  if (typeof value !== 'object' || value === null) return;
  const pointer = pointerIn(value);
  if (pointer !== undefined) {
    places.push({ pointer, path });
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      findPointers(item, `${path}[${index}]`, places);
    });
  } else if (isPlain(value)) {
    for (const [key, item] of Object.entries(value)) findPointers(item, `${path}.${key}`, places);
  }
}

/** Copies what a pointer lies in, and nothing else. */
function replacePointers(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const pointer = pointerIn(value);
  if (pointer !== undefined) return values.get(pointer);
  if (Array.isArray(value)) {
    const items = value.map((item) => replacePointers(item, values));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlain(value)) return value;
  const entries = Object.entries(value);
  const changed = entries.map(([key, item]) => [key, replacePointers(item, values)] as const);
  // fromEntries defines, where assignment would take a key __proto__ for the prototype.
  return changed.some(([, item], i) => item !== entries[i]?.[1]) ? Object.fromEntries(changed) : value;
}
