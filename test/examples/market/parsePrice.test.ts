import { expect, test } from '@jest/globals';
import { parsePrice } from '../../../examples/market/parsePrice.ts';

test.each([
  ['39.81', '39.81'],
  ['100', '100'],
  ['.5', '0.5'],
  ['7.', '7'],
  ['0.10000000000000000000000000001', '0.10000000000000000000000000001'],
  ['12345678901234567890.12', '12345678901234567890.12'],
])('%s keeps every digit', (text, digits) => {
  expect(parsePrice(text)?.toFixed()).toBe(digits);
});

test.each([
  '',
  '.',
  'n/a',
  '0',
  '0.00',
  '-1',
  '+1',
  '1e3',
  '1,234.50',
  '$39.81',
  '3 9',
  'NaN',
  '0x10',
  '1'.repeat(41),
])('%j is not a price', (text) => {
  expect(parsePrice(text)).toBeUndefined();
});
