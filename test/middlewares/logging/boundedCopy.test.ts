import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { boundedCopy } from '../../../middlewares/logging/boundedCopy.ts';

const inJson = (value: unknown) => JSON.parse(JSON.stringify(boundedCopy(value)) ?? 'null');
const inText = (value: unknown) => inspect(boundedCopy(value, { as: 'text' }), { depth: 8 });
const list = (length: number) => Array.from({ length }, (_, n) => n);
const keyed = (length: number) => Object.fromEntries(list(length).map((n) => [`k${n}`, 1]));
const throwing = (key: string) =>
  Object.defineProperty({ shown: 1 }, key, {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
const hostile = new Proxy(
  {},
  {
    ownKeys() {
      throw new Error('no');
    },
  },
);

afterEach(() => {
  delete process.env.POWERTOOLS_DEV;
});

describe('a copy for JSON', () => {
  test('of plain data is the same', () => {
    const value = { n: 1, text: 'x', none: null, yes: true, list: [1, [2]], nested: { a: {} } };
    expect(boundedCopy(value)).toStrictEqual(value);
    expect([boundedCopy(5), boundedCopy('x'), boundedCopy(undefined), boundedCopy(null)]).toEqual([
      5,
      'x',
      undefined,
      null,
    ]);
    expect(boundedCopy(12n)).toBe(12n);
  });

  test('has the first 1000 items, keys and entries, and the number of the others', () => {
    expect(boundedCopy(list(1000))).toStrictEqual(list(1000));
    expect(boundedCopy(list(1003))).toStrictEqual([...list(1000), '… 3 more']);
    expect(boundedCopy(keyed(1000))).toStrictEqual(keyed(1000));
    expect(boundedCopy(keyed(1003))).toStrictEqual({ ...keyed(1000), '…': '3 more' });
    const map = boundedCopy(new Map(list(1003).map((n) => [n, n]))) as Map<unknown, unknown>;
    expect([map.size, map.get(999), map.get('…')]).toEqual([1001, 999, '3 more']);
    const set = boundedCopy(new Set(list(1003))) as Set<unknown>;
    expect([set.size, set.has(999), [...set].at(-1)]).toEqual([1001, true, '… 3 more']);
    expect(boundedCopy(new Set([1]))).toEqual(new Set([1]));
    expect(boundedCopy(new Map([['a', { b: 1 }]]))).toEqual(new Map([['a', { b: 1 }]]));
  });

  test('has long texts and keys cut', () => {
    expect(boundedCopy('x'.repeat(8192))).toBe('x'.repeat(8192));
    expect(boundedCopy('x'.repeat(8193))).toBe(`${'x'.repeat(8192)}… 1 more characters`);
    const key = 'k'.repeat(300);
    expect(Object.keys(boundedCopy({ [key]: 1 }) as object)).toEqual([
      `${key.slice(0, 256)}… 44 more characters`,
    ]);
  });

  test('has 20 levels', () => {
    let value: unknown = 'deepest';
    for (let level = 0; level < 21; level += 1) value = { in: value };
    expect(JSON.stringify(boundedCopy(value))).toContain('deepest');
    expect(JSON.stringify(boundedCopy({ in: value }))).toContain('{"in":"[truncated]"}');
  });

  test('marks cycles, and shows other repeated objects again', () => {
    const shared = { a: 1 };
    const value: Record<string, unknown> = { first: shared, second: shared };
    value['self'] = value;
    value['below'] = { up: value };
    expect(boundedCopy(value)).toStrictEqual({
      first: shared,
      second: shared,
      self: '[circular]',
      below: { up: '[circular]' },
    });
  });

  test('is within about 49,000 characters, with the objects near the root first', () => {
    const wide = Object.fromEntries(list(100).map((n) => [`k${n}`, { text: 'x'.repeat(2000) }]));
    const copy = boundedCopy({ deep: { wide }, near: 'shown' }) as { near: string; deep: { wide: object } };
    expect(copy.near).toBe('shown');
    const length = JSON.stringify(copy).length;
    expect(length).toBeGreaterThan(40_000);
    expect(length).toBeLessThan(56_000);
    expect(Object.values(copy.deep.wide).at(-1)).toEqual({ '…': 'truncated' });
    const escaped = JSON.stringify(boundedCopy({ a: list(50).map(() => '\u0000'.repeat(8000)) }));
    expect(escaped.length).toBeLessThan(56_000);
  });

  test('calls toJSON with the key, and unwraps boxed values', () => {
    const value = { at: new Date(0), own: { toJSON: (key: string) => ({ of: key }) } };
    expect(inJson(value)).toEqual({ at: '1970-01-01T00:00:00.000Z', own: { of: 'own' } });
    const boxed = [Object(1), Object('x'), Object(true)];
    expect(boundedCopy(boxed)).toStrictEqual([1, 'x', true]);
    expect(boundedCopy({ toJSON: 5, a: 1 })).toStrictEqual({ toJSON: 5, a: 1 });
    expect(inJson({ token: { toJSON: () => 'needle' } })).toEqual({ token: '[redacted]' });
  });

  test('shows bytes in short', () => {
    const { bytes } = boundedCopy({ bytes: new Uint8Array(100) }) as { bytes: string };
    expect(bytes).toMatch(/^Uint8Array\(100\) \[[\s\S]*68 more items/);
  });

  test('marks what cannot be read, and shows the rest', () => {
    expect(boundedCopy(throwing('broken'))).toStrictEqual({ shown: 1, broken: '[unreadable]' });
    expect(boundedCopy({ hostile, a: 1 })).toStrictEqual({ hostile: '[unreadable]', a: 1 });
    const broken = { toJSON: () => Promise.reject.call(undefined) };
    expect(boundedCopy({ broken, a: 1 })).toStrictEqual({ broken: '[unreadable]', a: 1 });
  });

  test('has a property named __proto__ as a property', () => {
    const copy = boundedCopy(JSON.parse('{"__proto__":{"a":1}}')) as object;
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test.each([
    [{ name: 'password', value: 'needle' }],
    [{ Name: 'token', Value: 'needle' }],
    [{ key: 'apiKey', value: 'needle' }],
    [{ value: 'needle', Key: 'secret' }],
    [{ headers: [{ name: 'Authorization', value: 'needle' }] }],
    [{ credentials: { deep: [{ value: 'needle' }] } }],
    [new Map([['password', 'needle']])],
  ])('hides the value of a pair whose name is a secret: %#', (value) => {
    const text = inspect(boundedCopy(value), { depth: 9 });
    expect(text).not.toContain('needle');
    expect(text).toContain('[redacted]');
  });

  test.each([
    [{ name: 'city', value: 'shown' }],
    [{ name: 5, value: 'shown' }],
    [{ rename: 'password', value: 'shown' }],
    [{ value: 'shown' }],
    [{ name: 'password', other: 'shown' }],
  ])('shows the value of another pair: %j', (value) => {
    expect(boundedCopy(value)).toStrictEqual(value);
  });
});

describe('an error for JSON', () => {
  type Shown = Record<string, unknown> & { cause?: Shown; errors?: Shown[] };
  const show = (error: unknown) => boundedCopy(error) as Shown;

  test('has its name, message, stack, cause and own fields', () => {
    const error = Object.assign(new TypeError('no', { cause: new Error('why') }), {
      code: 'E_NO',
      name: 'Own',
    });
    expect(Object.keys(show(error))).toEqual(['name', 'location', 'message', 'stack', 'cause', 'code']);
    expect(show(error)).toMatchObject({
      name: 'Own',
      location: '',
      message: 'no',
      stack: error.stack,
      cause: { name: 'Error', message: 'why' },
      code: 'E_NO',
    });
  });

  test('has the first ten errors of an AggregateError', () => {
    const errors = list(12).map((n) => Object.assign(new Error(`no ${n}`), { stack: `Error: no ${n}` }));
    const shown = show(new AggregateError(errors, 'all'));
    expect(shown.errors).toHaveLength(11);
    expect(shown.errors?.[9]).toMatchObject({ message: 'no 9' });
    expect(shown.errors?.[10]).toBe('… 2 more errors');
    expect(show(new AggregateError(errors.slice(0, 10))).errors).toHaveLength(10);
    expect(show(Object.assign(new Error('x'), { errors: [1] })).errors).toEqual([1]);
  });

  test('is shown in full once, and in short afterwards', () => {
    const error = new Error('token=needle');
    const { first, second } = boundedCopy({ first: error, second: error }) as { first: Shown; second: Shown };
    expect(first['stack']).toEqual(expect.any(String));
    expect(second).toStrictEqual({ name: 'Error', message: 'token=[redacted]' });
    const cyclic = new Error('cyclic');
    cyclic.cause = cyclic;
    expect(show(cyclic).cause).toStrictEqual({ name: 'Error', message: 'cyclic' });
  });

  test('has its stack as lines with POWERTOOLS_DEV', () => {
    for (const [value, isList] of [
      ['true', true],
      ['ON', true],
      ['1', true],
      ['yes', true],
      ['no', false],
      ['xtrue', false],
      ['truex', false],
    ] as const) {
      process.env.POWERTOOLS_DEV = value;
      expect(Array.isArray(show(new Error('no'))['stack'])).toBe(isList);
    }
  });

  test('without a stack or with one that is not a text has none', () => {
    expect(show(Object.assign(new Error('no'), { stack: undefined }))['stack']).toBeUndefined();
    expect(show(Object.assign(new Error('no'), { stack: 5 }))['stack']).toBeUndefined();
    const broken = Object.defineProperty(new Error('no'), 'message', {
      get() {
        throw new Error('x');
      },
    });
    expect(show(broken)['message']).toBe('[unreadable]');
  });
});

describe('a copy for text', () => {
  class Point {
    x = 1;
    #hidden = 2;
    get hidden() {
      return this.#hidden;
    }
  }
  const symbol = Symbol('s');
  const sparse = [1, undefined, 3];
  delete sparse[1];
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  test.each<[string, unknown]>([
    ['an instance', new Point()],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    [
      'a getter',
      {
        get a() {
          return 1;
        },
      },
    ],
    [
      'an accessor',
      {
        get a() {
          return 1;
        },
        set a(_) {},
      },
    ],
    ['a symbol', { [symbol]: 1, a: 2 }],
    ['a hidden property', Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false })],
    ['a list with a hole', sparse],
    ['a match', /b/.exec('abc')],
    ['a map and a set', [new Map<unknown, unknown>([[{ a: 1 }, new Set([1])]]), new Set([{ a: 1 }])]],
    ['headers', new Headers({ accept: '*/*' })],
    ['a cycle', cyclic],
    ['a function with a field', Object.assign(function named() {}, { a: 1 })],
    ['a function', function named() {}],
    ['a class', Point],
    ['a date', new Date(0)],
    ['a regular expression', /a/g],
    ['a promise', Promise.resolve(1)],
    ['boxed values', [Object(1), Object('x')]],
    ['bytes', new ArrayBuffer(2)],
    ['weak collections', [new WeakMap(), new WeakSet()]],
    ['iterators', [[1][Symbol.iterator](), new Map().keys(), new Set().values()]],
    ['an object that formats itself', { [inspect.custom]: () => 'custom' }],
    ['primitives', [1, 'x', null, undefined, true, 2n, symbol, -0]],
  ])('looks as it does without the copy: %s', (_, value) => {
    expect(inText(value)).toBe(inspect(value, { depth: 8 }));
  });

  test('looks as it does without the copy: errors', () => {
    const errors = [
      new TypeError('no', { cause: new Error('why') }),
      Object.assign(new Error('no'), { code: 'E_NO' }),
      new AggregateError([new Error('a')], 'all'),
    ];
    for (const error of errors) expect(inText(error)).toBe(inspect(error, { depth: 8 }));
  });

  test('counts the items, keys and entries that are not shown', () => {
    expect(inText(list(200))).toContain('100 more items');
    expect(inText(list(20_000))).toMatch(/99|more/);
    expect(inText(new Map(list(200).map((n) => [n, n])))).toContain('101 more');
    expect(inText(keyed(200))).toContain('100 more');
    expect(inText(new Set(list(200)))).toContain('101 more');
  });

  test('hides secrets in any of them', () => {
    const value = [
      new Headers({ authorization: 'Bearer needle-needle', cookie: 'needle' }),
      new Map([['password', 'needle']]),
      Object.assign(new Error('token=needle'), { password: 'needle' }),
      Object.assign(() => 1, { token: 'needle' }),
    ];
    expect(inText(value)).not.toContain('needle');
  });
});
