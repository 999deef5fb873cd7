import { AjsonError, type AjsonErrorKind, UnknownClassError } from '../errors.ts';
import { formatPath } from './formatPath.ts';

/** A failure on its way up, which learns at each container what led to it. */
export class Trace {
  /** The keys that lead to the failure, the innermost first. */
  readonly keys: (string | number)[] = [];
  readonly kind: AjsonErrorKind;
  readonly message: string;
  readonly cause: unknown;
  /** The name and module of a class that is not known. */
  readonly unknown: readonly [string, string] | undefined;

  constructor(kind: AjsonErrorKind, message: string, cause?: unknown, unknown?: readonly [string, string]) {
    this.kind = kind;
    this.message = message;
    this.cause = cause;
    this.unknown = unknown;
  }

  /** The error to throw in the end. */
  toError(text?: string, offset?: number): AjsonError {
    const { cause, unknown } = this;
    const details = { path: formatPath(this.keys.toReversed()), cause, text, offset };
    return unknown
      ? new UnknownClassError(...unknown, details)
      : new AjsonError(this.kind, this.message, details);
  }
}

/** Fails at the place that is being read or written. */
export function fail(kind: AjsonErrorKind, message: string, cause?: unknown): never {
  throw new Trace(kind, message, cause);
}

/** What was thrown, as a trace; what the caller's own code threw becomes one. */
export function traceOf(error: unknown, kind: AjsonErrorKind = 'value'): Trace {
  if (error instanceof Trace) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Trace(/call stack|recursion/.test(message) ? 'depth' : kind, message, error);
}

/** What was thrown, with the key that led to it. */
export function traceAt(error: unknown, key: string | number | undefined): Trace {
  const trace = traceOf(error);
  if (key !== undefined) trace.keys.push(key);
  return trace;
}
