import { describe, expect, test } from '@jest/globals';
import {
  AjsonError,
  AlgObject,
  ajson,
  createAjson,
  UnknownClassError,
  UnknownObject,
} from '../../../core/ajson/index.ts';

class DatabaseCredentials extends AlgObject {
  static {
    ajson.register(DatabaseCredentials, { module: 'shop.models' });
  }

  readonly #username: string;
  readonly #password: string;
  readonly #readUrl: string;
  readonly #writeUrl: string;

  constructor(username: string, password: string, readUrl: string, writeUrl: string) {
    super();
    this.#username = username;
    this.#password = password;
    this.#readUrl = readUrl;
    this.#writeUrl = writeUrl;
  }

  static parseJson(fields: {
    username: string;
    password: string;
    read_url: string;
    write_url: string;
  }): DatabaseCredentials {
    return new DatabaseCredentials(fields.username, fields.password, fields.read_url, fields.write_url);
  }

  override toJson(): Record<string, unknown> {
    return {
      _username: this.#username,
      _password: this.#password,
      _read_url: this.#readUrl,
      _write_url: this.#writeUrl,
    };
  }

  get username(): string {
    return this.#username;
  }
}

class Point extends AlgObject {
  readonly x: number;
  readonly y: unknown;

  private constructor(x: number, y: unknown) {
    super();
    this.x = x;
    this.y = y;
  }

  static of(x: number, y: unknown): Point {
    return new Point(x, y);
  }

  static parseJson({ x, y }: { x: number; y: unknown }): Point {
    return new Point(x, y);
  }
}

describe('a subclass of AlgObject', () => {
  const credentials = new DatabaseCredentials(
    'my_username',
    '31iteP@zzW0rd',
    'some_db_url',
    'some_other_db_url',
  );
  const wire =
    '{"_alg_class":"DatabaseCredentials","_alg_module":"shop.models","value":{"_username":"my_username","_password":"31iteP@zzW0rd","_read_url":"some_db_url","_write_url":"some_other_db_url"}}';

  test('is written as Python writes it and read back as an instance', () => {
    expect(ajson.dumps(credentials)).toBe(wire);
    const back = ajson.loads<DatabaseCredentials>(wire);
    expect(back).toBeInstanceOf(DatabaseCredentials);
    expect(back.username).toBe('my_username');
    expect(back.equals(credentials)).toBe(true);
    expect(back.equals(new DatabaseCredentials('x', 'y', 'z', 'w'))).toBe(false);
  });

  test('is written field by field without a toJson', () => {
    const custom = createAjson({ classes: [{ class: Point, module: 'shapes' }] });
    const text = custom.dumps([Point.of(1, new Set([2n ** 70n]))]);
    expect(text).toBe(
      '[{"_alg_class":"Point","_alg_module":"shapes","value":{"x":1,"y":{"_alg_class":"set","value":[1180591620717411303424]}}}]',
    );
    expect(custom.loads<Point[]>(text)[0]?.equals(Point.of(1, new Set([2n ** 70n])))).toBe(true);
  });

  test('is refused with the path if it is not registered', () => {
    expect(() => ajson.dumps({ a: [Point.of(1, 2)] })).toThrow(
      expect.objectContaining({
        name: 'AjsonError',
        path: '$.a[0]',
        message: expect.stringContaining('ajson.register'),
      }),
    );
    class Nearer extends DatabaseCredentials {}
    expect(() => ajson.dumps(new Nearer('a', 'b', 'c', 'd'))).toThrow(AjsonError);
  });

  test('can be read under its aliases', () => {
    const custom = createAjson();
    custom.register(Point, { module: 'shapes', aliases: ['Spot', { name: 'Dot', module: 'old' }] });
    for (const [name, module] of [
      ['Spot', 'shapes'],
      ['Dot', 'old'],
    ]) {
      const text = JSON.stringify({ value: { _x: 1, y: 2 }, _alg_class: name, _alg_module: module });
      expect(custom.loads<Point>(text).equals(Point.of(1, 2))).toBe(true);
    }
    expect(() => custom.loads('{"_alg_class":"Dot","_alg_module":"shapes","value":{}}')).toThrow(
      UnknownClassError,
    );
  });
});

