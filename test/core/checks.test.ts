import { describe, expect, test } from '@jest/globals';
import {
  checkOption,
  checkOptions,
  duration,
  either,
  finite,
  flag,
  func,
  listOf,
  type OptionCheck,
  object,
  oneOf,
  text,
  whole,
  withMethod,
} from '../../core/checkOptions.ts';
import { escapeControls, escapeReversing } from '../../core/escapeControls.ts';
import {
  AlgernonError,
  isAlgernonError,
  isFinal,
  NonRetryableError,
  OptionError,
  RetryLaterError,
} from '../../core/index.ts';
import { mapAtMost } from '../../core/mapAtMost.ts';
import { askedSeconds, retryAfterSeconds } from '../../core/RetryLaterError.ts';

describe('the options of a function', () => {
  const checks = (): Record<string, OptionCheck> => ({ size: whole(1), name: text('a name') });
  const failing = (options: unknown, path?: string) => () =>
    checkOptions('crop', options as object, checks(), path);

  test('are given back if they pass', () => {
    for (const options of [{}, { size: 1 }, { size: undefined, name: 'a' }]) {
      expect(checkOptions('crop', options as object, checks())).toBe(options);
    }
  });

  test.each<[unknown, string]>([
    [null, 'crop: the options must be an object, not null.'],
    [undefined, 'crop: the options must be an object, not undefined.'],
    ['a', 'crop: the options must be an object, not "a".'],
    [{ sise: 1 }, 'crop: there is no option "sise". The options are: size, name.'],
    [{ toString: 1 }, 'crop: there is no option "toString". The options are: size, name.'],
    [{ size: 0 }, 'crop: size must be a whole number from 1, not 0.'],
    [{ size: null }, 'crop: size must be a whole number from 1, not null.'],
    [{ name: [] }, 'crop: name must be a name, not a list.'],
    [{ name: {} }, 'crop: name must be a name, not an object.'],
  ])('%j are refused with the reason', (options, message) => {
    expect(failing(options)).toThrow(new OptionError(message));
  });

  test('are named with the path of the object that they are in', () => {
    expect(failing({ size: 0 }, 'image.')).toThrow('crop: image.size must be');
    expect(failing({ sise: 0 }, 'image.')).toThrow('there is no option "image.sise"');
    expect(() => checkOptions('crop', { a: 1 }, {} as never)).toThrow('The options are: none.');
  });

  test('are shown with at most 80 characters', () => {
    const shown = (value: unknown) => {
      try {
        checkOption('crop', 'x', value, object);
      } catch (error) {
        return /not (.*)\.$/.exec((error as Error).message)?.[1];
      }
      return undefined;
    };
    expect(shown('a'.repeat(90))).toBe(`"${'a'.repeat(80)}"`);
    expect(shown(Symbol('a'.repeat(90)))).toBe(`Symbol(${'a'.repeat(73)}`);
  });
});

test.each<[string, () => OptionCheck, unknown[], unknown[]]>([
  [
    'a whole number from 1',
    () => whole(1),
    [1, 2, Number.MAX_SAFE_INTEGER],
    [0, 1.5, '1', 1n, Number.NaN, 2 ** 53],
  ],
  ['a whole number from 1 to 3', () => whole(1, 3), [1, 3], [0, 4]],
  [
    'a number of seconds from 0',
    () => finite('seconds', 0),
    [0, 0.5, Number.MAX_VALUE],
    [-0.1, Infinity, '1'],
  ],
  ['a number of seconds from 0 to 9', () => finite('seconds', 0, 9), [0, 9], [9.1, Number.NaN]],
  [
    'a number of ms above 0; Infinity means never',
    () => duration('ms'),
    [0.1, Infinity],
    [0, -1, '1', Number.NaN, 1n],
  ],
  ['true or false', () => flag, [true, false], [0, 'true', null]],
  ['a function', () => func, [() => 1, class {}], ['f', {}, null]],
  ['an object', () => object, [{}, new Map()], [null, [], 'a', () => 1]],
  ['a name', () => text('a name'), ['a', ' '], ['', 1, ['a']]],
  ['a number', () => text('a number', /^\d+$/), ['12'], ['1a', 12]],
  ['a or b', () => oneOf('a', 'b'), ['a', 'b'], ['', 'c', 'a or b', null]],
  [
    'a client, which has the method send()',
    () => withMethod('send', 'a client'),
    [{ send: () => 1 }, Object.assign(() => 1, { send: () => 1 })],
    [{}, { send: 1 }, null, undefined],
  ],
  [
    'a list, each item true or false',
    () => listOf(flag),
    [[], [true, false]],
    [true, [true, 1], { length: 0 }],
  ],
  ['true or false, or a function', () => either(flag, func), [true, () => 1], [1, null]],
])('the check of %s', (expected, makeCheck, passing, failing) => {
  const check = makeCheck();
  expect(check.expected).toBe(expected);
  for (const value of passing) expect([value, check.test(value)]).toEqual([value, true]);
  for (const value of failing) expect([value, check.test(value)]).toEqual([value, false]);
});

