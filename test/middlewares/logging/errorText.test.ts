import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { cut, cutStack, errorInShort, isError } from '../../../middlewares/logging/errorText.ts';

test('cuts a text only if it is longer than the maximum', () => {
  expect([cut('abc', 3), cut('abcd', 3)]).toEqual(['abc', 'abc… 1 more characters']);
});

describe('a long stack', () => {
  const frames = '\n    at work (file.ts:1:2)\n    at run (file.ts:3:4)';
  const long = 'm'.repeat(3000);

  test('keeps its frames behind a long message, which is cut', () => {
    const shown = `Error: ${'m'.repeat(1017)}… 1983 more characters${frames}`;
    expect(cutStack(`Error: ${long}${frames}`, long)).toBe(shown);
    // The message was changed after the stack was made.
    expect(cutStack(`Error: ${long}${frames}`, '')).toBe(shown);
    expect(cutStack(`Error: ${long}${frames}`, 'other')).toBe(shown);
  });

  test('is not cut at lines of its message that look like frames', () => {
    const message = `x\n    at y${long}`;
    expect(cutStack(`${message}${frames}`, message)).toBe(
      `${message.slice(0, 1024)}… ${message.length - 1024} more characters${frames}`,
    );
    expect(cutStack(`Error: ${message}${frames}`, message)).toContain(`more characters${frames}`);
  });

  test('without frames, and with many, is cut', () => {
    expect(cutStack('x'.repeat(7000), '')).toBe(`${'x'.repeat(6144)}… 856 more characters`);
    const many = '\n    at a b'.repeat(1000);
    expect(cutStack(`Error: no${many}`, 'no')).toBe(`Error: no${cut(many, 6144)}`);
  });
});

test('an error in short has a name and a message of up to 256 characters, or says that they cannot be read', () => {
  expect(errorInShort(new TypeError('m'.repeat(300)))).toEqual({
    name: 'TypeError',
    message: `${'m'.repeat(256)}… 44 more characters`,
  });
  const broken = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('no');
    },
  });
  expect(errorInShort(broken)).toEqual({ name: 'Error', message: '[unreadable]' });
});

test('isError knows errors of other realms and by prototype, and survives any proxy', () => {
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  const values = [new Error('x'), runInNewContext('new Error("x")'), Object.create(Error.prototype)];
  expect(values.map(isError)).toEqual([true, true, true]);
  expect([{}, null, 'Error', hostile].map(isError)).toEqual([false, false, false, false]);
});
