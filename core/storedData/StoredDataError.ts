import { AlgernonError, type ErrorDetails } from '../errors.ts';

/**
 * The reason for a {@link StoredDataError}. Only `STORED_DATA_UNAVAILABLE` is retryable:
 *
 * - `BAD_POINTER`: the pointer is malformed;
 * - `BUCKET_NOT_ALLOWED`: its bucket is not allowed;
 * - `TOO_MANY_POINTERS`: a task has too many pointers, or they are nested too deep;
 * - `STORED_DATA_TOO_LARGE`: the values are larger than the options allow;
 * - `STORED_DATA_MISSING`: there is no such object or bucket;
 * - `STORED_DATA_ACCESS`: a permission of the store, or of its encryption key, is missing;
 * - `STORED_DATA_ARCHIVED`: the object must be restored before it can be read;
 * - `STORED_DATA_BODY`: the object is not a stored value;
 * - `STORED_DATA_REFUSED`: the store rejected the request for another reason;
 * - `STORED_DATA_NOT_STORED`: a `StoredData` has a value that was never stored;
 * - `STORED_DATA_UNAVAILABLE`: no answer, throttling, or a fault of the store.
 */
export type StoredDataErrorCode =
  | 'BAD_POINTER'
  | 'BUCKET_NOT_ALLOWED'
  | 'TOO_MANY_POINTERS'
  | 'STORED_DATA_TOO_LARGE'
  | 'STORED_DATA_MISSING'
  | 'STORED_DATA_ACCESS'
  | 'STORED_DATA_ARCHIVED'
  | 'STORED_DATA_BODY'
  | 'STORED_DATA_REFUSED'
  | 'STORED_DATA_NOT_STORED'
  | 'STORED_DATA_UNAVAILABLE';

/** A stored value could not be read or written. `code` is the reason. */
export class StoredDataError extends AlgernonError {
  override readonly name = 'StoredDataError';
  /** Identifies the error: see docs/errors.md. */
  declare readonly code: StoredDataErrorCode;

  constructor(code: StoredDataErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details);
  }
}

/** The error for a pointer whose bucket may not be read. */
export function bucketNotAllowed(bucket: string, path: string): StoredDataError {
  return new StoredDataError(
    'BUCKET_NOT_ALLOWED',
    `The pointer at ${shown(path)} leads to the bucket "${shown(bucket)}", which is not allowed. Add it to the option buckets.`,
    { path },
  );
}

/** The error for objects with more bytes than may be read. */
export function tooLarge(key: string, bytes: number, maxBytes: number): StoredDataError {
  return new StoredDataError(
    'STORED_DATA_TOO_LARGE',
    `With ${shown(key)}, this task reads ${bytes} bytes of stored data. The option maxBytes allows ${maxBytes}.`,
  );
}

/** Text from a message, for an error: shortened, and unable to start a new line in a log. */
export function shown(text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 150)}…${text.slice(-149)}` : text;
  return short.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
