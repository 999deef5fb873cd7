import { describe, expect, test } from '@jest/globals';
import { AjsonError, AlgObject, ajson, createAjson } from '../../../core/ajson/index.ts';

const MILLION = 1_000_000;

/** The functions that read a text. */
const readers: [string, (text: string) => unknown][] = [
  ['loads', (text) => ajson.loads(text)],
  ['raw', (text) => ajson.raw(text)],
  ['rebuildEvent', (text) => ajson.rebuildEvent(JSON.parse(text))],
];

describe.each(readers)('%s', (name, read) => {
  test.each([
    ['a million lists', '['.repeat(MILLION) + ']'.repeat(MILLION)],
    ['a million objects', `${'{"a":'.repeat(MILLION)}1${'}'.repeat(MILLION)}`],
    ['a million tags', `${'{"_alg_class":"set","value":['.repeat(MILLION)}1${']}'.repeat(MILLION)}`],
  ])('refuses %s nested too deep, with the path', (_, text) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        name: 'AjsonError',
        kind: 'depth',
        path: expect.stringMatching(/^\$(\[0\]|\.a|\.value)+$/),
      }),
    );
  });

  test('reads a million sibling values', () => {
    expect(read(`[${'{"a":[1]},'.repeat(MILLION / 10)}1]`)).toHaveLength(MILLION / 10 + 1);
    expect(
      Object.keys(read(`{${Array.from({ length: MILLION / 10 }, (_, n) => `"k${n}":1`)}}`) as object),
    ).toHaveLength(MILLION / 10);
  });

  test('reads a million sibling tags', () => {
    expect(read(`[${'{"_alg_class":"set","value":[1]},'.repeat(MILLION / 4)}1]`)).toHaveLength(
      MILLION / 4 + 1,
    );
    const dates = '{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":1}},'.repeat(MILLION / 10);
    expect(read(`[${dates}1]`)).toHaveLength(MILLION / 10 + 1);
  });

  test('keeps keys named __proto__ and constructor as data', () => {
    const text =
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"a":{"__proto__":[{"_alg_class":"set","value":[]}]}}';
    const value = read(text) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'a']);
    expect(Object.keys(value['a'] as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value['a'])).toBe(Object.prototype);
    expect(({} as { polluted?: true }).polluted).toBeUndefined();
    expect(ajson.dumps(value, { tags: 'keep' })).toBe(text);
  });

  test('keeps then and toJSON as data', () => {
    const text = '{"then":"x","toJSON":{"a":1},"toJson":[],"valueOf":1,"length":1000000000}';
    const value = read(text);
    expect(Object.entries(value as object).map(([key]) => key)).toEqual(Object.keys(JSON.parse(text)));
    expect(ajson.dumps(value)).toBe(text);
  });

  if (name !== 'raw') {
    test.each([
      'constructor',
      '__proto__',
      'toString',
      'hasOwnProperty',
      'Object',
      'Function',
      'prototype',
      'eval',
    ])('has no class named %s', (className) => {
      const tag = (module: string) => `{"a":{"_alg_class":"${className}",${module}"value":{"x":1}}}`;
      expect(() => read(tag('"_alg_module":"builtins",'))).toThrow(
        expect.objectContaining({ className, path: '$.a' }),
      );
      expect(() => read(tag('"_alg_module":"constructor",'))).toThrow(AjsonError);
      expect(ajson.dumps(read(tag('')))).toBe(tag(''));
    });

    test.each([
      '{"_alg_class":"set","value":{"length":1000000000}}',
      '{"_alg_class":"tuple","value":{"length":1000000000,"0":1}}',
      '{"_alg_class":"frozenset","value":1000000000}',
      '{"_alg_class":"set","value":"text"}',
      '{"_alg_class":"set","value":null}',
      '{"_alg_class":"Map","value":{"length":1000000000}}',
      '{"_alg_class":"Map","value":[1]}',
      '{"_alg_class":"Uint8Array","value":1000000000}',
      '{"_alg_class":"Uint8Array","value":{"length":1000000000}}',
      '{"_alg_class":"Uint8Array","value":"*"}',
      '{"_alg_class":"Error","value":{"name":"Error","message":{}}}',
      '{"_alg_class":"Error","value":{"name":"Error","fields":"abc"}}',
      '{"_alg_class":"Error","value":{"name":"Function","message":"x"}}',
      '{"_alg_class":"Error","value":{"name":"__proto__","message":"x"}}',
      '{"_alg_class":"Error","value":[]}',
      '{"_alg_class":"URL","value":{}}',
      '{"_alg_class":"datetime","value":{"tz":"UTC"}}',
      '{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":"1"}}',
      '{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":1e300}}',
      '{"_alg_class":"datetime","value":[{"tz":"UTC","timestamp":1}]}',
      '{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":12345678901234567890}}',
      '{"_alg_class":"decimal","value":1.5}',
      '{"_alg_class":"decimal","value":["1"]}',
      '{"_alg_class":"decimal","value":"1e9999999999999999999999"}',
      '{"_alg_class":null,"value":1}',
      '{"_alg_class":["set"],"value":[1]}',
      '{"_alg_class":{"toString":"set"},"value":[1]}',
      '{"_alg_class":"Foo","_alg_module":null,"value":{}}',
      '{"_alg_class":"Foo","_alg_module":["m"],"value":{}}',
      '{"_alg_class":"Foo"}',
    ])('refuses %s', (text) => {
      expect(() => read(text)).toThrow(AjsonError);
    });

    test('an error from the wire changes no prototype', () => {
      const text =
        '{"_alg_class":"Error","value":{"name":"Error","message":"m","fields":{"__proto__":{"polluted":true}},"__proto__":{}}}';
      const error = read(text) as Error;
      expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
      expect(Object.keys(error)).toEqual(['__proto__']);
    });
  }
});