test('registers an existing class with a pair of functions', () => {
  class Money {
    readonly amount: string;
    constructor(amount: string) {
      this.amount = amount;
    }
  }
  const custom = createAjson();
  custom.register(Money, {
    name: 'Money',
    module: 'shop.money',
    toJson: (money) => ({ amount: money.amount }),
    parseJson: ({ amount }: { amount: string }) => new Money(amount),
  });
  const text = custom.dumps({ price: new Money('1.10') });
  expect(custom.loads<{ price: Money }>(text).price).toStrictEqual(new Money('1.10'));
  expect(() => ajson.dumps(new Money('1'))).toThrow('Money');
});

test('refuses a name that is taken or reserved by the format', () => {
  const custom = createAjson();
  custom.register(Point, { module: 'shapes' });
  custom.register(Point, { module: 'shapes' });
  expect(() => custom.register(DatabaseCredentials, { module: 'shapes', name: 'Point' })).toThrow('already');
  expect(() => custom.register(Point, { module: 'shapes', name: 'set' })).toThrow('of the format');
});

test('registers all names of a class or none', () => {
  const custom = createAjson();
  custom.register(Point, { module: 'shapes' });
  expect(() =>
    custom.register(DatabaseCredentials, { module: 'shapes', name: 'Login', aliases: ['Point'] }),
  ).toThrow('class Point is registered for shapes already');
  expect(() => custom.loads('{"_alg_class":"Login","_alg_module":"shapes","value":{}}')).toThrow(
    UnknownClassError,
  );
});

test('never passes parseJson a prototype or an empty name', () => {
  const custom = createAjson();
  class Bag extends AlgObject {
    static parseJson(fields: object): Bag {
      return Object.assign(new Bag(), fields);
    }
  }
  custom.register(Bag, { module: 'm', name: 'Bag' });
  const bag = custom.loads<Bag & { admin?: boolean }>(
    '{"_alg_class":"Bag","_alg_module":"m","value":{"___proto__":{"admin":true},"_":1,"_a":2}}',
  );
  expect(bag).toBeInstanceOf(Bag);
  expect(bag.admin).toBeUndefined();
  expect(Object.entries(bag)).toEqual([
    ['___proto__', { admin: true }],
    ['_', 1],
    ['a', 2],
  ]);
});

describe('an unregistered class', () => {
  const wire =
    '{"a":[{"_alg_class":"Foo","_alg_module":"shop.models","value":{"when":{"_alg_class":"set","value":[1]}},"x":1}]}';

  test('throws an error with its name and path', () => {
    expect(() => ajson.loads(wire)).toThrow(
      expect.objectContaining({
        name: 'UnknownClassError',
        className: 'Foo',
        module: 'shop.models',
        path: '$.a[0]',
        kind: 'class',
      }),
    );
  });

  test('can be kept, and is written back unchanged', () => {
    const { a } = ajson.loads<{ a: UnknownObject[] }>(wire, { unknown: 'keep' });
    expect(a[0]).toBeInstanceOf(UnknownObject);
    expect(a[0]?.className).toBe('Foo');
    expect(a[0]?.module).toBe('shop.models');
    expect(a[0]?.value).toEqual({ when: new Set([1]) });
    expect(ajson.dumps({ a })).toBe(wire);
    expect(createAjson({ unknown: 'keep' }).loads(wire)).toEqual({ a });
    const changed = new UnknownObject({ _alg_class: 'Foo', value: { x: Symbol() } });
    expect(() => ajson.dumps([changed])).toThrow('$[0].value.x: symbol');
  });

  test('has its name truncated in the message', () => {
    const text = `{"_alg_class":"${'x'.repeat(100_000)}","_alg_module":"m","value":{}}`;
    try {
      ajson.loads(text);
      throw new Error('loaded');
    } catch (error) {
      expect(error).toBeInstanceOf(UnknownClassError);
      expect((error as Error).message.length).toBeLessThan(500);
      expect((error as UnknownClassError).className).toHaveLength(100_000);
    }
  });
});

