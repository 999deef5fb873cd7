import type { QueueState } from '../serverControl.ts';

/** A queue whose hidden and delayed messages wait for the clock. */
export interface ClockedQueue {
  inspect(): Promise<QueueState>;
  /** Makes hidden messages visible. */
  show(receiptHandles: readonly string[]): Promise<void>;
}

/** A message that is hidden or delayed. */
interface Waiting {
  readonly due: number;
  release(): void | Promise<void>;
}

/** Messages that are due within this time return together, since SQS counts in seconds. */
const togetherMillis = 1000;

/**
 * A clock that moves only when it is told to. Messages return in the order in which they would, but nothing waits: the clock
 * moves to the time of the first.
 *
 * @returns a function that moves the clock, and resolves to false when no message is hidden or delayed
 */
export function virtualClock(queues: readonly ClockedQueue[]): () => Promise<boolean> {
  /** How far the clock is ahead of the time of the queues. */
  let aheadMillis = 0;
  const dues = new Map<unknown, { deadline: number; due: number }>();

  /** The queue knows the real time at which a message returns. The clock may have moved before the message was hidden. */
  const dueOf = (message: unknown, deadline: number): number => {
    const known = dues.get(message);
    if (known?.deadline === deadline) return known.due;
    const due = deadline + aheadMillis;
    dues.set(message, { deadline, due });
    return due;
  };

  const waitingIn = async (queue: ClockedQueue): Promise<Waiting[]> => {
    const { delayed, inflight } = await queue.inspect();
    return [
      ...delayed.map((message) => ({
        due: dueOf(message, message.delayUntil ?? 0),
        release() {
          dues.delete(message);
          message.delayUntil = 0;
        },
      })),
      ...inflight.map(({ receiptHandle, visibilityDeadline }) => ({
        due: dueOf(receiptHandle, visibilityDeadline),
        release() {
          dues.delete(receiptHandle);
          return queue.show([receiptHandle]);
        },
      })),
    ];
  };

  return async () => {
    const waiting = (await Promise.all(queues.map(waitingIn))).flat().sort((a, b) => a.due - b.due);
    const [first] = waiting;
    if (!first) return false;
    aheadMillis = Math.max(aheadMillis, first.due - Date.now());
    for (const { due, release } of waiting) if (due < first.due + togetherMillis) await release();
    return true;
  };
}
