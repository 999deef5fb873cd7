import { describe, expect, test } from '@jest/globals';
import {
  ajson,
  createAjson,
  markRaw,
  rebuildEvent,
  type Tuple,
  tuple,
  UnknownObject,
} from '../../../core/ajson/index.ts';

describe('a syntax error has its position', () => {
  test.each([
    ['{"a":', 5, 1, 6, '$.a', 'syntax'],
    ['{} x', 3, 1, 4, '$', 'syntax'],
    ['', 0, 1, 1, '$', 'syntax'],
    ['[1,\n {"b": x}]', 11, 2, 8, '$[1].b', 'syntax'],
    ['[NaN, "\n"]', 7, 1, 8, '$[1]', 'syntax'],
    ['{"a":"ok \\n \\u00zz"}', 12, 1, 13, '$.a', 'syntax'],
    ['["a\\"b\\x"]', 6, 1, 7, '$[0]', 'syntax'],
    ['["\\\\ and no end', 15, 1, 16, '$[0]', 'syntax'],
    ['\ufeff{}', 0, 1, 1, '$', 'syntax'],
    ['[NaN, 01]', 7, 1, 8, '$', 'syntax'],
    ['{NaN:1}', 1, 1, 2, '$', 'syntax'],
    ['[-NaN]', 1, 1, 2, '$[0]', 'syntax'],
    ['[1e400]', 1, 1, 2, '$[0]', 'digits'],
    ['[1,{"_alg_class":"set","value":{"length":1e9}}]', 3, 1, 4, '$[1]', 'tag'],
    ['{"a":{"_alg_class":"decimal","value":1}}', 5, 1, 6, '$.a', 'tag'],
    ['{"a":{"_alg_class":"set"}}', 5, 1, 6, '$.a', 'tag'],
    ['{"a":{"_alg_class":7,"value":1}}', 5, 1, 6, '$.a', 'tag'],
    ['{"a":{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":1e15}}}', 5, 1, 6, '$.a', 'tag'],
    ['{"a":{"_alg_class":"Map","value":[[1]]}}', 5, 1, 6, '$.a', 'tag'],
    ['{"a":{"_alg_class":"URL","value":"x"}}', 5, 1, 6, '$.a', 'tag'],
  ])('%s', (text, offset, line, column, path, kind) => {
    expect(() => ajson.loads(text)).toThrow(
      expect.objectContaining({ name: 'AjsonError', offset, line, column, path, kind }),
    );
  });
});

describe('integers past 2^53', () => {
  test.each([
    ['in order', '[9007199254740993,{"a":9007199254740992,"b":-9007199254740993}]'],
    ['under keys that move', '{"2":9007199254740993,"1":9007199254740992}'],
    [
      'beside long text and numbers',
      '{"a":"12345678901234567890","b":1000000000000007,"c":123456789012345678901}',
    ],
    ['beside floats', '[1e+22,10000000000000000000000,10000000000000000000000.0,1.234567890123456789]'],
    ['after a spelled-out quote', '["\\"",9007199254740993,"\\\\",9007199254740995]'],
    ['alone', '-123456789012345678901234567890'],
  ])('keep their digits: %s', (_, text) => {
    const spelled = text
      .replace('10000000000000000000000.0', '1e+22')
      .replace('1.234567890123456789', '1.2345678901234567');
    const sorted = (line: string) => line.match(/-?[\d.e+]+/g)?.sort();
    expect(sorted(ajson.dumps(ajson.loads(text)))).toEqual(sorted(spelled));
    expect(ajson.raw(text)).toEqual(ajson.loads(text));
  });

  test('are refused beyond maxDigits, not counting the sign', () => {
    const short = createAjson({ maxDigits: 17 });
    for (const text of ['[123456789012345678]', '[NaN,123456789012345678]', '[-123456789012345678]'])
      expect(() => short.loads(text)).toThrow(expect.objectContaining({ kind: 'digits' }));
    expect(short.loads('[-12345678901234567,1e300]')).toEqual([-12345678901234567n, 1e300]);
    expect(() => short.dumps([1, 10n ** 17n])).toThrow(
      expect.objectContaining({ kind: 'digits', path: '$[1]' }),
    );
    expect(short.dumps(-(10n ** 16n))).toBe('-10000000000000000');
  });

  test('reach parseJson exactly, even after a string that looks like a number', () => {
    class Id {}
    const seen: unknown[] = [];
    const custom = createAjson({
      classes: [
        {
          class: Id,
          name: 'Id',
          module: 'm',
          toJson: () => ({}),
          parseJson: ({ id }: { id: unknown }) => {
            seen.push(id);
            return new Id();
          },
        },
      ],
    });
    custom.loads(
      '[" 9007199254740993",{"_alg_class":"Id","_alg_module":"m","value":{"id":9007199254740995}}]',
    );
    expect(seen).toEqual([9007199254740995n]);
  });

  test('are not confused with a number in an earlier string', () => {
    expect(ajson.raw('{"a":" 12345678901234567891 ","b":12345678901234567890}')).toEqual({
      a: ' 12345678901234567891 ',
      b: 12345678901234567890n,
    });
  });

  test('keep their positions when keys are duplicated or reordered', () => {
    expect(ajson.loads('{"a":9007199254740993,"a":1,"b":9.007199254740992e15}')).toEqual({
      a: 1,
      b: 2 ** 53,
    });
    expect(ajson.loads('{"a":9007199254740993,"b":9007199254740992,"a":9007199254740992}')).toEqual({
      a: 9007199254740992n,
      b: 9007199254740992n,
    });
    expect(ajson.loads('{"2":9007199254740993,"1":9007199254740992}')).toEqual({
      1: 9007199254740992n,
      2: 9007199254740993n,
    });
    expect(ajson.loads('{"a":5,"b":[9007199254740993],"a":1e22,"b":[9007199254740992]}')).toEqual({
      a: 1e22,
      b: [9007199254740992n],
    });
  });
});

