import { isAlgernonError } from './errors.ts';

/**
 * Whether a message that failed with this error will never succeed: one of this library's errors that is not
 * `retryable`, or any error with a `NonRetryableError` behind it. What else a task throws may pass.
 */
export function isFinal(error: unknown): boolean {
  if (isAlgernonError(error)) return !error.retryable;
  for (let one = error, depth = 0; one instanceof Error && depth < 10; one = one.cause, depth += 1) {
    if (isAlgernonError(one) && one.code === 'NON_RETRYABLE') return true;
  }
  return false;
}
