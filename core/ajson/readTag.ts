import type { Fields } from './AlgObject.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlain } from './isPlain.ts';
import { readError } from './readError.ts';
import type { Reading } from './rebuild.ts';
import { fail, Trace, traceOf } from './Trace.ts';
import { toTuple } from './Tuple.ts';
import { fromTimestamp } from './timestamp.ts';
import { UnknownObject } from './UnknownObject.ts';

/** Names that a class may not take, for Python reads them as its own kinds whatever the module. */
export const BUILT_IN: ReadonlySet<string> = new Set(['set', 'frozenset', 'tuple', 'datetime', 'decimal']);

/** The value of a tag, whose members are rebuilt already. */
export function readTag(reading: Reading, tag: Fields): unknown {
  const { settings } = reading;
  const name = tag['_alg_class'];
  if (typeof name !== 'string') return fail('tag', '_alg_class is a string');
  if (!Object.hasOwn(tag, 'value')) return fail('tag', `the tag ${name} has no value`);
  const { value } = tag;
  const wrong = (wants: string) => fail('tag', `the value of ${name} is ${wants}`);
  const list = () => (Array.isArray(value) ? value : wrong('a list'));
  switch (name) {
    case 'set':
      return new Set(list());
    case 'frozenset':
      return new FrozenSet(list());
    case 'tuple':
      return toTuple(list());
    case 'datetime':
      return readDatetime(reading, value);
    case 'decimal':
      return readDecimal(reading, value);
  }
  const module = Object.hasOwn(tag, '_alg_module') ? tag['_alg_module'] : undefined;
  if (module !== undefined) {
    if (typeof module !== 'string') return fail('tag', '_alg_module is a string');
    const entry = settings.names.get(name)?.get(module);
    if (entry) {
      const fields = isFields(value) ? bareNames(value) : wrong('an object');
      return theirs(() => entry.parseJson(fields));
    }
    if (reading.unknown === 'keep') return new UnknownObject(tag);
    throw new Trace('class', '', undefined, [name, module]);
  }
  const custom = settings.custom.get(name);
  if (custom) return theirs(() => custom.parseJson(value as never));
  switch (name) {
    case 'undefined':
      return undefined;
    case 'Map':
      return list().every((pair) => Array.isArray(pair) && pair.length === 2)
        ? new Map(list())
        : wrong('a list of pairs');
    case 'Uint8Array':
      return theirs(() => Uint8Array.from(atob(text(value)), (char) => char.charCodeAt(0)));
    case 'URL':
      return theirs(() => new URL(text(value)));
    case 'Error':
      return (isFields(value) && readError(value)) || wrong('that of an error of the language');
  }
  return new UnknownObject(tag);
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

function readDatetime(reading: Reading, value: unknown): unknown {
  const fields =
    isFields(value) && Object.hasOwn(value, 'tz') && Object.hasOwn(value, 'timestamp') ? value : {};
  if (fields['tz'] !== 'UTC' || typeof fields['timestamp'] !== 'number') {
    return fail('tag', 'a datetime is {"tz":"UTC","timestamp":seconds}');
  }
  const date = fromTimestamp(fields['timestamp']);
  if (!date) return fail('tag', 'a datetime lies in the years 1 to 9999');
  const kind = reading.settings.datetime;
  if (!kind) return date;
  const full = date instanceof Datetime ? date : new Datetime(date.getTime());
  return theirs(() => kind.parseJson(full));
}

function readDecimal(reading: Reading, value: unknown): unknown {
  if (typeof value !== 'string') return fail('tag', 'the digits of a decimal are a string');
  const { decimal: Chosen, maxDigits } = reading.settings;
  if (Chosen && value.length > maxDigits) {
    return fail('digits', `a decimal of ${value.length} digits: more than maxDigits, ${maxDigits}`);
  }
  try {
    const own = new Decimal(value);
    return Chosen ? new Chosen(value) : own;
  } catch (cause) {
    return fail('tag', `${JSON.stringify(value.slice(0, 40))} is not a decimal`, cause);
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