describe('loads and raw', () => {
  test('refuse a million unclosed brackets', () => {
    for (const text of ['['.repeat(MILLION), '{"a":'.repeat(MILLION), `${'['.repeat(MILLION)}NaN`]) {
      for (const read of [ajson.loads, ajson.raw]) {
        expect(() => read(text)).toThrow(expect.objectContaining({ name: 'AjsonError', kind: 'depth' }));
      }
    }
  });

  test('limit the digits of integers, but not of decimals kept as text', () => {
    const digits = '1'.repeat(MILLION);
    expect(() => ajson.loads(`{"a":[${digits}]}`)).toThrow(
      expect.objectContaining({ name: 'AjsonError', kind: 'digits', path: '$.a[0]', offset: 6 }),
    );
    expect(() => ajson.raw(digits)).toThrow(AjsonError);
    expect(() => ajson.raw(`[NaN,${digits}]`)).toThrow(
      expect.objectContaining({ kind: 'digits', path: '$[1]' }),
    );
    expect(ajson.loads(`[1.${digits},${'1'.repeat(4300)}]`)).toEqual([
      1.1111111111111112,
      BigInt('1'.repeat(4300)),
    ]);
    expect(createAjson({ maxDigits: 5000 }).loads('1'.repeat(5000))).toBe(BigInt('1'.repeat(5000)));
    const decimal = `{"_alg_class":"decimal","value":"${digits}"}`;
    expect(ajson.dumps(ajson.loads(decimal))).toBe(decimal);
    expect(() => createAjson({ decimal: Number }).loads(decimal)).toThrow(
      expect.objectContaining({ kind: 'digits' }),
    );
    expect(() => ajson.loads(`{"_alg_class":"decimal","value":"${digits}x"}`)).toThrow(AjsonError);
  });

  test('take linear time for long strings, escapes, whitespace and numbers that JSON.parse refuses', () => {
    for (const part of [
      '"x"',
      '"\\\\"',
      '"\\""',
      ' ',
      '\n',
      '"\\u0000",'.repeat(3),
      '1,',
      '1e5,',
      '"a":',
      '{},',
      '[],',
    ]) {
      const text = `[NaN,${part.repeat(MILLION / 10)}`;
      expect(() => ajson.loads(text)).toThrow(expect.objectContaining({ kind: 'syntax' }));
    }
    expect(ajson.loads(`[NaN,"${'\\\\'.repeat(MILLION)}"]`)).toEqual([Number.NaN, '\\'.repeat(MILLION)]);
    expect(ajson.loads(`[NaN,"${'x'.repeat(20 * MILLION)}"]`)).toHaveLength(2);
    expect(() => ajson.loads(`[NaN,${'1'.repeat(20 * MILLION)}]`)).toThrow(AjsonError);
    expect(() => ajson.loads(`[NaN,${' '.repeat(20 * MILLION)}`)).toThrow(AjsonError);
    expect(() => ajson.loads(`[NaN,"${'\\"'.repeat(MILLION)}`)).toThrow(AjsonError);
  });

  test('read long integers beside other numbers, keys and strings', () => {
    const many = `[${Array.from({ length: MILLION / 10 }, (_, n) => 9007199254740993n + BigInt(n))}]`;
    expect(ajson.loads<bigint[]>(many).at(-1)).toBe(9007199254740992n + BigInt(MILLION / 10));
    const odd = `[1e300,${Array.from({ length: MILLION / 10 }, (_, n) => `{"0":${9007199254740993n + BigInt(n)}}`)}]`;
    expect(ajson.loads<unknown[]>(odd).at(-1)).toEqual({ 0: 9007199254740992n + BigInt(MILLION / 10) });
    expect(ajson.loads(`["${'1234567890123456789,'.repeat(MILLION / 10)}",9007199254740993]`)).toHaveLength(
      2,
    );
  });

  test('recognise the tag however it is escaped', () => {
    const spellings = [
      '_alg_class',
      '\\u005falg_class',
      '_\\u0061lg_class',
      '_alg\\u005Fclass',
      '_alg_clas\\u0073',
    ];
    for (const key of spellings)
      expect(ajson.loads(`[{"${key}":"set","value":[1]}]`)).toEqual([new Set([1])]);
    expect(ajson.loads('["\\\\u005falg_class",{"\\\\u005falg_class":"set"}]')).toEqual([
      '\\u005falg_class',
      { '\\u005falg_class': 'set' },
    ]);
  });

  test('use the last of two tags', () => {
    const text = '{"_alg_class":"Foo","_alg_module":"m","value":{},"_alg_class":"set","value":[1]}';
    expect(ajson.loads(text)).toEqual(new Set([1]));
  });

  test.each([1, null, undefined, {}, ['[]'], Symbol('x')])('refuse %p, which is not a string', (text) => {
    expect(() => ajson.loads(text as string)).toThrow(AjsonError);
    expect(() => ajson.raw(text as string)).toThrow(AjsonError);
  });

  test('give a class only own fields, whatever their names', () => {
    class Bag extends AlgObject {
      readonly fields: object;
      constructor(fields: object) {
        super();
        this.fields = fields;
      }
      static parseJson(fields: object): Bag {
        return new Bag(fields);
      }
    }
    const custom = createAjson({ classes: [{ class: Bag, module: 'm' }] });
    const { fields } = custom.loads<Bag>(
      '{"_alg_class":"Bag","_alg_module":"m","value":{"___proto__":{"polluted":1},"__proto__":2,"_a":3,"b":4,"_b":5}}',
    );
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(Object.entries(fields)).toEqual([
      ['___proto__', { polluted: 1 }],
      ['_proto__', 2],
      ['a', 3],
      ['b', 4],
      ['_b', 5],
    ]);
    for (const value of ['1', 'true', 'null', '{"_alg_class":"set","value":[]}']) {
      expect(() => custom.loads(`{"_alg_class":"Bag","_alg_module":"m","value":${value}}`)).toThrow(
        AjsonError,
      );
    }
  });
});
