import { afterEach, describe, expect, test, vi } from 'vitest';
import { ajson } from '../../core/ajson/index.ts';
import { DIFFERENT, EQUAL } from '../core/ajson/checkEquality.ts';
import { differences, everydayErrors, realmValues } from '../core/ajson/checkRealm.ts';

describe('in vitest', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(DIFFERENT)('distinguishes %s', (_, a, b) => {
    expect({ a }).not.toEqual({ a: b });
  });

  test.each(EQUAL)('finds equal %s equal', (_, a, b) => {
    expect({ a }).toEqual({ a: b });
  });

  test('writes a Date under a mocked clock, and one created under it', () => {
    vi.useFakeTimers({ now: 1000 });
    const faked = new Date();
    const during = ajson.dumps(faked);
    vi.useRealTimers();
    vi.setSystemTime(1000);
    const mocked = new Date(1000);
    const texts = [during, ajson.dumps(faked), ajson.dumps(mocked)];
    vi.useRealTimers();
    expect(texts).toEqual(Array(3).fill(ajson.dumps(new Date(1000))));
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
