import { Datetime, Decimal, FrozenSet, fromDynamoJson, tuple } from '../../../core/ajson/index.ts';

/** Pairs that no test runner may find equal. */
export const DIFFERENT: readonly (readonly [string, unknown, unknown])[] = [
  ['decimals', new Decimal('1.00'), new Decimal('999.99')],
  ['decimals with other digits', new Decimal('1.10'), new Decimal('1.1')],
  ['decimals of DynamoDB', fromDynamoJson({ a: { N: '9' } }), fromDynamoJson({ a: { N: '10' } })],
  ['decimals in a set', new Set([new Decimal('1')]), new Set([new Decimal('2')])],
  ['cloned decimals', structuredClone(new Decimal('1')), structuredClone(new Decimal('2'))],
  ['microseconds', new Datetime(1000, 1), new Datetime(1000, 2)],
  ['tuples', tuple(1, 'a'), tuple(1, 'b')],
  ['frozensets', new FrozenSet([1]), new FrozenSet([2])],
];

/** Pairs that every test runner must find equal. */
export const EQUAL: readonly (readonly [string, unknown, unknown])[] = [
  ['decimals', new Decimal('1.10'), new Decimal('1.10')],
  ['microseconds', new Datetime(1000, 1), new Datetime(1000, 1)],
  ['tuples', tuple(1, new Decimal('2')), tuple(1, new Decimal('2'))],
  ['frozensets', new FrozenSet([new Decimal('2')]), new FrozenSet([new Decimal('2')])],
];

/** Operations that would compare or concatenate the text of a Decimal, and must throw. */
export const MISUSES: readonly (readonly [string, (a: never, b: never) => unknown])[] = [
  ['<', (a, b) => a < b],
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['unary +', (a) => +a],
  ['Number', (a) => Number(a)],
  ['sort', (a, b) => [a, b].sort()],
  ['toSorted', (a, b) => [a, b].toSorted()],
  ['Math.max', (a, b) => Math.max(a, b)],
];
