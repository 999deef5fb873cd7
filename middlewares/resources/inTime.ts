import type { LambdaContext } from '../../core/batch/events.ts';
import { timerMillis } from '../../core/timerMillis.ts';

/** What is left for the answer to get out, in milliseconds. */
const reserveMillis = 200;

/**
 * Waits for work that tidies up, but not longer than the invocation has: tasks that are done must be acknowledged, even
 * if something hangs.
 */
export async function inTime(context: LambdaContext, work: Promise<void>): Promise<void> {
  const remaining = context?.getRemainingTimeInMillis?.();
  if (remaining === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timerMillis(remaining - reserveMillis));
  });
  await Promise.race([work, timeIsUp]);
  clearTimeout(timer);
}
