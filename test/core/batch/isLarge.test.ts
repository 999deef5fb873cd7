import { expect, test } from '@jest/globals';
import { isLarge } from '../../../core/batch/isLarge.ts';

const zeros = (count: number) => Array.from({ length: count }, () => 0);

/** Each kind of value, by a number; the largest number that is kept. An object counts eight, and so does each member. */
test.each<[string, (count: number) => unknown, number]>([
  ['a text of', (length) => 'x'.repeat(length), 65_536],
  ['bytes, of', (length) => new Uint8Array(length), 65_528],
  ['a view of a buffer of', (length) => new Uint8Array(new ArrayBuffer(length), 0, 1), 65_528],
  // Its place in the list, and the number.
  ['a list of', zeros, 4095],
  ['a Set of', (count) => new Set(zeros(count).map((_, index) => index)), 4095],
  ['a Map of', (count) => new Map(zeros(count).map((_, index) => [index, 0])), 2047],
  // The name has six characters.
  [
    'an object of',
    (count) => Object.fromEntries(zeros(count).map((_, index) => [`k${10_000 + index}`, 0])),
    4680,
  ],
  ['nested lists, of', (count) => [zeros(count)], 4094],
])('%s up to its limit is kept', (_, make, most) => {
  expect([isLarge(make(most)), isLarge(make(most + 1))]).toEqual([false, true]);
});

test('a value that contains itself is large, and does not hang', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(isLarge(cycle)).toBe(true);
});
