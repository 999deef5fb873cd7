import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { gatherCalls } from '../../../middlewares/aws/gatherCalls.ts';

/** Gathers calls that are recorded. An item that is negative fails. */
function recorded(options: object = {}, call?: () => never) {
  const calls: [string, readonly number[]][] = [];
  const add = gatherCalls<number>({
    async call(key, items) {
      calls.push([key, items]);
      call?.();
      return items.map((item) => (item < 0 ? new Error(`no ${item}`) : undefined));
    },
    maxItems: 3,
    lingerMillis: 60_000,
    ...options,
  });
  return { calls, add };
}

test('a full batch leaves at once, and each item has its own outcome', async () => {
  const { calls, add } = recorded();
  const outcomes = await Promise.allSettled([add('a', 1), add('a', -2), add('a', 3)]);
  expect(calls).toEqual([['a', [1, -2, 3]]]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: new Error('no -2') });
});

test('other keys have their own batches, and the rest leaves when its time is over', async () => {
  const { calls, add } = recorded({ lingerMillis: 10 });
  const first = [add('a', 1), add('b', 2), add('a', 3)];
  expect(calls).toEqual([]);
  await Promise.all(first);
  expect(calls).toEqual([
    ['a', [1, 3]],
    ['b', [2]],
  ]);
  await Promise.all([add('a', 4), add('a', 5), add('a', 6)]);
  await sleep(30);
  expect(calls.slice(2)).toEqual([['a', [4, 5, 6]]]);
});

test('a batch leaves before an item that would make it too large', async () => {
  const { calls, add } = recorded({ maxBytes: 10, bytesOf: (item: number) => item, lingerMillis: 10 });
  await Promise.all([add('a', 4), add('a', 6), add('a', 1), add('a', 20), add('a', 1)]);
  expect(calls.map(([, items]) => items)).toEqual([[4, 6], [1], [20], [1]]);
});

test('all items fail with a call that fails', async () => {
  const error = new Error('no');
  const { add } = recorded({}, () => {
    throw error;
  });
  const outcomes = await Promise.allSettled([add('a', 1), add('a', 2), add('a', 3)]);
  expect(outcomes).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: error })));
});
