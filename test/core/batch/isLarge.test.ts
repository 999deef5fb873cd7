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
  ['dates:', (count) => zeros(count).map((index) => new Date(index)), 2730],
  ['a bigint of bits, with its sign', (bits) => 2n ** BigInt(bits - 1) - 1n, 524_288],
  ['nested lists, of', (count) => [zeros(count)], 4094],
])('%s up to its limit is kept', (_, make, most) => {
  expect([isLarge(make(most)), isLarge(make(most + 1))]).toEqual([false, true]);
});

test('a value that contains itself is large, and does not hang', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(isLarge(cycle)).toBe(true);
});

test('null in a value takes the place of a number', () => {
  expect(isLarge([null, { a: null, b: undefined }])).toBe(false);
});

test('an object with many keys is large, also beside a date', () => {
  expect(isLarge(Object.fromEntries(zeros(10_000).map((_, index) => [index, 0])))).toBe(true);
  expect(isLarge(['x'.repeat(65_537), new Date(0)])).toBe(true);
});
