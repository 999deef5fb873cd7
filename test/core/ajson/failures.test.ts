import { describe, expect, test } from '@jest/globals';
import {
  AjsonError,
  type AjsonErrorKind,
  AlgObject,
  ajson,
  createAjson,
  Datetime,
  Decimal,
  FrozenSet,
  fromDynamoJson,
  toDynamoJson,
  tuple,
  UnknownObject,
} from '../../../core/ajson/index.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const tagOf = (name: string, value: unknown, more: object = {}) =>
  JSON.stringify({ a: [{ _alg_class: name, value, ...more }] });
const stamp = (timestamp: unknown, tz: unknown = 'UTC') => ({ tz, timestamp });

class Plain extends AlgObject {
  static parseJson(fields: object): Plain {
    return Object.assign(new Plain(), fields);
  }
}

describe('a text that cannot be read', () => {
  test.each<[string, AjsonErrorKind, string, string]>([
    [tagOf('datetime', stamp(1, 'CET')), 'tag', '$.a[0]', 'the zone of a datetime must be UTC and is CET'],
    [tagOf('datetime', { timestamp: 1 }), 'tag', '$.a[0]', 'must be UTC and is undefined'],
    [tagOf('datetime', { tz: 'UTC' }), 'tag', '$.a[0]', 'a datetime needs a timestamp in seconds'],
    [tagOf('datetime', stamp('1')), 'tag', '$.a[0]', 'a datetime needs a timestamp in seconds'],
    [tagOf('datetime', stamp(253402300800)), 'tag', '$.a[0]', 'of the years 1 to 9999'],
    [tagOf('datetime', stamp(-62135596800.001)), 'tag', '$.a[0]', 'of the years 1 to 9999'],
    [tagOf('datetime', []), 'tag', '$.a[0]', 'the value of datetime must be an object'],
    [tagOf('decimal', 1), 'tag', '$.a[0]', 'the value of decimal must be a string'],
    [tagOf('decimal', 'x'), 'tag', '$.a[0]', '"x" is not a decimal'],
    [tagOf('set', {}), 'tag', '$.a[0]', 'the value of set must be a list'],
    [tagOf('Map', [[1]]), 'tag', '$.a[0]', 'the value of Map must be a list of pairs'],
    [tagOf('Map', [[1, 2, 3]]), 'tag', '$.a[0]', 'the value of Map must be a list of pairs'],
    [tagOf('URL', 'nowhere'), 'tag', '$.a[0]', 'Invalid URL'],
    [tagOf('Error', { name: 'Other' }), 'tag', '$.a[0]', 'the name of an Error must be a built-in one'],
    [tagOf('Error', { name: 'xError' }), 'tag', '$.a[0]', 'the name of an Error must be a built-in one'],
    [tagOf('Error', { name: 'Errorx' }), 'tag', '$.a[0]', 'the name of an Error must be a built-in one'],
    [tagOf('Error', { name: 'Error', message: 1 }), 'tag', '$.a[0]', 'a text as name and message'],
    [tagOf('Error', { name: 'Error', ownName: 1 }), 'tag', '$.a[0]', 'a text as name and message'],
    [tagOf('Error', { name: 'Error', fields: [] }), 'tag', '$.a[0]', 'an Error has an object as fields'],
    [tagOf('Error', { name: 'Error', fields: { name: 1 } }), 'tag', '$.a[0]', 'a text as name'],
    [tagOf('Error', { name: 'Error', fields: { message: 1 } }), 'tag', '$.a[0]', 'a text as name'],
    [tagOf('Error', { name: 'AggregateError', errors: {} }), 'tag', '$.a[0]', 'its errors must be a list'],
    [tagOf('Foo', 1, { _alg_module: 1 }), 'tag', '$.a[0]', '_alg_module must be a string'],
    [tagOf('Foo', 1, { _alg_module: 'm' }), 'class', '$.a[0]', 'class Foo of module m is not registered'],
    ['{"a":[{"_alg_class":"set"}]}', 'tag', '$.a[0]', 'a tag has a name and a value'],
    ['{"a":[{"_alg_class":1,"value":1}]}', 'tag', '$.a[0]', 'a tag has a name and a value'],
    ['{"a":[1,]}', 'syntax', '$.a[1]', 'unexpected'],
    ['{"a":[01]}', 'syntax', '$.a', 'unexpected'],
    ['{"a" 1}', 'syntax', '$', 'unexpected "1"'],
    ['{"a":["\\x"]}', 'syntax', '$.a[0]', 'a wrong escape in a string'],
    ['{"a":[1e999]}', 'digits', '$.a[0]', 'beyond the largest number'],
    [`{"a":[${'1'.repeat(4301)}]}`, 'digits', '$.a[0]', '4301 digits: more than maxDigits'],
  ])('%.80s: %s at %s', (text, kind, path, message) => {
    expect(thrownBy(() => ajson.loads(text))).toMatchObject({
      kind,
      path,
      code: kind === 'class' ? 'UNKNOWN_CLASS' : `AJSON_${kind.toUpperCase()}`,
      message: expect.stringContaining(message),
    });
  });

  test('has the line and the column of the fault', () => {
    const error = thrownBy(() => ajson.loads('{\n "a": [1,\n  x]}')) as AjsonError;
    expect([error.offset, error.line, error.column]).toEqual([14, 3, 3]);
    expect(error.message).toMatch(/ \(line 3, column 3\)$/);
    const first = thrownBy(() => ajson.loads('x')) as AjsonError;
    expect([first.offset, first.line, first.column, first.path]).toEqual([0, 1, 1, '$']);
    const none = new AjsonError('value', 'm');
    expect([none.offset, none.line, none.column, none.path, none.message]).toEqual([
      undefined,
      undefined,
      undefined,
      '$',
      'm',
    ]);
    expect(new AjsonError('value', 'm', { path: '$.a', offset: 3 })).toMatchObject({
      message: '$.a: m',
      line: undefined,
      offset: 3,
    });
    expect(new AjsonError('value', 'm', { text: 'abc' }).line).toBeUndefined();
  });

  test('has its path and its names shortened to 200 characters', () => {
    const path = (length: number) => new AjsonError('value', 'm', { path: 'a'.repeat(length) }).message;
    expect(path(200)).toBe(`${'a'.repeat(200)}: m`);
    expect(path(201)).toBe(`${'a'.repeat(100)}…${'a'.repeat(99)}: m`);
    const unknown = thrownBy(() => ajson.loads('{"_alg_class":"a b","_alg_module":"m.n$","value":1}'));
    expect((unknown as Error).message).toContain('class "a b" of module m.n$ is not registered');
  });

  test('must be a text', () => {
    expect(thrownBy(() => ajson.loads(1 as never))).toMatchObject({
      kind: 'syntax',
      message: 'the text must be a string and is number',
    });
  });
});

