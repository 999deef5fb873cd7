import { expect, test } from '@jest/globals';
import type { ChainEvent } from 'algernon-middy';
import { createTally } from '../../../examples/market/createTally.ts';

/** An event of a task: its message is `m1`, and that has the id `q1` in its queue. */
function eventOf(type: 'received' | 'succeeded' | 'failed', message: number, attempt = 1): ChainEvent {
  return {
    type,
    chainId: `chain ${message}`,
    messageId: `m${message}`,
    taskName: 'load',
    at: 0,
    receiver: 'arn',
    recordId: `q${message}`,
    attempt,
    error: { name: 'Error', message: `problem ${message}` },
  };
}

test('counts the messages of a task, each once', () => {
  const tally = createTally();
  const write = (...events: ChainEvent[]) => tally.write(events, { signal: new AbortController().signal });

  write(eventOf('received', 1), eventOf('received', 2), eventOf('succeeded', 1), eventOf('failed', 2));
  expect([...tally.done('load')]).toEqual([['m1', 'chain 1']]);
  expect(tally.failing('load')).toBe(1);
  expect(tally.failureOf('q2')).toEqual({ chainId: 'chain 2', problem: 'problem 2' });
  expect(tally.failureOf('q1')).toBeUndefined();
  expect(tally.retries).toBe(0);

  write(eventOf('received', 2, 2), eventOf('succeeded', 2, 2), eventOf('succeeded', 1));
  expect([...tally.done('load').keys()]).toEqual(['m1', 'm2']);
  expect(tally.failing('load')).toBe(0);
  expect(tally.retries).toBe(1);
  expect(tally.done('analyse').size).toBe(0);
});
