import { AjsonError, type AjsonErrorDetails, type AjsonErrorKind } from '../errors.ts';
import { formatPath } from './formatPath.ts';

/** A failure on its way up, which learns at each container what led to it. */
export class Trace {
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

/** A failure at the place that is being read or written. */
export function failure(kind: AjsonErrorKind, message: string): Trace {
  return new Trace((details) => new AjsonError(kind, message, details));
}

export function fail(kind: AjsonErrorKind, message: string): never {
  throw failure(kind, message);
}

/** Fails where a value that is written or read goes too deep. */
export function assertDepth(depth: number, maxDepth: number): void {
  if (depth >= maxDepth) fail('depth', `deeper than ${maxDepth} levels, or a cycle`);
}

/** What was thrown, as a trace; what the caller's own code threw becomes one. */
export function traceOf(error: unknown, kind: AjsonErrorKind = 'value'): Trace {
  if (error instanceof Trace) return error;
  const message = error instanceof Error ? error.message : String(error);
  const deep = /call stack|recursion/.test(message);
  return new Trace((details) => new AjsonError(deep ? 'depth' : kind, message, { ...details, cause: error }));
}

/** What was thrown, with the key that led to it. */
export function traceAt(error: unknown, key: string | number | undefined): Trace {
  const trace = traceOf(error);
  if (key !== undefined) trace.keys.push(key);
  return trace;
}

/** What the caller's own code gives. */
export function theirs<T>(code: () => T): T {
  try {
    return code();
  } catch (error) {
    throw traceOf(error, 'class');
  }
}
