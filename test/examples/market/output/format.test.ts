import { expect, test } from '@jest/globals';
import Big from 'big.js';
import { format } from '../../../../examples/market/output/format.ts';

test.each([
  ['1', '1.00'],
  ['39.8', '39.80'],
  ['1234567.891', '1,234,567.891'],
  ['0.00000001', '0.00000001'],
  ['123456', '123,456.00'],
])('the price %s is %s', (price, text) => {
  expect(format.price(new Big(price))).toBe(text);
});

test.each([
  [0.1234, '12.3 %', '+12.3 %'],
  [-0.5, '−50.0 %', '−50.0 %'],
  [0.0001, '0.0 %', '0.0 %'],
  [-0.0001, '0.0 %', '0.0 %'],
  [null, '–', '–'],
])('the share %j is %s, with a sign %s', (share, plain, signed) => {
  expect(format.percent(share)).toBe(plain);
  expect(format.percent(share, { sign: true })).toBe(signed);
});

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [12_345, '12.3 kB'],
  [999_949, '999.9 kB'],
  [4_000_000, '4.0 MB'],
])('%i bytes are %s', (bytes, text) => {
  expect(format.bytes(bytes)).toBe(text);
});

test('counts use the singular and the plural', () => {
  expect(format.count(1, 'company', 'companies')).toBe('1 company');
  expect(format.count(1200, 'company', 'companies')).toBe('1,200 companies');
});
