import assert from 'node:assert';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { ajson, Decimal, fromDynamoJson } from '../../../core/ajson/index.ts';
import { DIFFERENT, EQUAL, MISUSES } from './checkEquality.ts';
import { differences, everydayErrors, realmValues } from './checkRealm.ts';

describe('in jest', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each(DIFFERENT)('distinguishes %s', (_, a, b) => {
    expect({ a }).not.toEqual({ a: b });
    expect(() => assert.deepStrictEqual({ a }, { a: b })).toThrow();
  });

  test.each(EQUAL)('finds equal %s equal', (_, a, b) => {
    expect({ a }).toEqual({ a: b });
    assert.deepStrictEqual({ a }, { a: b });
  });

  test('writes a Date under fake timers, and one created under them', () => {
    jest.useFakeTimers({ now: 1000 });
    const at = new Date();
    const text = ajson.dumps(at);
    jest.useRealTimers();
    expect([text, ajson.dumps(at)]).toEqual(Array(2).fill(ajson.dumps(new Date(1000))));
  });

  test('writes values of another realm', async () => {
    for (const [name, value, text] of await realmValues())
      expect(`${name} ${ajson.dumps(value)}`).toBe(`${name} ${text}`);
  });

  test('round-trips common errors', async () => {
    for (const [name, error] of await everydayErrors())
      expect([name, differences(error)]).toEqual([name, []]);
  });
});

test.each(MISUSES)('a Decimal throws for %s and names the option', (_, misuse) => {
  const { a, b } = fromDynamoJson<{ a: never; b: never }>({ a: { N: '9' }, b: { N: '10' } });
  expect(() => misuse(a, b)).toThrow(TypeError);
  expect(() => misuse(a, b)).toThrow('createAjson({ decimal })');
  const price = new Decimal('1.10');
  expect([String(price), `${price}`, [price].join(), JSON.stringify(price)]).toEqual([
    '1.10',
    '1.10',
    '1.10',
    '"1.10"',
  ]);
});
