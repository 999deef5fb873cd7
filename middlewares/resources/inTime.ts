import type { LambdaContext } from '../../core/batch/events.ts';
import { startTimer } from '../timing/startTimer.ts';

/** The time reserved for sending the response, in milliseconds. */
const reserveMillis = 200;

/**
 * Waits for cleanup work, but not beyond the deadline: finished tasks must be acknowledged even if a
 * cleanup hangs.
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