describe('a value that cannot be written', () => {
  const holes = Object.assign([1], { length: 3 });
  test.each<[string, unknown, AjsonErrorKind, string, string]>([
    ['a function', { a: [() => 1] }, 'value', '$.a[0]', 'function cannot be written: leave it out'],
    ['a symbol', [Symbol('a')], 'value', '$[0]', 'symbol cannot be written: leave it out'],
    ['a promise', { a: Promise.resolve() }, 'value', '$.a', 'Promise cannot be written: await it first'],
    ['a buffer', [new ArrayBuffer(1)], 'value', '$[0]', 'send a list or a Uint8Array'],
    ['floats', [new Float64Array(1)], 'value', '$[0]', 'send a list or a Uint8Array'],
    ['a prototype', [Object.create({ a: 1 })], 'value', '$[0]', 'copy its members with { ...value }'],
    ['an instance', [new Plain()], 'value', '$[0]', 'Plain cannot be written: ajson.register its class'],
    ['a WeakMap', [new WeakMap()], 'value', '$[0]', 'WeakMap cannot be written: ajson.register its class'],
    ['NaN', [Number.NaN], 'value', '$[0]', 'NaN is not JSON: { nan: true } writes it'],
    ['a hole', { a: holes }, 'value', '$.a[1]', ''],
    ['an invalid Date', [new Date(Number.NaN)], 'value', '$[0]', 'an invalid Date'],
    ['the year 10000', [new Date(253402300800000)], 'value', '$[0]', 'of the years 1 to 9999'],
    ['the year 0', [new Date(-62135596800001)], 'value', '$[0]', 'of the years 1 to 9999'],
    ['far microseconds', [new Datetime(253402300799999, 1)], 'value', '$[0]', 'do not fit a float'],
    ['a tag', [{ _alg_class: 'set' }], 'value', '$[0]', "{ tags: 'keep' } allows it"],
    ['an unhashable member', new Set([new Map()]), 'value', '$[0]', 'in a set: Python cannot hash it'],
    ['an object in a set', new Set([{}]), 'value', '$[0]', 'in a set: Python cannot hash it'],
    ['too many digits', [10n ** 4300n], 'digits', '$[0]', '4301 digits: more than maxDigits'],
    ['a cause', new Error('a', { cause: () => 1 }), 'value', '$.cause', 'function cannot be written'],
  ])('%s', (_, value, kind, path, message) => {
    const error = thrownBy(() => ajson.dumps(value));
    expect(error).toMatchObject({
      kind,
      code: `AJSON_${kind.toUpperCase()}`,
      message: expect.stringContaining(message),
    });
    expect((error as AjsonError).path).toBe(path);
  });

  test('is a cycle or too deep', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(thrownBy(() => ajson.dumps(cycle))).toMatchObject({
      kind: 'depth',
      message: expect.stringContaining('deeper than 512 levels, or a cycle'),
    });
  });

  test('is written up to the limits', () => {
    expect(ajson.dumps([10n ** 4299n, -(10n ** 4299n)])).toHaveLength(2 * 4300 + 4);
    expect(ajson.dumps([new Date(253402300799999), new Date(-62135596800000)])).toContain('253402300799.999');
  });
});

