import { AjsonError, type AjsonErrorKind, UnknownClassError } from '../errors.ts';
import type { Fields } from './AlgObject.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { FrozenSet } from './FrozenSet.ts';
import { formatPath } from './formatPath.ts';
import { isPlain } from './isPlain.ts';
import { readError } from './readError.ts';
import type { Settings } from './settings.ts';
import { toTuple } from './Tuple.ts';
import { fromTimestamp } from './timestamp.ts';
import { UnknownObject } from './UnknownObject.ts';

/** Names that a class may not take, for Python reads them as its own kinds whatever the module. */
export const BUILT_IN: ReadonlySet<string> = new Set(['set', 'frozenset', 'tuple', 'datetime', 'decimal']);

/** A reading under way: the settings, and the keys that led to the container that is read. */
export interface Reading {
  readonly settings: Settings;
  readonly unknown: 'throw' | 'keep';
  readonly keys: (string | number)[];
}

/** The value of a tag, whose members are rebuilt already. `depth` is how many of the keys lead to it. */
export function readTag(reading: Reading, tag: Fields, depth: number): unknown {
  const { settings } = reading;
  const name = tag['_alg_class'];
  if (typeof name !== 'string') return failAt(reading, depth, 'tag', '_alg_class is a string');
  if (!Object.hasOwn(tag, 'value')) return failAt(reading, depth, 'tag', `the tag ${name} has no value`);
  const { value } = tag;
  const wrong = (wants: string) => failAt(reading, depth, 'tag', `the value of ${name} is ${wants}`);
  const list = () => (Array.isArray(value) ? value : wrong('a list'));
  switch (name) {
    case 'set':
      return new Set(list());
    case 'frozenset':
      return new FrozenSet(list());
    case 'tuple':
      return toTuple(list());
    case 'datetime':
      return readDatetime(reading, value, depth);
    case 'decimal':
      return readDecimal(reading, value, depth);
  }
  const module = Object.hasOwn(tag, '_alg_module') ? tag['_alg_module'] : undefined;
  if (module !== undefined) {
    if (typeof module !== 'string') return failAt(reading, depth, 'tag', '_alg_module is a string');
    const entry = settings.names.get(name)?.get(module);
    if (entry) {
      const fields = isFields(value) ? bareNames(value) : wrong('an object');
      return guard(reading, depth, `parseJson of ${name}`, () => entry.parseJson(fields));
    }
    if (reading.unknown === 'keep') return new UnknownObject(tag);
    throw new UnknownClassError(name, module, { path: formatPath(reading.keys.slice(0, depth)) });
  }
  const custom = settings.custom.get(name);
  if (custom) return guard(reading, depth, `parseJson of ${name}`, () => custom.parseJson(value as never));
  switch (name) {
    case 'undefined':
      return undefined;
    case 'Map':
      return list().every((pair) => Array.isArray(pair) && pair.length === 2)
        ? new Map(list())
        : wrong('a list of pairs');
    case 'Uint8Array':
      return guard(reading, depth, name, () =>
        Uint8Array.from(atob(text(value)), (char) => char.charCodeAt(0)),
      );
    case 'URL':
      return guard(reading, depth, name, () => new URL(text(value)));
    case 'Error':
      return (isFields(value) && readError(value)) || wrong('that of an error of the language');
  }
  return new UnknownObject(tag);
}

/** Throws an AjsonError whose path are the first `depth` keys. */
export function failAt(
  reading: Pick<Reading, 'keys'>,
  depth: number,
  kind: AjsonErrorKind,
  message: string,
  cause?: unknown,
): never {
  throw new AjsonError(kind, message, { path: formatPath(reading.keys.slice(0, depth)), cause });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a string is due');
  return value;
}

/** Runs what may throw an error of its own, and says where. */
function guard<T>(reading: Reading, depth: number, what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return failAt(reading, depth, 'class', `${what} failed: ${reason}`, cause);
  }
}

function readDatetime(reading: Reading, value: unknown, depth: number): unknown {
  const fields =
    isFields(value) && Object.hasOwn(value, 'tz') && Object.hasOwn(value, 'timestamp') ? value : {};
  if (fields['tz'] !== 'UTC' || typeof fields['timestamp'] !== 'number') {
    return failAt(reading, depth, 'tag', 'a datetime is {"tz":"UTC","timestamp":seconds}');
  }
  const date = fromTimestamp(fields['timestamp']);
  if (!date) return failAt(reading, depth, 'tag', 'a datetime lies in the years 1 to 9999');
  const kind = reading.settings.datetime;
  if (!kind) return date;
  const full = date instanceof Datetime ? date : new Datetime(date.getTime());
  return guard(reading, depth, 'parseJson of datetime', () => kind.parseJson(full));
}

function readDecimal(reading: Reading, value: unknown, depth: number): unknown {
  if (typeof value !== 'string') return failAt(reading, depth, 'tag', 'the digits of a decimal are a string');
  const { decimal: Chosen, maxDigits } = reading.settings;
  if (Chosen && value.length > maxDigits) {
    return failAt(
      reading,
      depth,
      'digits',
      `a decimal of ${value.length} digits: more than maxDigits, ${maxDigits}`,
    );
  }
  try {
    const own = new Decimal(value);
    return Chosen ? new Chosen(value) : own;
  } catch (cause) {
    return failAt(reading, depth, 'tag', `${JSON.stringify(value.slice(0, 40))} is not a decimal`, cause);
  }
}

/** The fields with one leading underscore taken off, but where the bare name is there too. */
function bareNames(fields: Fields): Fields {
  const names = Object.keys(fields);
  if (!names.some((name) => name.startsWith('_'))) return fields;
  return Object.fromEntries(
    names.map((name) => {
      const bare = name.startsWith('_') ? name.slice(1) : name;
      return [Object.hasOwn(fields, bare) ? name : bare, fields[name]];
    }),
  );
}