describe('fields with an underscore', () => {
  class Note extends AlgObject {
    static parseJson(fields: object): Note {
      return Object.assign(new Note(), fields);
    }
  }
  class Login extends AlgObject {
    readonly _username: string;
    constructor(username: string) {
      super();
      this._username = username;
    }
    static parseJson({ username }: { username: string }): Login {
      return new Login(username);
    }
  }
  const custom = createAjson({
    classes: [
      { class: Note, name: 'Note', module: 'm' },
      { class: Login, name: 'Login', module: 'm' },
    ],
  });
  const note = (fields: object) => Object.assign(new Note(), fields);
  const tag = (value: string) => `{"_alg_class":"Note","_alg_module":"m","value":${value}}`;

  test.each([{ _id: 1 }, { __v: 2, _v: 3 }, { _a: 1, a: 2 }, { _: 1, ___x: 2 }])(
    'round-trip: %p',
    (fields) => {
      let back: object = note(fields);
      for (let trip = 0; trip < 3; trip++) back = custom.loads<object>(custom.dumps(back));
      expect(Object.entries(back)).toEqual(Object.entries(fields));
    },
  );

  test('are written unchanged, so that Python finds them with or without the underscore', () => {
    expect(JSON.parse(custom.dumps(note({ _id: 1 }))).value).toEqual({ _id: 1 });
    expect(custom.loads<Login>(custom.dumps(new Login('u')))._username).toBe('u');
  });

  test('lose it when they come from Python, and can still be read with it', () => {
    expect(Object.entries(custom.loads<object>(tag('{"_username":"u"}')))).toEqual([['username', 'u']]);
    const seen = createAjson({
      classes: [
        {
          class: Note,
          name: 'Note',
          module: 'm',
          toJson: () => ({}),
          parseJson: ({ _id }: { _id: number }) => note({ seen: _id }),
        },
      ],
    });
    expect(seen.loads(tag('{"_id":7}'))).toEqual(note({ seen: 7 }));
  });
});

describe('refuses a class that would lose data', () => {
  class Secret extends AlgObject {
    readonly #key: string;
    constructor(key: string) {
      super();
      this.#key = key;
    }
    get key(): string {
      return this.#key;
    }
    static parseJson({ key }: { key: string }): Secret {
      return new Secret(key);
    }
  }

  test('because it has only #fields or accessors', () => {
    const custom = createAjson({ classes: [{ class: Secret, name: 'Secret', module: 'm' }] });
    expect(() => custom.dumps([new Secret('k')])).toThrow('$[0]: Secret has no fields to send');
  });

  test.each<[unknown, string]>([
    [undefined, 'nothing'],
    [Promise.resolve(), 'a promise'],
    [{}, 'another class'],
  ])('because its parseJson returns %p', (result, found) => {
    const parseJson = () => result as object;
    const custom = createAjson({
      classes: [{ class: Secret, name: 'Secret', module: 'm', toJson: () => ({}), parseJson }],
    });
    expect(() => custom.loads('[{"_alg_class":"Secret","_alg_module":"m","value":{}}]')).toThrow(
      `$[0]: parseJson of Secret gave ${found}`,
    );
  });
});

test('undefined fields become null; toJson may return an array or a string', () => {
  class Any extends AlgObject {
    readonly json: unknown;
    constructor(json?: unknown) {
      super();
      this.json = json;
    }
    override toJson(): never {
      return this.json as never;
    }
    static parseJson(json: unknown): Any {
      return new Any(json);
    }
  }
  const custom = createAjson({ classes: [{ class: Any, name: 'Any', module: 'm' }] });
  const tag = (value: string) => `{"_alg_class":"Any","_alg_module":"m","value":${value}}`;
  for (const text of ['[[1,2],{"a":[3]}]', '"a text"', '{"a":1}', '[]', '""']) {
    expect(custom.dumps(custom.loads(tag(text)))).toBe(tag(text));
  }
  expect(custom.dumps(new Any({ a: undefined, b: 1 }))).toBe(tag('{"a":null,"b":1}'));
  for (const json of [1, null, undefined, new Set()])
    expect(() => custom.dumps(new Any(json))).toThrow('toJson of Any');
});

test('equals compares the class, all fields, and the message of errors', () => {
  class Bag extends AlgObject {
    readonly a: unknown;
    constructor(fields: object) {
      super();
      Object.assign(this, fields);
    }
  }
  class Other extends Bag {}
  const bag = new Bag({ a: 1 });
  expect(bag.equals(new Bag({ a: 1 }))).toBe(true);
  expect(bag.equals(new Bag({ a: 1, b: 2 }))).toBe(false);
  expect(new Bag({ a: 1, b: 2 }).equals(bag)).toBe(false);
  expect(bag.equals(new Other({ a: 1 }))).toBe(false);
  expect(new Bag({ a: new Error('x') }).equals(new Bag({ a: new Error('y') }))).toBe(false);
  expect(new Bag({ a: new Error('x') }).equals(new Bag({ a: new Error('x') }))).toBe(true);
});
