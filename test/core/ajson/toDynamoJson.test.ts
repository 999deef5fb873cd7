import { expect, test } from '@jest/globals';
import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import { Decimal, fromDynamoJson, toDynamoJson } from '../../../core/ajson/index.ts';

test('fromDynamoJson reads back what toDynamoJson writes', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.integer().map((number) => new Decimal(number)),
      fc.uint8Array(),
      fc.array(fc.string(), { minLength: 1 }).map((items) => new Set(items)),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value')),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 2 }), value), (item) => {
      const back = fromDynamoJson(toDynamoJson(item));
      expect(back).toEqual({ ...item });
    }),
    { numRuns: 300 },
  );
});

test('numbers have the requested type', () => {
  const item = { a: { N: '9' }, b: { N: '9007199254740993' }, c: { N: '0.1' } };
  expect(fromDynamoJson(item, { number: 'number' })).toEqual({ a: 9, b: 9007199254740993n, c: 0.1 });
  const chosen = fromDynamoJson<Record<string, DecimalJs>>(item, { number: DecimalJs });
  expect(chosen['a']?.lessThan(chosen['b'] ?? 0)).toBe(true);
  expect(toDynamoJson(chosen, { number: DecimalJs })).toEqual(item);
  expect(toDynamoJson({ a: 9, b: 9007199254740993n, c: new Decimal('0.1'), d: undefined })).toEqual(item);
  expect(() => fromDynamoJson({}, { number: 'float' as never })).toThrow('number');
});

test.each<[unknown, string]>([
  [{ a: [Number.NaN] }, '$.a[0]'],
  [new Decimal('Infinity'), '$'],
  [{ a: new Date() }, '$.a'],
  [{ a: new Set() }, '$.a'],
  [{ a: new Set([1, 'b']) }, '$.a'],
  [{ a: [undefined] }, '$.a[0]'],
])('refuses %p with its path', (value, path) => {
  expect(() => toDynamoJson(value)).toThrow(expect.objectContaining({ name: 'AjsonError', path }));
});

test.each(['NaN', 'Infinity', '', ' 1', '1x'])('refuses an N of %p', (N) => {
  for (const json of [{ price: { N } }, { price: { NS: [N] } }])
    expect(() => fromDynamoJson(json)).toThrow('is not a number');
});