describe('an error of this library', () => {
  test('has its details, and no cause unless there is one', () => {
    const cause = new Error('a');
    const error = new AlgernonError('A', 'b', { path: '$.a', messageId: 'm', retryable: true, cause });
    expect(error).toMatchObject({
      name: 'AlgernonError',
      code: 'A',
      message: 'b',
      path: '$.a',
      messageId: 'm',
      retryable: true,
      cause,
    });
    const plain = new AlgernonError('A', 'b');
    expect(plain).toMatchObject({ path: undefined, messageId: undefined, retryable: false });
    expect('cause' in plain).toBe(false);
    expect(new OptionError('a')).toMatchObject({ name: 'OptionError', code: 'BAD_OPTION', message: 'a' });
    expect(new NonRetryableError('a', cause)).toMatchObject({
      name: 'NonRetryableError',
      code: 'NON_RETRYABLE',
      message: 'a',
      cause,
    });
    expect(new RetryLaterError(3)).toMatchObject({
      name: 'RetryLaterError',
      message: 'The task must be tried again in 3 seconds.',
    });
    expect(() => new RetryLaterError(-1)).toThrow(
      'RetryLaterError: seconds must be a number of seconds from 0',
    );
  });

  test('is recognised by its brand, also from another copy of the package', () => {
    const brand = Symbol.for('algernon-middy.error');
    expect((new AlgernonError('A', 'b') as never as Record<symbol, unknown>)[brand]).toBe(true);
    expect([new OptionError('a'), { [brand]: true }].map(isAlgernonError)).toEqual([true, true]);
    for (const other of [null, undefined, 'a', new Error('a'), {}])
      expect(isAlgernonError(other)).toBe(false);
  });
});

describe('a final error', () => {
  const causedBy = (depth: number, cause: unknown): unknown =>
    depth === 0 ? cause : new Error('outer', { cause: causedBy(depth - 1, cause) });

  test('is one of this library that is not retryable, or is caused by a NonRetryableError', () => {
    expect(isFinal(new AlgernonError('A', 'b'))).toBe(true);
    expect(isFinal(new AlgernonError('A', 'b', { retryable: true, cause: new NonRetryableError('c') }))).toBe(
      false,
    );
    expect(isFinal(causedBy(1, new NonRetryableError('a')))).toBe(true);
    expect(isFinal(causedBy(1, new AlgernonError('A', 'b')))).toBe(false);
    for (const other of [undefined, null, 'a', {}, new Error('a')]) expect(isFinal(other)).toBe(false);
  });

  test('is looked for in nine causes', () => {
    expect(isFinal(causedBy(9, new NonRetryableError('a')))).toBe(true);
    expect(isFinal(causedBy(10, new NonRetryableError('a')))).toBe(false);
    const cycle = new Error('a');
    cycle.cause = cycle;
    expect(isFinal(cycle)).toBe(false);
  });
});