describe('a class of the user', () => {
  class Point {
    readonly x: unknown;
    constructor(x: unknown) {
      this.x = x;
    }
  }
  const opened = (
    toJson: (value: Point) => unknown,
    parseJson: (fields: never) => unknown = () => new Point(1),
  ) => {
    const made = createAjson();
    made.register(Point, { name: 'Point', module: 'm', toJson, parseJson } as never);
    return made;
  };
  const text = '[{"_alg_class":"Point","_alg_module":"m","value":{"x":1}}]';

  test.each<[string, unknown, string]>([
    ['a promise', Promise.resolve(), 'gave a promise'],
    ['nothing', undefined, 'gave nothing'],
    ['another class', {}, 'gave another class'],
  ])('whose parseJson gives %s is an error', (_, made, message) => {
    const error = thrownBy(() =>
      opened(
        (point) => ({ x: point.x }),
        () => made,
      ).loads(text),
    );
    expect(error).toMatchObject({
      kind: 'class',
      path: '$[0]',
      message: expect.stringContaining(`parseJson of Point ${message}: it must return an instance`),
    });
  });

  test('whose toJson gives something else than fields, a list or a text is an error', () => {
    for (const json of [1, null, undefined, new Point(1), new Set()]) {
      expect(thrownBy(() => opened(() => json).dumps([new Point(1)]))).toMatchObject({
        kind: 'class',
        path: '$[0]',
        message: expect.stringContaining('toJson of Point must give a plain object, a list or a text'),
      });
    }
    expect(opened(() => 'a').dumps(new Point(1))).toContain('"value":"a"');
    expect(opened(() => [1]).dumps(new Point(1))).toContain('"value":[1]');
  });

  test('that throws has its error as the cause', () => {
    const cause = new TypeError('no');
    const failing = () => {
      throw cause;
    };
    expect(thrownBy(() => opened(failing).dumps([new Point(1)]))).toMatchObject({
      kind: 'class',
      path: '$[0]',
      cause,
      message: '$[0]: no',
    });
    expect(thrownBy(() => opened(() => [], failing).loads(text))).toMatchObject({ kind: 'class', cause });
    const throwing = opened(() => {
      throw 'a text';
    });
    expect(thrownBy(() => throwing.dumps(new Point(1)))).toMatchObject({
      message: '$: a text',
      cause: 'a text',
    });
  });

  test('gets an object, a list or a text', () => {
    const seen: unknown[] = [];
    const made = opened(
      () => [],
      (fields) => {
        seen.push(fields);
        return new Point(fields);
      },
    );
    for (const value of ['{"a":1}', '[1]', '"a"']) made.loads(text.replace('{"x":1}', value));
    expect(seen).toEqual([{ a: 1 }, [1], 'a']);
    for (const value of ['1', 'null', 'true']) {
      expect(thrownBy(() => made.loads(text.replace('{"x":1}', value)))).toMatchObject({
        kind: 'tag',
        message: expect.stringContaining('the value of Point must be an object, a list or a text'),
      });
    }
  });

  test.each<[string, object, string]>([
    ['without a module', { name: 'Point', module: '' }, 'class Point needs a name and a module'],
    ['without a name', { name: '', module: 'm' }, 'needs a name and a module'],
    [
      'with the name of the format',
      { name: 'tuple', module: 'm' },
      'class tuple has a name of the format itself',
    ],
    [
      'without parseJson',
      { name: 'Point', module: 'm', toJson: () => [] },
      'class Point needs a static parseJson',
    ],
    ['without toJson', { name: 'Point', module: 'm', parseJson: () => 1 }, 'class Point needs a toJson'],
  ])('is refused %s', (_, options, message) => {
    expect(thrownBy(() => createAjson().register(Point, options as never))).toMatchObject({
      kind: 'class',
      code: 'AJSON_CLASS',
      message: expect.stringContaining(message),
    });
  });

  test('that hides its fields needs a toJson', () => {
    class Hidden extends AlgObject {
      readonly #x: number;
      constructor(x: number) {
        super();
        this.#x = x;
      }
      static parseJson(): Hidden {
        return new Hidden(1);
      }
      get x(): number {
        return this.#x;
      }
    }
    class Empty extends AlgObject {
      static parseJson(): Empty {
        return new Empty();
      }
    }
    class Getter extends AlgObject {
      static parseJson(): Getter {
        return new Getter();
      }
      get x(): number {
        return 1;
      }
    }
    const made = createAjson({
      classes: [Hidden, Empty, Getter].map((type) => ({ class: type as never, module: 'm' })),
    });
    for (const value of [new Hidden(1), new Getter()]) {
      expect(thrownBy(() => made.dumps(value))).toMatchObject({
        kind: 'class',
        message: expect.stringContaining('has no fields to send: #fields need a toJson'),
      });
    }
    expect(made.dumps(new Empty())).toContain('"value":{}');
  });
});

