import { describe, expect, test } from '@jest/globals';
import {
  carriedOn,
  describeError,
  errorTaskIn,
  errorTaskOf,
  extraAttributes,
  followersOf,
  groupAttributes,
} from '../../../middlewares/callbacks/extraCallbacks.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const names = (count: number) => Array.from({ length: count }, (_, n) => `task${n}`);
const refused = expect.objectContaining({ code: 'BAD_CALLBACK' });

describe('the attributes for extra callbacks', () => {
  test('hold the names, and are absent without any', () => {
    expect(extraAttributes('a', {})).toStrictEqual({});
    expect(extraAttributes('a', { alsoCallbacks: [] })).toStrictEqual({});
    expect(extraAttributes('a', { alsoCallbacks: ['b', 'c#d'], onError: 'e' })).toStrictEqual({
      also_callbacks: 'b,c#d',
      on_error: 'e',
    });
  });

  test('hold at most ten valid callbacks', () => {
    expect(extraAttributes('a', { alsoCallbacks: names(10) })).toStrictEqual({
      also_callbacks: names(10).join(),
    });
    expect(() => extraAttributes('a', { alsoCallbacks: names(11) })).toThrow(refused);
    expect(() => extraAttributes('a', { alsoCallbacks: ['not a task'] })).toThrow(refused);
    expect(() => extraAttributes('a', { onError: 'not a task' })).toThrow(refused);
    expect(() => extraAttributes('a', { onError: '' })).toThrow(refused);
  });
});

describe('the tasks that follow', () => {
  const task = (callback?: string) => ({ task_name: 'a', task_kwargs: {}, callback });

  test('are the callback and the extra ones, each once', () => {
    expect(followersOf(task('b'), {})).toStrictEqual([{ task_name: 'b' }]);
    expect(followersOf(task(), {})).toStrictEqual([]);
    expect(followersOf(task(), { also_callbacks: 'c' })).toStrictEqual([{ task_name: 'c' }]);
    expect(followersOf(task('b'), { also_callbacks: 'c,b,a#d' })).toStrictEqual([
      { task_name: 'b' },
      { task_name: 'c' },
      { task_name: 'd', callback: 'a#d' },
    ]);
  });

  test('are refused if there are more than ten extra ones, or a bad one', () => {
    expect(followersOf(task(), { also_callbacks: names(10).join() })).toHaveLength(10);
    expect(() => followersOf(task(), { also_callbacks: names(11).join() })).toThrow(refused);
    expect(() => followersOf(task(), { also_callbacks: names(30).join() })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('task11') }),
    );
    expect(() => followersOf(task(), { also_callbacks: 'b,not a task' })).toThrow(refused);
  });
});

test('the error task is in an attribute, and must be the name of a task', () => {
  expect(errorTaskOf({})).toBeUndefined();
  expect(errorTaskOf({ on_error: 'e' })).toBe('e');
  expect(() => errorTaskOf({ on_error: 'not a task' })).toThrow(refused);
  expect(carriedOn({ on_error: 'e', also_callbacks: 'b', own: 'x' })).toStrictEqual({ on_error: 'e' });
  expect(carriedOn({ own: 'x' })).toStrictEqual({});
});

describe('the error task of a message', () => {
  const runOf = (record: unknown, attributes: object, content: unknown = { task_name: 'changed' }) =>
    ({ record, unwrap: () => ({ attributes, content }) }) as never;
  const record = sqsRecord({ task_name: 'sent' });

  test('gets the task as it was sent', () => {
    expect(errorTaskIn(runOf(record, { on_error: 'e' }))).toStrictEqual({
      content: { task_name: 'sent' },
      errorTask: 'e',
    });
  });

  test('gets the task that another stage found, or that was invoked directly', () => {
    const found = { content: { task_name: 'changed' }, errorTask: 'e' };
    expect(errorTaskIn(runOf(sqsRecord(['a pointer']), { on_error: 'e' }))).toStrictEqual(found);
    expect(errorTaskIn(runOf(undefined, { on_error: 'e' }))).toStrictEqual(found);
  });

  test('is none without the attribute, or if the message cannot be read', () => {
    expect(errorTaskIn(runOf(record, {}))).toBeUndefined();
    expect(errorTaskIn(runOf(sqsRecord('no JSON', { raw: true }), { on_error: 'e' }))).toBeUndefined();
    expect(errorTaskIn(runOf(record, { on_error: 'not a task' }))).toBeUndefined();
  });
});

test.each([
  [Object.assign(new TypeError('no'), { code: 'E_NO' }), { name: 'TypeError', message: 'no', code: 'E_NO' }],
  [new Error('no'), { name: 'Error', message: 'no', code: undefined }],
  ['no', { name: undefined, message: 'no', code: undefined }],
  [undefined, { name: undefined, message: 'undefined', code: undefined }],
])('the error task gets the name, message and code of what was thrown: %#', (error, described) => {
  expect(describeError(error)).toStrictEqual(described);
});

test('the branches of a group have their error task, and the task after it the callbacks', () => {
  expect(groupAttributes({}, undefined)).toStrictEqual({ branch: {}, then: {} });
  expect(groupAttributes({ on_error: 'e', also_callbacks: 'b', own: 'x' }, 'f')).toStrictEqual({
    branch: { on_error: 'f' },
    then: { on_error: 'e', also_callbacks: 'b' },
  });
  expect(groupAttributes({ also_callbacks: 'b' }, undefined)).toStrictEqual({
    branch: {},
    then: { also_callbacks: 'b' },
  });
  expect(() => groupAttributes({}, 'not a task')).toThrow(refused);
});
