import { expect, test } from '@jest/globals';
import { findDecimalMark, parsePrice } from '../../../../examples/market/input/parsePrice.ts';

test.each([
  ['39.81', '39.81'],
  ['100', '100'],
  ['.5', '0.5'],
  ['7.', '7'],
  ['1,234.50', '1234.5'],
  ["1'234'567.5", '1234567.5'],
  ['1\u00a0234', '1234'],
  ['$39.81', '39.81'],
  ['39.81 €', '39.81'],
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
  '1,23',
  '1,2345',
  '0,123',
  '1,234,56',
  "1,234'567",
  '39.81 dollars',
  '3 9',
  'NaN',
  '0x10',
  '1'.repeat(41),
])('%j is not a price', (text) => {
  expect(parsePrice(text)).toBeUndefined();
});

test.each([
  ['1.234,50', '1234.5'],
  ['39,81', '39.81'],
  ['1.234', '1234'],
  ['1.234.567', '1234567'],
  [',5', '0.5'],
])('%s has a decimal comma', (text, digits) => {
  expect(parsePrice(text, ',')?.toFixed()).toBe(digits);
});

test.each([
  [['1.5', '1,234'], '.'],
  [['1,5', '1.234'], ','],
  [['1,234', '12,345.6'], '.'],
  [['1,234'], undefined],
  [['1.234', '5'], undefined],
  [['1.234', '0.125'], '.'],
  [['1.234', '1234.5678'], '.'],
  [['5', '12'], '.'],
  [['1.234', 'x'], undefined],
  [[], '.'],
])('the decimal mark of %j is %j', (prices, mark) => {
  expect(findDecimalMark(prices)).toBe(mark);
});
