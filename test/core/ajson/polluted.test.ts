import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AjsonError,
  AlgObject,
  ajson,
  createAjson,
  Datetime,
  FrozenSet,
  tuple,
} from '../../../core/ajson/index.ts';

describe('with a polluted Object.prototype', () => {
  const names = [
    '_alg_class',
    'value',
    'extra',
    'tz',
    'timestamp',
    '_alg_module',
    'unknown',
    'tags',
    'nan',
    'toJSON',
  ];
  const all = Object.prototype as Record<string, unknown>;
  afterEach(() => {
    for (const name of names) {
      delete all[name];
      delete (Array.prototype as unknown as Record<string, unknown>)[name];
    }
  });
  const value = {
    a: [1, { b: 'x' }, undefined],
    d: new Datetime(1, 1),
    s: new Set([new FrozenSet([1]), tuple(2n ** 70n)]),
    m: new Map([['k', -0]]),
  };
  const text = ajson.dumps(value);

  test.each(names)('%s changes nothing', (name) => {
    const kept = (): string => ajson.dumps(ajson.loads(text));
    for (const pollution of ['UTC', 1, () => 'lie', { a: 1 }]) {
      all[name] = pollution;
      const written = ajson.dumps(value);
      const [again, rebuilt] = [kept(), ajson.dumps(ajson.rebuildEvent(ajson.raw(text)))];
      let missing: unknown;
      let refused: unknown;
      try {
        ajson.loads('{"_alg_class":"datetime","value":{}}');
      } catch (error) {
        missing = error;
      }
      try {
        ajson.dumps([Number.NaN], {});
      } catch (error) {
        refused = error;
      }
      delete all[name];
      expect([written, again, rebuilt]).toEqual([text, text, text]);
      expect([missing, refused]).toEqual([expect.any(AjsonError), expect.any(AjsonError)]);
    }
  });

  test.each([
    ['tz', 'UTC', '{"timestamp":1}'],
    ['timestamp', 1, '{"tz":"UTC"}'],
  ])('%s of all objects is not that of a datetime', (name, pollution, held) => {
    all[name] = pollution;
    const read = () => ajson.loads(`{"_alg_class":"datetime","value":${held}}`);
    expect(read).toThrow(AjsonError);
  });

  test('registers a class only under its real names', () => {
    all['name'] = 'Evil';
    all['toJson'] = () => ({ lie: 1 });
    all['get'] = 1;
    class Good extends AlgObject {
      static parseJson(): Good {
        return new Good();
      }
    }
    const custom = createAjson();
    custom.register(Good, { module: 'm' });
    const written = custom.dumps(new Good());
    const read = ajson.loads('[NaN,{"get":1},{"_alg_class":"Error","value":{"name":"Error","message":"x"}}]');
    for (const name of ['name', 'toJson', 'get']) delete all[name];
    expect(written).toBe('{"_alg_class":"Good","_alg_module":"m","value":{}}');
    expect(read).toEqual([Number.NaN, { get: 1 }, new Error('x')]);
  });

  test('does not mistake an object for a raw number', () => {
    all['toJSON'] = () => 'lie';
    const written = ajson.dumps({ rawJSON: 1, a: { rawJSON: '2' } });
    delete all['toJSON'];
    expect(written).toBe('{"rawJSON":1,"a":{"rawJSON":"2"}}');
  });

  test('ignores inherited members that cannot be assigned', () => {
    Object.defineProperty(all, 'extra', {
      set() {
        throw new Error('set');
      },
      get: () => 1,
      configurable: true,
    });
    const read = ajson.loads('[NaN,{"extra":2,"b":{"extra":{"_alg_class":"set","value":[]}}}]');
    const written = ajson.dumps({ extra: new Set([1]) });
    delete all['extra'];
    expect(read).toEqual([Number.NaN, { extra: 2, b: { extra: new Set() } }]);
    expect(written).toBe('{"extra":{"_alg_class":"set","value":[1]}}');
  });
});
