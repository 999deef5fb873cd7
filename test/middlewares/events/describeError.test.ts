import { expect, test } from '@jest/globals';
import type { ChainError } from '../../../core/chains/ChainEvent.ts';
import { describeError } from '../../../middlewares/events/describeError.ts';

const unreadable = Object.create(null);

test('an error has its name, message and code, and its stack only if asked for', () => {
  const error = Object.assign(new TypeError('broken'), { code: 'E_BROKEN', stack: 'the stack' });
  expect(describeError(error, false)).toStrictEqual({
    name: 'TypeError',
    message: 'broken',
    code: 'E_BROKEN',
  });
  expect(describeError(error, true)).toStrictEqual({
    name: 'TypeError',
    message: 'broken',
    code: 'E_BROKEN',
    stack: 'the stack',
  });
  expect(describeError(Object.assign(new Error('x'), { code: 5 }), false)).toMatchObject({ code: '5' });
});

test('five causes are shown', () => {
  let error: unknown = 'innermost';
  for (let level = 6; level > 0; level -= 1)
    error = Object.assign(new Error(`level ${level}`, { cause: error }), { stack: 's' });
  const messages: unknown[] = [];
  let shown: ChainError | undefined = describeError(error, true);
  for (; shown; shown = shown.cause) messages.push([shown.message, shown.stack]);
  expect(messages).toEqual([1, 2, 3, 4, 5].map((level) => [`level ${level}`, 's']));
});

test('texts are cut', () => {
  const long = 'x'.repeat(9000);
  const error = Object.assign(new Error(long), { name: long, code: long, stack: long });
  const { name, message, code, stack } = describeError(error, true);
  expect([name.length, message.length, code?.length, stack?.length]).toEqual([128, 2048, 128, 4096]);
});

test.each<[string, unknown, object]>([
  ['a text', 'no', { name: 'string', message: 'no' }],
  ['undefined', undefined, { name: 'undefined', message: 'undefined' }],
  ['null', null, { name: 'object', message: 'null' }],
  [
    'a function',
    Object.assign(() => 1, { message: 'x' }),
    { name: 'function', message: expect.stringContaining('1') },
  ],
  [
    'an object',
    { message: 'no', cause: 'why' },
    { name: 'object', message: 'no', cause: { name: 'string', message: 'why' } },
  ],
  [
    'an object without a string form',
    unreadable,
    { name: 'object', message: 'a value that cannot be shown' },
  ],
  [
    'fields of other types',
    { name: {}, message: {}, code: {}, stack: 5, toString: () => 'shown' },
    { name: 'object', message: 'shown' },
  ],
])('anything that is thrown is described: %s', (_, thrown, shown) => {
  expect(describeError(thrown, true)).toStrictEqual(shown);
});

test('a getter that throws hides only its field', () => {
  const error = Object.defineProperty(new Error('no'), 'name', {
    get() {
      throw new Error('hidden');
    },
  });
  expect(describeError(error, false)).toStrictEqual({ name: 'object', message: 'no' });
});
