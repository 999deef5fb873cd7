// Imported, so that a test's fake timers do not stop them.
import { clearTimeout, setTimeout } from 'node:timers';

/** The longest delay of `setTimeout`, in milliseconds. It turns a longer one into 1 ms. */
const longestMillis = 2_147_483_647;

/**
 * Calls `work` after a delay in milliseconds. A delay above 2^31 - 1, Infinity included, means never.
 *
 * @returns a function that cancels the timer
 */
export function startTimer(millis: number, work: () => void): () => void {
  if (!(millis <= longestMillis)) return () => {};
  const timer = setTimeout(work, Math.max(0, millis));
  return () => clearTimeout(timer);
}
