import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { AjsonError, AlgObject, ajson, createAjson, tuple } from '../../../core/ajson/index.ts';

const MILLION = 1_000_000;

describe('dumps', () => {
  test('never calls toJSON', () => {
    const lie = () => 'lie';
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: lie });
    expect(ajson.dumps([hidden])).toBe('[{"a":1}]');
    expect(ajson.dumps([Object.assign([1], { toJSON: lie })])).toBe('[[1]]');
    expect(() => ajson.dumps([{ toJSON: lie }])).toThrow('$[0].toJSON');
    expect(ajson.dumps(new Map([[1, hidden]]))).toBe('{"_alg_class":"Map","value":[[1,{"a":1}]]}');
    class Liar extends AlgObject {
      readonly a: number = 1;
      toJSON(): string {
        return 'lie';
      }
      static parseJson(): Liar {
        return new Liar();
      }
    }
    const custom = createAjson({ classes: [{ class: Liar, module: 'm' }] });
    expect(custom.dumps([new Liar()])).toBe('[{"_alg_class":"Liar","_alg_module":"m","value":{"a":1}}]');
  });

  test('reads getters and Proxies, and refuses those that throw', () => {
    expect(
      ajson.dumps({
        get a() {
          return new Set([1]);
        },
      }),
    ).toBe('{"a":{"_alg_class":"set","value":[1]}}');
    expect(ajson.dumps(new Proxy({ a: [1] }, {}))).toBe('{"a":[1]}');
    expect(ajson.dumps([new Proxy([1, 2n], {})])).toBe('[[1,2]]');
    const traps = ['get', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'] as const;
    for (const trap of traps) {
      const proxy = new Proxy(
        { a: 1 },
        {
          [trap]: () => {
            throw new Error('trapped');
          },
        },
      );
      expect(() => ajson.dumps({ proxy })).toThrow(
        expect.objectContaining({ name: 'AjsonError', path: expect.stringContaining('$.proxy') }),
      );
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(() => ajson.dumps([proxy])).toThrow(AjsonError);
    expect(() => ajson.rebuildEvent([proxy])).toThrow(AjsonError);
    const endless = new Proxy([], { get: (_, key) => (key === 'length' ? 1e9 : undefined) });
    expect(() => ajson.dumps(endless)).toThrow('hole');
  });

  test('refuses every kind of cycle', () => {
    const list: unknown[] = [];
    list.push(list);
    const map = new Map();
    map.set('m', map);
    const set = new Set();
    set.add(new Set([set]));
    const object: Record<string, unknown> = {};
    object['o'] = { object };
    // Without the limit the work doubles at each level.
    const twice: unknown[] = [];
    twice.push(twice, twice);
    const both = { a: twice, b: twice };
    for (const cycle of [list, map, set, object, twice, both, new Set([twice]), new Map([[1, twice]])]) {
      expect(() => ajson.dumps(cycle)).toThrow(expect.objectContaining({ kind: 'depth' }));
    }
    expect(() => ajson.rebuildEvent(object)).toThrow(expect.objectContaining({ kind: 'depth' }));
  });

  test('refuses what would overflow the stack, even without a depth limit', () => {
    const deep = createAjson({ maxDepth: Number.POSITIVE_INFINITY });
    const text = '['.repeat(MILLION) + ']'.repeat(MILLION);
    for (const act of [
      () => deep.loads(text),
      () => deep.raw(`${text} x`),
      () => deep.dumps(JSON.parse(text)),
      () => deep.rebuildEvent(JSON.parse(text)),
    ]) {
      expect(act).toThrow(AjsonError);
    }
  });

  test('writes large values', () => {
    expect(ajson.dumps(new Uint8Array(MILLION))).toHaveLength(1_333_374);
    expect(ajson.loads(ajson.dumps(new Set(Array(MILLION / 10).keys())))).toHaveProperty(
      'size',
      MILLION / 10,
    );
    expect(ajson.loads(ajson.dumps([tuple(...Array(MILLION / 10).keys())]))).toHaveLength(1);
  });

  test('treats arrays and objects of another realm as plain', () => {
    const foreign = runInNewContext('[{ a: [1, new Set()] }, null].slice(0, 1)');
    foreign[0].a[1] = 2n;
    expect(ajson.dumps({ foreign })).toBe('{"foreign":[{"a":[1,2]}]}');
    expect(() => ajson.dumps(runInNewContext('new (class List extends Array {})()'))).toThrow('List');
  });

  test('treats an object shaped like a plain object of another realm as plain', () => {
    const foreign = Object.create(Object.create(null, { hasOwnProperty: { value: 1 } }), {
      a: { value: new Set([1]), enumerable: true },
    });
    expect(ajson.dumps([foreign, Object.assign(Object.create(null), { b: 1 })])).toBe(
      '[{"a":{"_alg_class":"set","value":[1]}},{"b":1}]',
    );
  });
});

describe('an object is plain by its prototype', () => {
  test('whatever its members are named', () => {
    for (const member of [1, [2n ** 64n], { constructor: new Set([1]) }]) {
      const value = [{ constructor: member }, Object.assign(Object.create(null), { constructor: member })];
      expect(ajson.loads(ajson.dumps(value))).toEqual(value);
    }
  });

  test('one that inherits members is refused, with or without own ones', () => {
    const old = function Old() {} as unknown as new () => object;
    old.prototype = { greet() {} };
    for (const value of [
      new old(),
      Object.create({ a: 1 }),
      Object.create(Object.create({ a: 1 })),
      Object.assign(Object.create({ a: 1, b: 2 }), { b: 3 }),
      process.env,
    ])
      expect(() => ajson.dumps([value])).toThrow('$[0]: an object with a prototype cannot');
  });
});

test('refuses long sparse arrays at once, wherever they would be copied', () => {
  const sparse: unknown[] = [];
  sparse[3_000_000_000] = 'far';
  const obeyed = Object.assign(sparse.slice(0, 0), { toJSON: () => 1 });
  obeyed[3_000_000_000] = 'far';
  const foreign = runInNewContext('const list = []; list[3000000000] = 1; list');
  const hole = [new Set([['a'], ['b', new Array(1)]])];
  expect(() => ajson.dumps(hole)).toThrow('$[0][1][1][0]: a hole in a list');
  for (const list of [sparse, obeyed, foreign]) {
    for (const value of [list, { list }, new Set([list]), new Map([[1, list]])]) {
      expect(() => ajson.dumps(value)).toThrow('a hole in a list');
    }
  }
});
