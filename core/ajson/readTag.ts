import type { Fields } from './AlgObject.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlain } from './isPlain.ts';
import { readError } from './readError.ts';
import type { Settings } from './settings.ts';
import { fail, Trace, traceOf } from './Trace.ts';
import { toTuple } from './Tuple.ts';
import { fromTimestamp } from './timestamp.ts';
import { UnknownObject } from './UnknownObject.ts';

/** Names that a class may not take, for Python reads them as its own kinds whatever the module. */
export const BUILT_IN: ReadonlySet<string> = new Set(['set', 'frozenset', 'tuple', 'datetime', 'decimal']);

/** The value of a tag, whose members are rebuilt already. */
export function readTag(settings: Settings, unknown: 'throw' | 'keep', tag: Fields): unknown {
  const name = tag['_alg_class'];
  if (typeof name !== 'string' || !Object.hasOwn(tag, 'value'))
    return fail('tag', 'a tag has a name and a value');
  const { value } = tag;
  switch (name) {
    case 'set':
      return new Set(listOf(name, value));
    case 'frozenset':
      return new FrozenSet(listOf(name, value));
    case 'tuple':
      return toTuple(listOf(name, value));
    case 'datetime':
      return readDatetime(settings, value);
    case 'decimal':
      return readDecimal(settings, value);
  }
  const module = Object.hasOwn(tag, '_alg_module') ? tag['_alg_module'] : undefined;
  if (module !== undefined) {
    if (typeof module !== 'string') return fail('tag', '_alg_module must be a string');
    const entry = settings.names.get(name)?.get(module);
    if (entry) {
      const fields = isFields(value) ? bareNames(value) : wrong(name, 'an object');
      return theirs(() => entry.parseJson(fields));
    }
    if (unknown === 'keep') return new UnknownObject(tag);
    throw new Trace('class', '', undefined, [name, module]);
  }
  const custom = settings.custom.get(name);
  if (custom) return theirs(() => custom.parseJson(value as never));
  switch (name) {
    case 'undefined':
      return undefined;
    case 'Map':
      return readMap(listOf(name, value));
    case 'Uint8Array':
      return theirs(() => Uint8Array.from(atob(text(value)), (char) => char.charCodeAt(0)));
    case 'URL':
      return theirs(() => new URL(text(value)));
    case 'Error':
      return (isFields(value) && readError(value)) || wrong(name, 'of a built-in error');
  }
  return new UnknownObject(tag);
}

function wrong(name: string, wants: string): never {
  return fail('tag', `the value of ${name} must be ${wants}`);
}

function listOf(name: string, value: unknown): unknown[] {
  return Array.isArray(value) ? value : wrong(name, 'a list');
}

function readMap(pairs: unknown[]): Map<unknown, unknown> {
  const ok = pairs.every((pair) => Array.isArray(pair) && pair.length === 2);
  return ok ? new Map(pairs as [unknown, unknown][]) : wrong('Map', 'a list of pairs');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a string is due');
  return value;
}

/** What the caller's own code gives. */
export function theirs<T>(code: () => T): T {
  try {
    return code();
  } catch (error) {
    throw traceOf(error, 'class');
  }
}

function readDatetime({ datetime: kind }: Settings, value: unknown): unknown {
  const isUtc = isFields(value) && Object.hasOwn(value, 'tz') && value['tz'] === 'UTC';
  const seconds: unknown = isUtc && Object.hasOwn(value, 'timestamp') && value['timestamp'];
  const date = typeof seconds === 'number' && fromTimestamp(seconds);
  if (!date) return fail('tag', 'a datetime is {"tz":"UTC","timestamp":seconds}, of the years 1 to 9999');
  if (!kind) return date;
  const full = date instanceof Datetime ? date : new Datetime(date.getTime());
  return theirs(() => kind.parseJson(full));
}

function readDecimal({ decimal: Chosen, maxDigits }: Settings, value: unknown): unknown {
  if (typeof value !== 'string') return fail('tag', 'the value of decimal must be a string');
  if (Chosen && value.length > maxDigits)
    return fail('digits', `${value.length} digits: more than maxDigits`);
  try {
    const own = new Decimal(value);
    return Chosen ? new Chosen(value) : own;
  } catch (error) {
    throw traceOf(error, 'tag');
  }
}

/** The fields with one leading underscore taken off, but where the bare name is there too. */
function bareNames(fields: Fields): Fields {
  const entries = Object.entries(fields);
  if (!entries.some(([name]) => name[0] === '_')) return fields;
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const bare = name.replace(/^_/, '');
      return [Object.hasOwn(fields, bare) ? name : bare, value];
    }),
  );
}