describe('the options of an ajson', () => {
  test('limit the digits of a chosen decimal', () => {
    class Chosen {
      readonly digits: string;
      constructor(digits: string) {
        this.digits = digits;
      }
      toString(): string {
        return this.digits;
      }
    }
    const made = createAjson({ decimal: Chosen, maxDigits: 5 });
    expect(made.loads<Chosen>('{"_alg_class":"decimal","value":"12345"}')).toEqual(new Chosen('12345'));
    expect(thrownBy(() => made.loads('{"_alg_class":"decimal","value":"123456"}'))).toMatchObject({
      kind: 'digits',
      message: expect.stringContaining('6 digits: more than maxDigits'),
    });
    expect(thrownBy(() => made.loads('{"_alg_class":"decimal","value":"x"}'))).toMatchObject({ kind: 'tag' });
    expect(made.dumps(new Chosen('1.10'))).toBe('{"_alg_class":"decimal","value":"1.10"}');
    class Valued extends Chosen {
      override valueOf(): string {
        return '-0';
      }
    }
    expect(createAjson({ decimal: Valued }).dumps(new Valued('0'))).toContain('"-0"');
  });

  test('refuse a custom kind with a name of the format', () => {
    for (const name of ['set', 'Map', 'Error', 'datetime']) {
      const custom = { [name]: { is: () => false, toJson: String, parseJson: String } };
      expect(thrownBy(() => createAjson({ custom }))).toMatchObject({
        kind: 'class',
        message: `kind ${name} has a name of the format itself`,
      });
    }
  });

  test('read datetimes of any zone, and give them to a class of datetimes', () => {
    const text = (tz: unknown) => JSON.stringify({ _alg_class: 'datetime', value: stamp(1.5, tz) });
    const any = createAjson({ zones: 'any' });
    for (const zone of ['UTC', 'CET', null]) expect(any.loads(text(zone))).toEqual(new Date(1500));
    expect(thrownBy(() => any.loads(text(1)))).toMatchObject({ kind: 'tag' });
    expect(any.dumps(new Date(1500))).toBe(text('UTC'));
    const seen: unknown[] = [];
    const datetime = {
      is: (value: unknown) => value === 'now',
      toJson: () => new Date(1500),
      parseJson: (at: Datetime, zone: string | null) => seen.push([at, zone]),
    };
    const own = createAjson({ datetime, zones: 'any' });
    own.loads(text('CET'));
    own.loads(text('UTC').replace('1.5', '1.500001'));
    expect(seen).toEqual([
      [new Datetime(1500), 'CET'],
      [new Datetime(1500, 1), 'UTC'],
    ]);
    expect(thrownBy(() => createAjson({ datetime }).loads(text('CET')))).toMatchObject({ kind: 'tag' });
  });
});

