import { describe, expect, test } from '@jest/globals';
import type { QueueCalls } from '../../local/queueCalls.ts';
import { waitUntilIdle } from '../../local/waitUntilIdle.ts';

const stats = { invocations: 0, failedInvocations: 0, received: 0, deleted: 0, failed: 0, inFlight: 0 };
const NEVER = new AbortController().signal;

/** Queues that can only be counted; calls `look` before each count. */
function fakeQueues(names: string[], look: (name: string) => number): Map<string, QueueCalls> {
  const refuse = async (): Promise<never> => {
    throw new Error('only counted');
  };
  return new Map(
    names.map((name) => [
      name,
      {
        receive: refuse,
        remove: refuse,
        hide: refuse,
        count: async () => ({ waiting: look(name), hidden: 0, delayed: 0 }),
      },
    ]),
  );
}

describe('waitUntilIdle', () => {
  test('counts in both directions, so it sees a message that moves the other way', async () => {
    // The message is in queue a while b is counted, and the other way round.
    let position = 'a';
    const looks: string[] = [];
    const queues = fakeQueues(['b', 'a'], (name) => {
      looks.push(name);
      if (looks.length === 2) position = 'b';
      if (looks.length > 4) position = 'done';
      return name === position ? 1 : 0;
    });
    await waitUntilIdle(queues, stats, NEVER, 30);
    expect(position).toBe('done');
  });

  test('counts again if something was received meanwhile', async () => {
    const live = { ...stats };
    let looks = 0;
    const queues = fakeQueues(['a'], () => {
      looks += 1;
      if (looks === 1) live.received += 1;
      return 0;
    });
    await waitUntilIdle(queues, live, NEVER, 30);
    expect(looks).toBe(4);
  });

  test('waits for batches in progress', async () => {
    const live = { ...stats, inFlight: 1 };
    const waiting = waitUntilIdle(
      fakeQueues(['a'], () => 0),
      live,
      NEVER,
      0.05,
    );
    await expect(waiting).rejects.toThrow(/not idle after 0\.05 s: 1 messages in progress/);
  });

  test('lists what is left in which queue', async () => {
    const waiting = waitUntilIdle(
      fakeQueues(['a', 'b'], (name) => (name === 'b' ? 3 : 0)),
      stats,
      NEVER,
      0,
    );
    await expect(waiting).rejects.toThrow(/; b: 3 waiting, 0 hidden, 0 delayed$/);
  });
});
