import { AlgObject } from './AlgObject.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlain } from './isPlain.ts';
import { ERRORS, errorFields } from './readError.ts';
import { theirs } from './readTag.ts';
import type { ClassEntry } from './registerClass.ts';
import { fail } from './Trace.ts';
import { Tuple, toTuple } from './Tuple.ts';
import { toTimestamp } from './timestamp.ts';
import { anyToWire, dense, rawNumber, toWire, type Writing } from './toWire.ts';
import { UnknownObject } from './UnknownObject.ts';

/** The tag for a value that JSON lacks. */
export function tagOf(writing: Writing, value: unknown, depth: number, proto?: object): unknown {
  if (typeof value === 'bigint') return rawNumber(String(value));
  if (value === undefined) return tag('undefined', null);
  const entry = proto && writing.settings.prototypes.get(proto);
  if (entry) return registeredTag(writing, value as object, entry, depth);
  switch (proto) {
    case Date.prototype:
    case Datetime.prototype:
      return dateTag(value as Date);
    case Set.prototype:
      return tag('set', members(writing, value as Set<unknown>, depth));
    case FrozenSet.prototype:
      return tag('frozenset', members(writing, value as Set<unknown>, depth));
    case Tuple.prototype:
      return tag('tuple', toWire(writing, Array.from(value as Tuple), depth, true));
    case Decimal.prototype:
      return tag('decimal', String(value));
    case Map.prototype:
      return tag('Map', toWire(writing, [...(value as Map<unknown, unknown>)], depth, true));
    case URL.prototype:
      return tag('URL', String(value));
    case UnknownObject.prototype:
      return Object.fromEntries(
        Object.entries((value as UnknownObject).tag).map(([key, member]) => [
          key,
          anyToWire(writing, member, depth + 1),
        ]),
      );
  }
  return otherTag(writing, value, depth, proto);
}

function tag(name: string, value: unknown): unknown {
  return { _alg_class: name, value };
}

function dateTag(date: Date): unknown {
  const timestamp =
    toTimestamp(date) ??
    fail('value', 'no datetime of the years 1 to 9999, or microseconds that a float cannot hold');
  return tag('datetime', { tz: 'UTC', timestamp });
}

/** Python has no lists in a set, but tuples. */
function members(writing: Writing, set: Set<unknown>, depth: number): unknown {
  const items = [...set];
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (Array.isArray(item) && !(item instanceof Tuple)) items[index] = toTuple(dense(item));
  }
  return toWire(writing, items, depth, true);
}

function registeredTag(writing: Writing, value: object, entry: ClassEntry, depth: number): unknown {
  const { name, module, toJson } = entry;
  if (!toJson)
    return { _alg_class: name, _alg_module: module, value: toWire(writing, { ...value }, depth + 1, true) };
  const fields = theirs(() => toJson(value));
  if (typeof fields !== 'object' || !fields || Array.isArray(fields) || !isPlain(fields)) {
    return fail('class', `toJson of ${name} gives no plain object`);
  }
  return { _alg_class: name, _alg_module: module, value: toWire(writing, fields, depth + 1) };
}

function otherTag(writing: Writing, value: unknown, depth: number, proto: unknown): unknown {
  const { datetime, decimal, custom } = writing.settings;
  // A plain list or object of another realm.
  if (Array.isArray(value) && Array.isArray(proto)) return toWire(writing, [...dense(value)], depth, true);
  if (typeof value === 'object' && value && isPlain(value)) return toWire(writing, { ...value }, depth, true);
  if (datetime?.is(value)) return dateTag(theirs(() => datetime.toJson(value as never)));
  if (decimal && value instanceof decimal) {
    // The sign of -0 is in `valueOf` alone.
    const plain = value.valueOf();
    return tag('decimal', typeof plain === 'string' ? plain : String(value));
  }
  for (const [name, kind] of custom) {
    if (kind.is(value))
      return tag(
        name,
        anyToWire(
          writing,
          theirs(() => kind.toJson(value as never)),
          depth + 1,
        ),
      );
  }
  if (value instanceof Uint8Array) {
    let binary = '';
    for (const byte of value) binary += String.fromCharCode(byte);
    return tag('Uint8Array', btoa(binary));
  }
  const type: unknown = typeof value === 'object' && value ? value.constructor : undefined;
  const name = typeof type === 'function' ? type.name : '';
  if (value instanceof Error && Object.getPrototypeOf(value) === ERRORS.get(name)?.prototype) {
    return tag('Error', toWire(writing, errorFields(name, value), depth));
  }
  const hint = value instanceof Promise ? 'await it first' : 'register its class, or make it a custom kind';
  const advice = value instanceof AlgObject ? "ajson.register(its class, { module: '…' })" : hint;
  return fail('value', `${name || typeof value} has no place on the wire: ${advice}`);
}
