import type { ObjectAddress } from './ObjectStore.ts';
import { StoredDataError, shown } from './StoredDataError.ts';

/**
 * Parses a pointer. The key is everything after the first `#`: Python workers write folders with `/`, names with `!` or
 * `/`, and timestamps in any format.
 *
 * @param path the path of the pointer in the message, for the error
 * @throws StoredDataError `BAD_POINTER` unless it is `bucket#folder/name!timestamp.json`
 */
export function parsePointer(pointer: string, path = '$'): ObjectAddress {
  const address = addressOf(pointer);
  if (!address) throw badPointer(path);
  return address;
}

/** The error for a pointer that is malformed. */
export function badPointer(path: string): StoredDataError {
  return new StoredDataError(
    'BAD_POINTER',
    `The pointer at ${shown(path)} is not of the form bucket#folder/name!timestamp.json.`,
    { path },
  );
}

/** The address in a pointer; undefined when it is malformed. */
export function addressOf(pointer: string): ObjectAddress | undefined {
  const hash = pointer.indexOf('#');
  const bucket = pointer.slice(0, hash);
  const key = pointer.slice(hash + 1);
  const isStored = hash > 0 && key.indexOf('!') > 0 && key.endsWith('.json');
  return isStored && !/[/!]/.test(bucket) && isSafe(key) ? { bucket, key } : undefined;
}

// A proxy may resolve `..` and so reach another bucket. Half a surrogate pair cannot be encoded.
function isSafe(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]|(^|\/)\.\.?(\/|$)/u.test(text);
}

/** Whether a folder may have this name. `/` separates folders; `#` and `!` separate the parts of a pointer. */
export function isFolderName(name: string): boolean {
  return /^[^#!]+$/.test(name) && isSafe(name);
}

/** The parts of a pointer. */
export interface PointerParts {
  /** The name of the bucket. */
  bucket: string;
  /** The folder of the object. */
  folder: string;
  /** Any text. Characters that would break the pointer become `_`. */
  name: string;
  /** Milliseconds since 1970. */
  timestamp: number;
}

/** Formats a pointer. Equal parts give an equal pointer, so a task that runs twice writes the same object. */
export function formatPointer({ bucket, folder, name, timestamp }: PointerParts): string {
  const seconds = `${Math.floor(timestamp / 1000)}.${String(timestamp % 1000).padStart(3, '0')}`;
  return `${bucket}#${folder}/${name.replace(/[^\w.-]/g, '_').slice(0, 512)}!${seconds}.json`;
}
