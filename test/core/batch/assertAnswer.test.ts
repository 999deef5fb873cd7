import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerError, assertAnswer } from '../../../core/batch/assertAnswer.ts';

const cycle: Record<string, unknown> = {};
cycle.self = { cycle };

describe('refuses an answer that JSON would change, with the path', () => {
  test.each<[string, unknown, string, string]>([
    ['a Set', { a: [{ b: new Set([1]) }] }, '$.a[0].b', 'a Set'],
    ['a Map', [new Map()], '$[0]', 'a Map'],
    ['a bigint', 1n, '$', 'a bigint'],
    ['a boxed bigint', { n: Object(1n) }, '$.n', 'a BigInt'],
    ['NaN', { n: Number.NaN }, '$.n', 'NaN'],
    ['an infinity', [Number.NEGATIVE_INFINITY], '$[0]', '-Infinity'],
    ['a function', { f: () => {} }, '$.f', 'a function'],
    ['a symbol', [Symbol('s')], '$[0]', 'a symbol'],
    ['an Error', { error: new TypeError('t') }, '$.error', 'an Error'],
    ['bytes', { bytes: new Uint8Array(1) }, '$.bytes', 'a Uint8Array'],
    ['a promise', { p: Promise.resolve() }, '$.p', 'a Promise'],
    ['an invalid date', { at: new Date(Number.NaN) }, '$.at', 'an invalid date'],
    ['an iterator', { i: [1].values() }, '$.i', 'a Array Iterator'],
    ['headers', { h: new Headers({ a: 'b' }) }, '$.h', 'a Headers'],
    ['a cycle', cycle, '$.self.cycle', 'a cycle'],
    ['a Set that toJSON returns', { a: { toJSON: () => ({ b: new Set() }) } }, '$.a.b', 'a Set'],
    ['a bigint that toJSON returns', { toJSON: () => 1n }, '$', 'a bigint'],
    ['a cycle through toJSON', cyclicJSON(), '$.inner', 'a cycle'],
    [
      'an Error of another realm',
      [runInNewContext('Object.assign(new Error(), { a: 1 })')],
      '$[0]',
      'an Error',
    ],
    ['a Map with a field', Object.assign(new Map(), { a: 1 }), '$', 'a Map'],
    ['a Set with a field', Object.assign(new Set(), { a: 1 }), '$', 'a Set'],
  ])('%s', (_, value, path, found) => {
    expect(() => assertAnswer(value)).toThrow(AnswerError);
    expect(() => assertAnswer(value)).toThrow(
      expect.objectContaining({ code: 'ANSWER_NOT_JSON', path, message: expect.stringContaining(found) }),
    );
  });
});

function cyclicJSON(): object {
  const value = { toJSON: (): object => ({ inner: value }) };
  return value;
}

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a date', { at: new Date(0) }],
  ['a Buffer', Buffer.from('a')],
  [
    'an instance of a class',
    new (class Order {
      id = 1;
    })(),
  ],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
  ['a value that appears twice', ((shared) => [shared, { shared }])({ a: 1 })],
  [
    'a toJSON that returns its own object',
    Object.assign(
      { a: 1 },
      {
        toJSON(): unknown {
          return this;
        },
      },
    ),
  ],
  ['a toJSON that returns nothing', [{ toJSON: () => null }, { toJSON: () => undefined }]],
  ['an empty boxed text', Object('')],
  [
    'empty arguments',
    (function () {
      // biome-ignore lint/complexity/noArguments: they are the value
      return arguments;
    })(),
  ],
  ['a class with a tag and fields', Object.assign({ [Symbol.toStringTag]: 'Order' }, { id: 1 })],
])('accepts %s', (_, value) => {
  expect(() => assertAnswer(value)).not.toThrow();
});

test('accepts any JSON', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assertAnswer(value)));
});

test('toJSON gets the key that JSON.stringify would pass', () => {
  const keysIn = (work: (value: unknown) => unknown) => {
    const keys: unknown[] = [];
    const toJSON = (key: unknown) => keys.push(key);
    work({ toJSON });
    work({ a: [0, { toJSON }], b: { c: { d: { toJSON } } }, e: { toJSON } });
    return keys;
  };
  expect(keysIn(assertAnswer)).toEqual(['', '1', 'd', 'e']);
  expect(keysIn(assertAnswer)).toEqual(keysIn(JSON.stringify));
});