describe('equals', () => {
  class Box extends AlgObject {
    readonly value: unknown;
    constructor(value: unknown) {
      super();
      this.value = value;
    }
    static parseJson({ value }: { value: unknown }): Box {
      return new Box(value);
    }
  }
  class Other extends Box {}
  const yes: [unknown, unknown][] = [
    [Number.NaN, Number.NaN],
    [0, -0],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])],
    [new Map([[{ a: 1 }, 2]]), new Map([[{ a: 1 }, 2]])],
    [new Error('a'), new Error('a')],
    [new Datetime(1, 2), new Datetime(1, 2)],
    [new URL('http://a/'), new URL('http://a')],
    [new Decimal('1.0'), new Decimal('1')],
    [new Box(1), new Box(1)],
  ];
  const no: [unknown, unknown][] = [
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    [[1], [1, 2]],
    [[1], { 0: 1 }],
    [new Set([1]), new Set([1, 2])],
    [new Set([1, 2]), new Set([1, 3])],
    [new Set([[1], [1]]), new Set([[1], [2]])],
    [new Map([[1, 2]]), new Map([[1, 3]])],
    [new Error('a'), new Error('b')],
    [new Error('a'), new TypeError('a')],
    [Object.assign(new Error('a'), { x: 1 }), Object.assign(new Error('a'), { x: 2 })],
    [new Datetime(1, 2), new Datetime(1, 3)],
    [new Date(1), new Date(2)],
    [new URL('http://a/'), new URL('http://b')],
    [null, {}],
    [{}, null],
    [1, '1'],
    [new Box(1), new Other(1)],
    [new Box(1), { value: 1 }],
  ];

  test.each(yes)('%p equals %p', (a, b) => {
    expect(new Box(a).equals(new Box(b))).toBe(true);
    expect(new Box(b).equals(new Box(a))).toBe(true);
  });

  test.each(no)('%p does not equal %p', (a, b) => {
    expect(new Box(a).equals(new Box(b))).toBe(false);
  });

  test('compares objects of one class only', () => {
    expect(new Box(1).equals(new Other(1))).toBe(false);
    for (const other of [null, undefined, 1, { value: 1 }]) expect(new Box(1).equals(other)).toBe(false);
  });
});

describe('the classes of values', () => {
  test('refuse microseconds out of range', () => {
    for (const micros of [-1, 1000, 0.5, Number.NaN]) {
      expect(() => new Datetime(0, micros)).toThrow(
        new RangeError('microseconds must be an integer from 0 to 999'),
      );
    }
    expect(new Datetime(1, 999).valueOf()).toBe(1.999);
    expect(new Datetime(1, 7).toISOString()).toBe('1970-01-01T00:00:00.001007Z');
  });

  test('cannot be changed', () => {
    const frozen = new FrozenSet([1]);
    for (const change of [() => frozen.add(), () => frozen.delete(), () => frozen.clear()]) {
      expect(change).toThrow(new TypeError('a FrozenSet cannot be changed: make a new one'));
    }
    expect([...new FrozenSet()]).toEqual([]);
    const pair = tuple(1, 2);
    expect(Object.isFrozen(pair)).toBe(true);
    for (const copy of [pair.map(String), pair.filter(Boolean), pair.slice()]) {
      expect(Object.getPrototypeOf(copy)).toBe(Array.prototype);
    }
  });

  test('show an unknown tag', () => {
    const object = new UnknownObject({ _alg_class: 'A', _alg_module: 1, value: 2 });
    expect([object.className, object.module, object.value]).toEqual(['A', undefined, 2]);
    expect(new UnknownObject(Object.create({ _alg_module: 'm' })).module).toBeUndefined();
  });
});

