import { isAlgernonError } from './errors.ts';

/**
 * Whether a message that failed with this error will never succeed: the error is one of this library that is not
 * `retryable`, or a `NonRetryableError` caused it. Other errors are taken as temporary.
 */
export function isFinal(error: unknown): boolean {
  if (isAlgernonError(error)) return !error.retryable;
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth += 1) {
    if (isAlgernonError(cause) && cause.code === 'NON_RETRYABLE') return true;
  }
  return false;
}
