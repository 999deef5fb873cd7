import type { LambdaContext } from '../../core/batch/events.ts';
import { startTimer } from '../timing/startTimer.ts';

/** The time reserved for the answer to leave, in milliseconds. */
const reserveMillis = 200;

/**
 * Waits for cleanup work, but not longer than the invocation has: tasks that are done must be acknowledged, even if
 * something hangs.
 */
export async function inTime(context: LambdaContext, work: Promise<void>): Promise<void> {
  const remaining = context?.getRemainingTimeInMillis?.();
  if (remaining === undefined) return work;
  let stopTimer = () => {};
  const timeIsUp = new Promise<void>((resolve) => {
    stopTimer = startTimer(remaining - reserveMillis, resolve);
  });
  try {
    await Promise.race([work, timeIsUp]);
  } finally {
    stopTimer();
  }
}
