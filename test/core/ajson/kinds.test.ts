import { describe, expect, test } from '@jest/globals';
import Big from 'big.js';
import BigNumber from 'bignumber.js';
import { Decimal as DecimalJs } from 'decimal.js';
import { DateTime } from 'luxon';
import {
  AlgObject,
  ajson,
  createAjson,
  Datetime,
  Decimal,
  FrozenSet,
  markRaw,
  Tuple,
  tuple,
} from '../../../core/ajson/index.ts';
import { withWords } from '../../../core/ajson/parseExact.ts';

class Pair extends AlgObject {
  readonly a: unknown;
  constructor(a: unknown) {
    super();
    this.a = a;
  }
  static parseJson({ a }: { a: unknown }): Pair {
    return new Pair(a);
  }
}

const through = (value: unknown): unknown => ajson.loads(ajson.dumps(value));

describe('round-trips', () => {
  test.each([
    ['undefined', undefined],
    ['undefined in a list', [undefined, 1]],
    ['a Map with a Map as key', new Map<unknown, unknown>([[new Map([[1, 2]]), undefined]])],
    ['bytes', Uint8Array.of(0, 127, 128, 255)],
    ['a URL', new URL('https://example.com/a?b#c')],
    ['a date', new Date(-62135596800000)],
    ['the last date', new Date(253402300799999)],
    ['a frozenset', new FrozenSet([tuple(1, 'a'), new FrozenSet([2n ** 64n])])],
    ['a tuple in a set', new Set([tuple(1, tuple())])],
    ['a large float', [1e16, 1.5e300, 123456789012345680000, -1e21]],
    ['an empty everything', [{}, [], new Set(), new Map(), tuple(), '']],
  ])('%s', (_, value) => {
    expect(through(value)).toStrictEqual(value);
  });

  test('negative zero, as Python reads it', () => {
    expect(ajson.dumps([-0, 0])).toBe('[-0.0,0]');
    expect(through([-0, 0])).toStrictEqual([-0, 0]);
  });

  test('microseconds', () => {
    const date = new Datetime(-1, 1);
    expect(ajson.dumps(date)).toContain('-0.000999');
    expect(through(date)).toEqual(date);
    expect((through(date) as Datetime).microseconds).toBe(1);
    expect(() => ajson.dumps(new Datetime(253402300799999, 1))).toThrow('microseconds');
    expect(() => ajson.dumps([new Date(Number.NaN)])).toThrow('$[0]');
    expect(() => new Datetime(0, 1000)).toThrow(RangeError);
  });

  test('exactly the years 1 to 9999', () => {
    const at = (timestamp: string) =>
      ajson.loads<Date>(`{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":${timestamp}}}`);
    expect(() => at('-62135596800.0004')).toThrow('years 1 to 9999');
    expect(() => at('253402300800')).toThrow('years 1 to 9999');
    expect(at('253402300799.9998').toISOString()).toMatch(/^9999-12-31T23:59:59\.999/);
    expect(at('-62135596800').toISOString()).toBe('0001-01-01T00:00:00.000Z');
  });

  test('an error, except its stack', () => {
    const error = Object.assign(new TypeError('no', { cause: new Set([1]) }), { code: 'E1' });
    const back = through(error) as TypeError & { code: string };
    expect(back).toBeInstanceOf(TypeError);
    expect({ ...back, message: back.message, cause: back.cause }).toEqual({
      code: 'E1',
      message: 'no',
      cause: new Set([1]),
    });
  });

  test('writes an array in a set as a tuple and a set as a frozenset, since Python hashes members', () => {
    expect(ajson.dumps(new Set([[1]]))).toBe(
      '{"_alg_class":"set","value":[{"_alg_class":"tuple","value":[1]}]}',
    );
    const nested = '{"_alg_class":"tuple","value":[1,{"_alg_class":"tuple","value":[2]}]}';
    for (const list of [[1, [2]], tuple(1, [2]), [1, tuple(2)]])
      expect(ajson.dumps(new Set([list]))).toBe(`{"_alg_class":"set","value":[${nested}]}`);
    const frozen = '{"_alg_class":"frozenset","value":[1]}';
    for (const set of [new Set([1]), new FrozenSet([1])]) {
      expect(ajson.dumps(new Set([set]))).toBe(`{"_alg_class":"set","value":[${frozen}]}`);
      expect(ajson.dumps(new FrozenSet([[set]]))).toBe(
        `{"_alg_class":"frozenset","value":[{"_alg_class":"tuple","value":[${frozen}]}]}`,
      );
    }
    const raw = markRaw([{ _alg_class: 'set', value: [] }]);
    expect(ajson.dumps(new Set([raw]))).toBe(
      '{"_alg_class":"set","value":[[{"_alg_class":"set","value":[]}]]}',
    );
    expect(ajson.dumps([new Set([[1]]), [1], new Set([2])])).toBe(
      '[{"_alg_class":"set","value":[{"_alg_class":"tuple","value":[1]}]},[1],{"_alg_class":"set","value":[2]}]',
    );
  });

  test.each<[unknown, string]>([
    [new Set([{ a: 1 }]), '$[0]'],
    [{ s: new FrozenSet([1, [new Map()]]) }, '$.s[1][0]'],
    [new Set([new URL('https://a.example/')]), '$[0]'],
    [new Set([undefined]), '$[0]'],
    [new Set([Uint8Array.of(1)]), '$[0]'],
    [new Set([new Error('x')]), '$[0]'],
  ])('refuses a member that Python cannot hash: %p', (value, path) => {
    expect(() => ajson.dumps(value)).toThrow(
      expect.objectContaining({ kind: 'value', path, message: expect.stringContaining('hash') }),
    );
  });

  test('makes the fields of an object in a set hashable, and leaves others unchanged', () => {
    const custom = createAjson({ classes: [{ class: Pair, module: 'm', name: 'Pair' }] });
    const pair = (json: string) => `{"_alg_class":"Pair","_alg_module":"m","value":${json}}`;
    const text = `[${pair('{"a":[1]}')},{"_alg_class":"set","value":[${pair('{"a":{"_alg_class":"tuple","value":[1]}}')}]}]`;
    expect(custom.dumps([new Pair([1]), new Set([new Pair([1])])])).toBe(text);
    expect(() => custom.dumps(new Set([new Pair({ b: 1 })]))).toThrow('$[0].a: a plain object in a set');
  });

  test('does not turn a subclass of Array in a set into a tuple', () => {
    class Points extends Array<number> {}
    expect(() => ajson.dumps({ s: new Set([Points.from([1])]) })).toThrow('$.s[0]: Points cannot be written');
    const custom = createAjson({
      classes: [
        {
          class: Points,
          name: 'Points',
          module: 'm',
          toJson: (points) => ({ items: [...(points as Points)] }),
          parseJson: ({ items }: { items: number[] }) => Points.from(items),
        },
      ],
    });
    const list = [Points.from([1, 2])];
    expect(custom.loads(custom.dumps(list))).toEqual(list);
    const event = { points: Object.assign(Points.from([1]), { at: { _alg_class: 'set', value: [] } }) };
    expect(custom.rebuildEvent<typeof event>(event).points).toBe(event.points);
  });

  test('writes the tags of this package without a module', () => {
    expect(ajson.dumps(new Map([[1, 2]]))).toBe('{"_alg_class":"Map","value":[[1,2]]}');
    expect(ajson.dumps([undefined, { a: undefined }])).toBe('[{"_alg_class":"undefined","value":null},{}]');
  });

  test('writes bytes of any length as base64', () => {
    for (const length of [6143, 6144, 6145, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
      const { value } = JSON.parse(ajson.dumps(bytes));
      expect(value).toBe(Buffer.from(bytes).toString('base64'));
      expect(ajson.loads(ajson.dumps(bytes))).toEqual(bytes);
    }
  });

  test('writes NaN and the infinities only with the option', () => {
    const value = [Number.NaN, { a: Number.POSITIVE_INFINITY, '0e1': '0e1,"0e2' }, Number.NEGATIVE_INFINITY];
    expect(() => ajson.dumps(value)).toThrow('$[0]');
    const text = ajson.dumps(value, { nan: true });
    expect(text).toBe('[NaN,{"a":Infinity,"0e1":"0e1,\\"0e2"},-Infinity]');
    expect(ajson.loads(text)).toEqual(value);
    expect(createAjson({ nan: true }).dumps(value)).toBe(text);
  });

  test('writes NaN beside undefined fields and strings that look like its placeholder', () => {
    expect(ajson.dumps({ a: undefined, b: Number.NaN }, { nan: true })).toBe('{"b":NaN}');
    expect(ajson.dumps({ a: undefined, b: '1.7e+308', c: [-0, 2n ** 64n] })).toBe(
      '{"b":"1.7e+308","c":[-0.0,18446744073709551616]}',
    );
    expect(ajson.dumps([1.7e308, '1.7e+308', 10n])).toBe('[1.7e+308,"1.7e+308",10]');
  });

  test('passes on NaN that came from the wire, and only there', () => {
    const text = '{"a":NaN,"b":[-Infinity,{"_alg_class":"tuple","value":[NaN]}]}';
    for (const value of [ajson.loads(text), ajson.rebuildEvent(ajson.raw(text))])
      expect(ajson.dumps({ task_kwargs: value })).toBe(`{"task_kwargs":${text}}`);
    expect(ajson.dumps(ajson.raw(text), { tags: 'keep' })).toBe(text);
    expect(() => ajson.dumps([ajson.loads(text), Number.NaN])).toThrow('$[1]: NaN');
    expect(ajson.dumps(withWords(ajson.raw('[NaN]'), [Number.NaN]))).toBe('[NaN]');
    expect(() => ajson.dumps(withWords(ajson.raw('[1]'), [Number.NaN]))).toThrow('$[0]: NaN');
  });

  test('writes NaN beside strings of any length', () => {
    const long = '"\\'.repeat(10_000_000);
    const text = ajson.dumps([long, Number.NaN], { nan: true });
    expect(text.length).toBe('["",NaN]'.length + 2 * long.length);
    expect(text.endsWith('\\\\",NaN]')).toBe(true);
  });
});

test('a tuple is a frozen array whose copies are plain arrays', () => {
  const pair = tuple(1, 'a');
  expect(pair).toBeInstanceOf(Tuple);
  expect(Object.isFrozen(pair)).toBe(true);
  expect(pair.map((item) => item)).toStrictEqual([1, 'a']);
  for (const copy of [pair.map(String), pair.filter(Boolean), pair.slice()])
    expect(copy).not.toBeInstanceOf(Tuple);
  expect([...tuple(3)]).toEqual([3]);
});

test('a frozenset is immutable', () => {
  const set = new FrozenSet([1]);
  for (const change of [() => set.add(), () => set.delete(), () => set.clear()])
    expect(change).toThrow(TypeError);
  expect([...set]).toEqual([1]);
});

test('a decimal keeps its digits and compares by value', () => {
  expect(String(new Decimal('1.10'))).toBe('1.10');
  expect(JSON.stringify(new Decimal('1E+1000'))).toBe('"1E+1000"');
  for (const [a, b] of [
    ['1.10', '1.1'],
    ['0', '-0.00'],
    ['1E+3', '1000'],
    ['.5', '5e-1'],
    ['Infinity', '+inf'],
  ]) {
    expect(new Decimal(a as string).equals(new Decimal(b as string))).toBe(true);
  }
  for (const [a, b] of [
    ['1', '-1'],
    ['1', '10'],
    ['NaN', 'NaN'],
    ['inf', '-inf'],
  ]) {
    expect(new Decimal(a as string).equals(new Decimal(b as string))).toBe(false);
  }
  for (const digits of ['', '.', 'e1', '1e', '1 ', '0x1', '--1', '1_0', '١']) {
    expect(() => new Decimal(digits)).toThrow(`${JSON.stringify(digits)} is not a decimal`);
    expect(() => ajson.loads(`[{"_alg_class":"decimal","value":${JSON.stringify(digits)}}]`)).toThrow(
      `$[0]: ${JSON.stringify(digits)} is not a decimal`,
    );
  }
});

describe('custom kinds', () => {
  test.each([
    ['decimal.js', DecimalJs],
    ['big.js', Big],
    ['bignumber.js', BigNumber],
  ])('decimals of %s', (_, decimal) => {
    const custom = createAjson({ decimal });
    const value = new decimal('-0');
    const text = '[{"_alg_class":"decimal","value":"-0"},{"_alg_class":"decimal","value":"0.1"}]';
    expect(custom.dumps([value, new decimal('0.10')])).toBe(text);
    expect(custom.loads<unknown[]>(text)[1]).toEqual(new decimal('0.1'));
    expect(custom.loads<unknown[]>(text)[1]).toBeInstanceOf(decimal);
    expect(custom.dumps(custom.loads(text))).toBe(text);
    expect(custom.dumps(new Decimal('1.10'))).toContain('1.10');
    expect(() => custom.loads('[{"_alg_class":"decimal","value":"1x"}]')).toThrow('$[0]');
  });

  test('decimals of big.js in its strict mode, where valueOf throws', () => {
    const Strict = Big();
    Strict.strict = true;
    const own = createAjson({ decimal: Strict });
    const text =
      '[{"_alg_class":"decimal","value":"0.1"},{"_alg_class":"decimal","value":"-12345678901234567890.5"}]';
    const value = [new Strict('0.10'), new Strict('-12345678901234567890.5')];
    expect(() => Number(value[0])).toThrow('[big.js]');
    expect(own.dumps(value)).toBe(text);
    const back = own.loads<InstanceType<typeof Strict>[]>(text);
    expect(back).toEqual(value);
    expect(back[0]?.plus('0.2').toString()).toBe('0.3');
    expect(own.dumps(back)).toBe(text);
  });

  test('datetimes of luxon', () => {
    const custom = createAjson({
      datetime: {
        is: (value) => value instanceof DateTime,
        toJson: (value: DateTime) => value.toJSDate(),
        parseJson: (datetime) => DateTime.fromJSDate(datetime, { zone: 'utc' }),
      },
    });
    const value = DateTime.fromISO('2020-01-02T03:04:05.123Z', { zone: 'utc' });
    expect(custom.dumps(value)).toContain('1577934245.123');
    expect(custom.loads<DateTime>(custom.dumps(value)).equals(value)).toBe(true);
  });

  test('take a pair of functions', () => {
    const custom = createAjson({
      custom: {
        regexp: {
          is: (value) => value instanceof RegExp,
          toJson: ({ source, flags }: RegExp) => tuple(source, flags),
          parseJson: ([source, flags]: [string, string]) => new RegExp(source, flags),
        },
      },
    });
    expect(custom.loads(custom.dumps({ a: /x"/g }))).toEqual({ a: /x"/g });
    expect(() => custom.loads('{"_alg_class":"regexp","value":["(",""]}')).toThrow(
      'Invalid regular expression',
    );
    for (const name of ['set', 'datetime', 'Map', 'undefined']) {
      expect(() =>
        createAjson({ custom: { [name]: { is: () => false, toJson: Number, parseJson: Number } } }),
      ).toThrow(`kind ${name} has a name of the format itself`);
    }
  });

  test('take precedence over built-in kinds, but not over registered classes', () => {
    const bytes = {
      is: (value: unknown) => value instanceof Uint8Array,
      toJson: (value: Uint8Array) => [...value],
      parseJson: (list: number[]) => Uint8Array.from(list),
    };
    class Hash extends Uint8Array {}
    const custom = createAjson({
      custom: { bytes },
      classes: [
        {
          class: Hash,
          name: 'Hash',
          module: 'm',
          toJson: (hash) => ({ size: (hash as Hash).length }),
          parseJson: () => new Hash(1),
        },
      ],
    });
    expect(custom.dumps([Uint8Array.of(1), Buffer.of(2), new Hash(1)])).toBe(
      '[{"_alg_class":"bytes","value":[1]},{"_alg_class":"bytes","value":[2]},{"_alg_class":"Hash","_alg_module":"m","value":{"size":1}}]',
    );
    expect(custom.loads(custom.dumps(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2));
  });
});

test('refuses datetimes of other zones, or reads them with the option', () => {
  const text = (tz: string) => `{"_alg_class":"datetime","value":{"tz":${tz},"timestamp":1.5}}`;
  const any = createAjson({ zones: 'any' });
  for (const tz of ['"US/Pacific"', 'null']) {
    expect(() => ajson.loads(text(tz))).toThrow(tz.replaceAll('"', ''));
    expect(any.loads(text(tz))).toEqual(new Date(1500));
  }
  expect(() => any.loads(text('7'))).toThrow('zone');
  expect(any.dumps(any.loads(text('null')))).toBe(text('"UTC"'));
});

test('custom kinds see primitives too', () => {
  const is = (value: unknown) => typeof value === 'bigint' || value === 'secret' || value === undefined;
  const custom = createAjson({
    custom: {
      own: { is, toJson: (value: unknown) => String(value), parseJson: (text: string) => `own ${text}` },
    },
  });
  expect(custom.loads(custom.dumps({ a: 1n, b: ['secret', 'x'], c: undefined }))).toEqual({
    a: 'own 1',
    b: ['own secret', 'x'],
    c: 'own undefined',
  });
});

test('the fields of a tag in a set are not in the set themselves', () => {
  const order = '{"_alg_class":"Order","_alg_module":"m","value":{"items":[{"a":[1]}]}}';
  const text = `{"_alg_class":"set","value":[${order}]}`;
  expect(ajson.dumps(ajson.loads(text, { unknown: 'keep' }))).toBe(text);
  expect(ajson.dumps(new Set([ajson.raw(order)]), { tags: 'keep' })).toBe(text);
});

describe('an error', () => {
  test('keeps its name, and a message that is not a string stays readable', () => {
    const named = Object.defineProperty(new Error('late'), 'name', { value: 'TimeoutError' });
    const odd = Object.assign(new Error('x'), { message: { code: 7 } });
    expect(String(through(named))).toBe('TimeoutError: late');
    expect((through(odd) as Error).message).toBe('{"code":7}');
  });

  test('omits a field that cannot be written, and keeps the digits of the others', () => {
    const error = Object.assign(new Error('x'), { a: 2n ** 64n, socket: [2n ** 65n, () => 1], b: 2n ** 66n });
    expect({ ...(through([error, -0]) as [Error])[0] }).toEqual({ a: 2n ** 64n, b: 2n ** 66n });
  });

  test('is written with each of its members once, and without those that are undefined', () => {
    const failed = Object.assign(new Error('x', { cause: undefined }), { code: 'E1' });
    expect(ajson.dumps(failed)).toBe(
      '{"_alg_class":"Error","value":{"name":"Error","fields":{"code":"E1"},"message":"x"}}',
    );
  });

  test('read from a tag has a string name and message, and no stack or method from it', () => {
    const read = (json: string) =>
      ajson.loads<Error>(`{"_alg_class":"Error","value":{"name":"Error",${json}}}`);
    const error = read('"message":"m","fields":{"stack":"lie","toString":1,"constructor":2,"ok":3}');
    expect([String(error), Object.keys(error), error.stack?.includes('lie')]).toEqual([
      'Error: m',
      ['ok'],
      false,
    ]);
    for (const json of ['"message":1', '"fields":{"message":{}}', '"fields":{"name":1}', '"ownName":[]'])
      expect(() => read(json)).toThrow(expect.objectContaining({ kind: 'tag' }));
  });
});

describe('refuses, with the path,', () => {
  class Foo {}
  const cycle: unknown[] = [];
  cycle.push({ cycle });
  const sparse: unknown[] = [];
  sparse[2] = 1;
  test.each<[string, unknown, string, string]>([
    ['a function', { a: [1, () => 1] }, '$.a[1]', 'function'],
    ['a symbol', { a: { 'b c': Symbol('x') } }, '$.a["b c"]', 'symbol'],
    ['a promise', [new Map([[1, Promise.resolve()]])], '$[0][0][1]', 'await'],
    ['an instance', { items: new Set([new Foo()]) }, '$.items[0]', 'Foo'],
    ['a cycle', { cycle }, `$.cycle${'[0].cycle'.repeat(255)}[0]`, 'cycle'],
    ['a hole', sparse, '$[0]', 'hole'],
    ['a boxed number', [Object(1)], '$[0]', 'Number'],
    ['a plain object that looks like a tag', [{ value: 1, _alg_class: 'set' }], '$[0]', '_alg_class'],
    [
      'a getter that throws',
      {
        a: {
          get b() {
            throw new Error('gone');
          },
        },
      },
      '$.a.b',
      'gone',
    ],
    ['an invalid Date', [new Date(Number.NaN)], '$[0]', 'invalid Date'],
    ['an object with a prototype', { env: Object.create({ a: 1 }) }, '$.env', '{ ...value }'],
    ['floats', [new Float64Array(1)], '$[0]', 'Float64Array cannot be written: send a list'],
    ['a key with control characters', { 'a\u202e\u0007': Symbol('x') }, '$["a\\u202e\\u0007"]', 'symbol'],
    ['a key with an invisible tag', { 'a\u{e0001}': Symbol('x') }, '$["a\\udb40\\udc01"]', 'symbol'],
    ['a subclass of a built-in', [new (class Bag extends Set {})()], '$[0]', 'Bag'],
  ])('%s', (_, value, path, reason) => {
    expect(() => ajson.dumps(value)).toThrow(
      expect.objectContaining({ name: 'AjsonError', path, message: expect.stringContaining(reason) }),
    );
  });

  test('a failing toJson or parseJson, with its path and cause', () => {
    class Bad extends AlgObject {
      static parseJson(): Bad {
        throw new Error('cannot');
      }
      override toJson(): Record<string, unknown> {
        throw new Error('will not');
      }
    }
    const custom = createAjson({ classes: [{ class: Bad, module: 'm' }] });
    const wanted = { kind: 'class', path: '$.a', cause: expect.any(Error) };
    expect(() => custom.dumps({ a: new Bad() })).toThrow(expect.objectContaining(wanted));
    expect(() => custom.loads('{"a":{"_alg_class":"Bad","_alg_module":"m","value":{}}}')).toThrow(
      expect.objectContaining({ ...wanted, offset: 5, line: 1, column: 6 }),
    );
  });
});
