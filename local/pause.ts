import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a number of milliseconds, or until the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(Math.max(0, milliseconds), undefined, { signal });
  } catch {
    // Aborted: the wait is over.
  }
}
