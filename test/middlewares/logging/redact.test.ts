import { expect, test } from '@jest/globals';
import { parseRedactPath, redact } from '../../../middlewares/logging/redact.ts';

test.each([
  ['card', ['card']],
  ['task_kwargs.card', ['task_kwargs', 'card']],
  ['$.a.b', ['a', 'b']],
  ['$a', ['a']],
  ['a$.b', ['a$', 'b']],
  ['users[12].phones[*]', ['users', '12', 'phones', '*']],
  ['[0].a', ['0', 'a']],
])('%s is a path', (path, parts) => {
  expect(parseRedactPath(path)).toEqual(parts);
});

test.each(['', '$', '.', 'a..b', 'a.', 'a[x]', 'a[', 'a]', 'a[1'])('%j is not a path', (path) => {
  expect(parseRedactPath(path)).toBeUndefined();
});

test('redacts the values at the paths, and copies only the objects on the way', () => {
  const value = { a: { b: 1, c: 2 }, list: [{ n: 1 }, { n: 2, m: 3 }], other: { d: 1 } };
  const before = structuredClone(value);
  const copy = redact(value, [
    ['a', 'b'],
    ['list', '*', 'n'],
  ]) as typeof value;
  expect(copy).toStrictEqual({
    a: { b: '[redacted]', c: 2 },
    list: [{ n: '[redacted]' }, { n: '[redacted]', m: 3 }],
    other: { d: 1 },
  });
  expect(copy.other).toBe(value.other);
  expect(value).toEqual(before);
});

test('an empty path is the value itself, and a path into a value without keys leaves it', () => {
  expect(redact({ a: 1 }, [[], ['a']])).toBe('[redacted]');
  expect(
    redact({ a: null, b: 'text', c: 5 }, [
      ['a', 'x'],
      ['b', '0'],
      ['c', 'x'],
    ]),
  ).toStrictEqual({
    a: null,
    b: 'text',
    c: 5,
  });
  const value = { a: 1 };
  expect(redact(value, [])).toBe(value);
});