describe('raw, rebuildEvent and markRaw', () => {
  const wire = '{"a":[{"_alg_class":"set","value":[1]},{"b":[2]}],"n":9007199254740993}';

  test('raw builds nothing', () => {
    expect(ajson.raw(wire)).toEqual({
      a: [{ _alg_class: 'set', value: [1] }, { b: [2] }],
      n: 9007199254740993n,
    });
  });

  test('rebuildEvent does not change its argument, and shares unchanged parts', () => {
    const parsed = ajson.raw<{ a: unknown[] }>(wire);
    const copy = structuredClone(parsed);
    const built = rebuildEvent<{ a: unknown[] }>(parsed);
    expect(parsed).toEqual(copy);
    expect(built.a[0]).toEqual(new Set([1]));
    expect(built.a[1]).toBe(parsed.a[1]);
  });

  test('rebuildEvent keeps instances', () => {
    const [date, pair, set] = [new Date(), tuple({ _alg_class: 'set', value: [] }), new Set([1])];
    const event = { date, pair, set, tag: { _alg_class: 'tuple', value: [date] } };
    const built = rebuildEvent<{ tag: Tuple }>(event);
    expect(built).toEqual({ date, pair, set, tag: tuple(date) });
    expect(built.tag[0]).toBe(date);
  });

  test('a marked value is neither rebuilt nor escaped', () => {
    const marked = markRaw({ deep: [{ _alg_class: 'set', value: [1] }] });
    const built = rebuildEvent<{ a: unknown; b: unknown }>({
      a: marked,
      b: { _alg_class: 'set', value: [1] },
    });
    expect(built.a).toBe(marked);
    expect(built.b).toEqual(new Set([1]));
    expect(ajson.dumps({ marked })).toBe('{"marked":{"deep":[{"_alg_class":"set","value":[1]}]}}');
    expect(() => ajson.dumps([marked, { _alg_class: 'set', value: [1] }])).toThrow('$[1]');
    expect(markRaw('text')).toBe('text');
  });

  test('dumps writes raw tags only with the option', () => {
    expect(ajson.dumps(ajson.raw(wire), { tags: 'keep' })).toBe(wire);
    expect(() => ajson.dumps(ajson.raw(wire))).toThrow('$.a[0]');
  });

  test('keeps an unknown tag without a module', () => {
    const text = '{"_alg_class":"Foo","value":{"a":{"_alg_class":"tuple","value":[]}}}';
    const kept = ajson.loads<UnknownObject>(text);
    expect(kept).toBeInstanceOf(UnknownObject);
    expect(kept.module).toBeUndefined();
    expect(kept.value).toEqual({ a: tuple() });
    expect(ajson.dumps(kept)).toBe(text);
  });
});

describe('escaped keys', () => {
  // https://github.com/nodejs/node/issues/63785: JSON.parse confuses the second text with the first.
  test.each([
    ['{"id":1,"caf\\\\":2}', '{"id":1,"caf\\u00E9":2}', { id: 1, café: 2 }],
    ['{"h":[],"\\\\":0}', '{"h":1,"\\n" :2}', { h: 1, '\n': 2 }],
  ])('are read correctly after %s', (earlier, text, value) => {
    JSON.parse(earlier);
    expect(ajson.loads(text)).toEqual(value);
    expect(ajson.raw(`{"a":"\\"","b":[${text}]}`)).toEqual({ a: '"', b: [value] });
  });

  test('can spell a tag', () => {
    JSON.parse('{"value":[1],"\\\\u005falg_":1}');
    expect(ajson.loads('{"value":[1],"\\u005falg_class":"set"}')).toEqual(new Set([1]));
  });
});