describe('the time to wait that an error asks for', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const of = (error: unknown) => retryAfterSeconds(error, now);
  const headers = { 'retry-after': '7' };
  const causedBy = (depth: number, cause: unknown): unknown =>
    depth === 0 ? cause : { cause: causedBy(depth - 1, cause) };

  test('is that of an error of this library', () => {
    expect(askedSeconds(new RetryLaterError(5))).toBe(5);
    const odd = Object.assign(new AlgernonError('A', 'b'), { retryAfterSeconds: '5' });
    for (const other of [undefined, null, 1, { retryAfterSeconds: 5 }, odd]) {
      expect(askedSeconds(other)).toBeUndefined();
    }
  });

  test('is looked for in nine causes', () => {
    expect(of(causedBy(9, new RetryLaterError(5)))).toBe(5);
    expect(of(causedBy(10, new RetryLaterError(5)))).toBeUndefined();
  });

  test('takes the status from where there is one', () => {
    expect(of({ status: 400, response: { status: 429, headers } })).toBe(7);
    expect(of({ status: 400, response: { headers } })).toBeUndefined();
    expect(of({ statusCode: 400, headers })).toBeUndefined();
    expect(of({ statusCode: 503, headers })).toBe(7);
    expect(of({ $metadata: { httpStatusCode: 400 }, headers })).toBeUndefined();
    expect(of({ $metadata: {}, headers })).toBe(7);
    expect(of({ response: null, $response: null, headers })).toBe(7);
    expect(of({ response: { status: 500, headers: { 'retry-after': '9' } }, $response: { headers } })).toBe(
      7,
    );
    expect(of({ response: { status: 429 }, headers })).toBe(7);
  });

  test('takes headers of any kind', () => {
    expect(of({ headers: { get: (name: string) => (name === 'retry-after' ? '8' : '9') } })).toBe(8);
    expect(of({ headers: { get: 'x', 'Retry-After': 7 } })).toBe(7);
    for (const other of [null, undefined, 'retry-after', { after: '7' }, []]) {
      expect(of({ headers: other })).toBeUndefined();
    }
  });

  test.each<[unknown, number | undefined]>([
    ['7', 7],
    [' 7.25 ', 7.25],
    ['75', 75],
    ['7.', undefined],
    ['-7', undefined],
    ['7s', undefined],
    ['x7', undefined],
    ['', undefined],
    ['Fri, 02 Jan 2026 03:04:09 GMT', 4],
    ['Fri, 02 Jan 2026 03:04:01 GMT', 0],
    ['Fri, 02 Jan 2026 03:04:09 GMT+1', undefined],
    ['Fri, 99 Jan 2026 03:04:09 GMT', undefined],
    ['2026-01-02T03:04:09Z', undefined],
  ])('reads %j', (value, seconds) => {
    expect(of({ status: 429, headers: { 'retry-after': value } })).toBe(seconds);
  });

  test('is a hint of the SDK, and none of an error whose properties throw', () => {
    expect(of({ retryAfterHint: new Date(now + 2500) })).toBe(2.5);
    expect(of({ retryAfterHint: new Date(Number.NaN) })).toBeUndefined();
    expect(of({ retryAfterHint: '7' })).toBeUndefined();
    const hostile = {
      get response(): never {
        throw new Error('no');
      },
    };
    expect(of(hostile)).toBeUndefined();
  });
});

describe('control characters', () => {
  test('are escaped with four digits, with or without lines', () => {
    expect(escapeControls('a\n\t\u0000\u009f\u202eb')).toBe('a\\u000a\\u0009\\u0000\\u009f\\u202eb');
    expect(escapeControls('a\n\t\r\u001bb', { lines: true })).toBe('a\n\t\\u000d\\u001bb');
    expect(escapeControls('a\nb', {})).toBe('a\\u000ab');
  });

  test('stay beside colours, and only those that reverse text are escaped', () => {
    expect(escapeReversing('\u001b[31m\u202a\u202e\u2066\u2069\u202f\u2065')).toBe(
      '\u001b[31m\\u202a\\u202e\\u2066\\u2069\u202f\u2065',
    );
  });
});

describe('mapAtMost', () => {
  test('keeps the order, and runs at most a few at the same time', async () => {
    let running = 0;
    let most = 0;
    const results = await mapAtMost(2, [5, 1, 3, 0], async (turns) => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < turns; turn++) await null;
      running -= 1;
      return turns * 10;
    });
    expect([results, most]).toEqual([[50, 10, 30, 0], 2]);
    expect(await mapAtMost(3, [], async () => 1)).toEqual([]);
    expect(await mapAtMost(9, [1], async (item) => item)).toEqual([1]);
  });

  test('starts nothing more after the first failure', async () => {
    const started: number[] = [];
    const work = async (item: number) => {
      started.push(item);
      await null;
      if (item === 1) throw new Error('one');
      for (let turn = 0; turn < 9; turn++) await null;
    };
    await expect(mapAtMost(2, [1, 2, 3, 4], work)).rejects.toThrow('one');
    for (let turn = 0; turn < 50; turn++) await null;
    expect(started).toEqual([1, 2]);
  });
});