describe('values of DynamoDB', () => {
  test.each<[unknown, string, string]>([
    [{ a: { BOOL: 1 } }, '$.a.BOOL', 'BOOL must be true or false'],
    [{ a: { NULL: 1 } }, '$.a.NULL', 'NULL must be true'],
    [{ a: { M: 1 } }, '$.a.M', 'expected an object of tagged values'],
    [{ a: { M: [] } }, '$.a.M', 'expected an object of tagged values'],
    [{ a: { L: {} } }, '$.a.L', 'expected a list'],
    [{ a: { N: 1 } }, '$.a.N', 'expected a string'],
    [{ a: { B: '*' } }, '$.a.B', 'expected base64'],
    [{ a: { S: 'a', N: '1' } }, '$.a', 'expected an object with one of S,N,B,BOOL,NULL,L,M,SS,NS,BS'],
    [{ a: {} }, '$.a', 'expected an object with one of'],
    [{ a: [] }, '$.a', 'expected an object with one of'],
    [{ a: { NS: ['1', 'x'] } }, '$.a.NS[1]', '"x" is not a number'],
    [{ a: { N: 'x'.repeat(41) } }, '$.a.N', `"${'x'.repeat(40)}" is not a number`],
    [[], '$', 'expected an object of tagged values'],
    ['a', '$', 'expected an object of tagged values'],
  ])('%j is refused at %s', (json, path, message) => {
    expect(thrownBy(() => fromDynamoJson(json))).toMatchObject({
      kind: 'tag',
      path,
      message: expect.stringContaining(message),
    });
  });

  test('have numbers of the requested type', () => {
    const of = (N: string) => fromDynamoJson({ N }, { number: 'number' });
    expect(['9007199254740991', '9007199254740992', '-9007199254740992', '1e3', '1.0'].map(of)).toEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740992n,
      1000,
      1,
    ]);
    expect(fromDynamoJson({ N: '7' }, { number: Number })).toEqual(Object(7));
    expect(thrownBy(() => fromDynamoJson({}, { number: 'x' as never }))).toMatchObject({ kind: 'class' });
  });

  test('may be 512 levels deep', () => {
    const nested = (levels: number): unknown => (levels === 0 ? { S: 'a' } : { L: [nested(levels - 1)] });
    fromDynamoJson(nested(511));
    expect(thrownBy(() => fromDynamoJson(nested(513)))).toMatchObject({
      message: expect.stringContaining('too deep'),
    });
    const deep = (levels: number): unknown => (levels === 0 ? 'a' : [deep(levels - 1)]);
    toDynamoJson(deep(511));
    expect(thrownBy(() => toDynamoJson(deep(512)))).toMatchObject({ kind: 'depth' });
  });

  const prototyped = 'an object with a prototype is not a map of DynamoDB: send { ...value }';
  test.each<[unknown, string, string]>([
    [{ a: [Number.NaN] }, '$.a[0]', 'NaN is not a number of DynamoDB'],
    [{ a: () => 1 }, '$.a', 'DynamoDB has no function: leave it out'],
    [{ a: [undefined] }, '$.a[0]', 'DynamoDB has no undefined: send null'],
    [{ a: new Date() }, '$.a', 'DynamoDB has no Date: send a text or a number'],
    [{ a: new Map() }, '$.a', 'DynamoDB has no Map: send a text or a number, or a plain object'],
    [{ a: Object.create(Object.create(null, { x: { value: 1 } })) }, '$.a', prototyped],
    [{ a: Object.create({ x: 1 }) }, '$.a', prototyped],
    [{ a: new (class {})() }, '$.a', prototyped],
    [Object.create({ constructor: 1 }), '$', prototyped],
    [new Set([true]), '$', 'a Set must hold at least one member'],
    [new Set([[1]]), '$', 'a Set must hold at least one member'],
    [{ a: { b: new Set(['a', 1]) } }, '$.a.b', 'a Set must hold at least one member'],
  ])('%p is not one', (value, path, message) => {
    expect(thrownBy(() => toDynamoJson(value))).toMatchObject({
      kind: 'value',
      path,
      message: expect.stringContaining(message),
    });
  });

  test('are made of everything else', () => {
    expect(
      toDynamoJson({
        s: 's',
        t: true,
        n: null,
        l: [1, 2n],
        m: { x: undefined, y: new Decimal('1.10') },
        b: Uint8Array.of(1),
        ss: new Set(['a', 'b']),
        ns: new FrozenSet([1, 2]),
        bs: new Set([Uint8Array.of(1)]),
      }),
    ).toEqual({
      s: { S: 's' },
      t: { BOOL: true },
      n: { NULL: true },
      l: { L: [{ N: '1' }, { N: '2' }] },
      m: { M: { y: { N: '1.10' } } },
      b: { B: Uint8Array.of(1) },
      ss: { SS: ['a', 'b'] },
      ns: { NS: ['1', '2'] },
      bs: { BS: [Uint8Array.of(1)] },
    });
    expect(toDynamoJson('a')).toEqual({ S: 'a' });
    expect(toDynamoJson(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: { N: '1' } });
  });
});
