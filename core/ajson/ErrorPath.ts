import { AjsonError, type AjsonErrorDetails, type AjsonErrorKind } from './AjsonError.ts';
import { formatPath } from './formatPath.ts';

/** A failure on its way up: each container adds the key that led to it, and the last makes the error. */
export class ErrorPath {
  /** The keys that lead to the failure, the innermost first. */
  readonly keys: (string | number)[] = [];
  readonly #make: (details: AjsonErrorDetails) => AjsonError;

  constructor(make: (details: AjsonErrorDetails) => AjsonError) {
    this.#make = make;
  }

  /** The error to throw in the end. */
  toError(text?: string, offset?: number): AjsonError {
    return this.#make({ path: formatPath(this.keys.toReversed()), text, offset });
  }
}

/** Fails at the value that is being read or written, or at one of its members. */
export function fail(kind: AjsonErrorKind, message: string, key?: string | number): never {
  throw pathAt(newPath(kind, message), key);
}

/** Fails if a value is too deep. */
export function assertDepth(depth: number, maxDepth: number): void {
  if (depth >= maxDepth) fail('depth', `deeper than ${maxDepth} levels, or a cycle`);
}

/** Fails if a number has too many digits. */
export function assertDigits(length: number, maxDigits: number): void {
  if (length > maxDigits) fail('digits', `${length} digits: more than maxDigits`);
}

/** Anything thrown, as an {@link ErrorPath}. */
export function pathOf(error: unknown, kind: AjsonErrorKind = 'value'): ErrorPath {
  if (error instanceof ErrorPath) return error;
  const message = error instanceof Error ? error.message : String(error);
  return newPath(kind, message, error);
}

function newPath(kind: AjsonErrorKind, message: string, cause?: unknown): ErrorPath {
  return new ErrorPath((details) => new AjsonError(kind, message, { ...details, cause }));
}

/** The same, for an error that passes a container, with the key that led to it. */
export function pathAt(error: unknown, key: string | number | undefined): ErrorPath {
  const isOverflow = error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
  const path = pathOf(error, isOverflow ? 'depth' : 'value');
  if (key !== undefined) path.keys.push(key);
  return path;
}

/** Calls code that a user gave. An error in it becomes one of the kind `class`. */
export function callUser<T>(code: () => T): T {
  try {
    return code();
  } catch (error) {
    throw pathOf(error, 'class');
  }
}
