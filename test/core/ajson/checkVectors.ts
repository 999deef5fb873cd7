import {
  AlgObject,
  createAjson,
  Datetime,
  Decimal,
  FrozenSet,
  Tuple,
  UnknownObject,
} from '../../../core/ajson/index.ts';

interface Model {
  t: string;
  v?: unknown;
  class?: string;
  fields?: [string, Model][];
}

interface Vector {
  name: string;
  wire: string;
  model: Model;
}

export interface Vectors {
  emitted: Vector[];
  accepted: Vector[];
  rejected: { name: string; wire: string }[];
}

class DatabaseCredentials extends AlgObject {
  readonly #fields: readonly unknown[];

  constructor(...fields: readonly unknown[]) {
    super();
    this.#fields = fields;
  }

  static parseJson(fields: Record<string, unknown>): DatabaseCredentials {
    return new DatabaseCredentials(
      fields['username'],
      fields['password'],
      fields['read_url'],
      fields['write_url'],
    );
  }

  override toJson(): Record<string, unknown> {
    const [_username, _password, _read_url, _write_url] = this.#fields;
    return { _username, _password, _read_url, _write_url };
  }
}

class Order extends AlgObject {
  constructor(fields: object) {
    super();
    Object.assign(this, fields);
  }

  static parseJson(fields: object): Order {
    return new Order(fields);
  }
}

/** The kind and content of a value in the form of the vectors; keeps the order and the digits. */
export function modelOf(value: unknown): unknown {
  if (value === null) return ['null'];
  if (typeof value === 'string') return ['str', value];
  if (typeof value === 'boolean') return ['bool', value];
  if (typeof value === 'bigint') return ['int', String(value)];
  if (typeof value === 'number') return ['number', Object.is(value, -0) ? '-0' : String(value)];
  if (value instanceof Datetime) return ['datetime', value.toISOString()];
  if (value instanceof Date) return ['datetime', value.toISOString().replace('Z', '000Z')];
  if (value instanceof Decimal) return ['decimal', String(value)];
  if (value instanceof Tuple) return ['tuple', value.map(modelOf)];
  if (value instanceof FrozenSet) return ['frozenset', [...value].map(modelOf)];
  if (value instanceof Set) return ['set', [...value].map(modelOf)];
  if (Array.isArray(value)) return ['list', value.map(modelOf)];
  if (value instanceof UnknownObject) return ['dict', members(value.tag)];
  if (value instanceof AlgObject)
    return ['object', value.constructor.name, members(value.toJson() as object)];
  return ['dict', members(value as object)];
}

function members(object: object): unknown {
  return Object.entries(object).map(([key, value]) => [key, modelOf(value)]);
}

function expected(model: Model): unknown {
  const { t, v } = model;
  const list = () => (v as Model[]).map(expected);
  if (t === 'int' && Number.isSafeInteger(Number(v))) return ['number', v];
  if (t === 'float') {
    const number = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }[
      v as string
    ];
    return modelOf(number ?? Number(v));
  }
  if (t === 'datetime')
    return [t, (v as string).replace(/^(\d+)-/, (_, year) => `${year.padStart(4, '0')}-`)];
  if (t === 'dict') return [t, (v as [string, Model][]).map(([key, member]) => [key, expected(member)])];
  if (t === 'object') return [t, model.class, model.fields?.map(([key, member]) => [key, expected(member)])];
  return Array.isArray(v) ? [t, list()] : [t, v];
}

/** Returns the vectors that fail, and why. Needs no test runner. */
export function checkVectors(vectors: Vectors): string[] {
  const ajson = createAjson({
    nan: true,
    classes: [
      { class: DatabaseCredentials, module: 'shop.models', name: 'DatabaseCredentials' },
      { class: Order, module: 'shop.models', name: 'Order' },
    ],
  });
  const wrong: string[] = [];
  const compare = (name: string, got: unknown, want: unknown) => {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) wrong.push(`${name}: got ${a}, not ${b}`);
  };
  for (const { name, wire, model } of [...vectors.emitted, ...vectors.accepted]) {
    try {
      const value = ajson.loads(wire);
      compare(`loads ${name}`, modelOf(value), expected(model));
      const again = ajson.dumps(value);
      compare(`loads of dumps ${name}`, modelOf(ajson.loads(again)), modelOf(value));
      const parsed = ajson.raw(wire);
      compare(`rebuildEvent of raw ${name}`, modelOf(ajson.rebuildEvent(parsed)), modelOf(value));
      compare(`raw ${name} is left as it was`, modelOf(parsed), modelOf(ajson.raw(wire)));
    } catch (error) {
      wrong.push(`${name}: ${error}`);
    }
  }
  for (const { name, wire } of vectors.emitted) {
    try {
      compare(`dumps of loads ${name}`, spelling(ajson.dumps(ajson.loads(wire))), spelling(wire));
    } catch (error) {
      wrong.push(`${name}: ${error}`);
    }
  }
  for (const { name, wire } of vectors.rejected) {
    try {
      wrong.push(`${name}: read as ${JSON.stringify(modelOf(ajson.loads(wire)))}`);
    } catch (error) {
      if (!(error instanceof Error && 'kind' in error)) wrong.push(`${name}: ${error}`);
    }
  }
  return wrong;
}

/** Normalises numbers and escapes. */
function spelling(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, (string) => JSON.stringify(JSON.parse(string)))
    .replace(/(\d)\.0(?=[,\]}]|$)/g, '$1');
}
