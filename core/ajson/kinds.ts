import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { define } from './define.ts';
import { FrozenSet } from './FrozenSet.ts';
import { formOf } from './formOf.ts';
import { fromBase64 } from './fromBase64.ts';
import { isPlainList } from './isPlainList.ts';
import { isRaw } from './markRaw.ts';
import { assertDepth, fail, traceAt } from './Trace.ts';
import { Tuple, toTuple } from './Tuple.ts';
import { fromTimestamp, toTimestamp } from './timestamp.ts';
import { anyToWire, dense, toWire, type Writing } from './toWire.ts';
import { UnknownObject } from './UnknownObject.ts';

/** A kind of value that JSON lacks: how it is written as a tag, and read again. */
export interface Kind {
  /** The name of the tag. Without one, what `write` gives is the whole tag. */
  readonly name?: string | undefined;
  /** The module, where it is a class of the user's. */
  readonly module?: string;
  /** The classes whose own instances are of the kind. */
  readonly classes: readonly { readonly prototype: object }[];
  /** The form of what the tag holds. */
  readonly holds?: string | undefined;
  /** What the tag is to hold. */
  write(value: never, writing: Writing, depth: number): unknown;
  /** The value, of what the tag holds. */
  read(held: never): unknown;
}

type Row<Name> = readonly [Name, Kind['classes'], Kind['holds'], Kind['write'], Kind['read']];

/** The errors of the language itself. */
const ERRORS: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** The kinds that Python has too, by name. */
export const SHARED: ReadonlyMap<string, Kind> = /* @__PURE__ */ kindsOf([
  ['set', [Set], 'a list', writeMembers, (items: []) => new Set(items)],
  ['frozenset', [FrozenSet], 'a list', writeMembers, (items: []) => new FrozenSet(items)],
  ['tuple', [Tuple], 'a list', writeItems, toTuple],
  ['datetime', [Date, Datetime], 'an object', writeDate, readDate],
  [
    'decimal',
    [Decimal],
    'a string',
    (decimal: Decimal) => decimal.toString(),
    (digits: string) => new Decimal(digits),
  ],
]);

/** The kinds of our own, by name. */
export const OWN: ReadonlyMap<string | undefined, Kind> = /* @__PURE__ */ kindsOf([
  ['undefined', [], undefined, () => null, () => undefined],
  ['Map', [Map], 'a list', writeItems, readMap],
  ['Uint8Array', [Uint8Array], 'a string', writeBytes, fromBase64],
  ['URL', [URL], 'a string', String, (href: string) => new URL(href)],
  ['Error', ERRORS, 'an object', writeError, readError],
  [undefined, [UnknownObject], undefined, writeUnknown, (tag) => tag],
]);

function kindsOf<Name extends string | undefined>(rows: readonly Row<Name>[]): Map<Name, Kind> {
  return new Map(
    rows.map(([name, classes, holds, write, read]) => [name, { name, classes, holds, write, read }]),
  );
}

function writeItems(items: Iterable<unknown>, writing: Writing, depth: number): unknown {
  return toWire(writing, Array.from(items), depth, true);
}

/** Python has no lists in a set, but tuples. */
function writeMembers(set: ReadonlySet<unknown>, writing: Writing, depth: number): unknown {
  return toWire(writing, hashable([...set], depth, writing.settings.maxDepth), depth, true);
}

/** The items with tuples in place of the lists among them, and of the lists in those. */
function hashable(items: unknown[], depth: number, maxDepth: number): unknown[] {
  assertDepth(depth, maxDepth);
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (!Array.isArray(item) || isRaw(item) || !(isPlainList(item) || item instanceof Tuple)) continue;
    try {
      // The list is one level below its tag.
      items[index] = toTuple(hashable([...dense(item)], depth + 2, maxDepth));
    } catch (error) {
      throw traceAt(error, index);
    }
  }
  return items;
}

function writeUnknown({ tag }: UnknownObject, writing: Writing, depth: number): unknown {
  const written = Object.entries(tag).map(([key, value]) => {
    try {
      return [key, anyToWire(writing, value, depth)];
    } catch (error) {
      throw traceAt(error, key);
    }
  });
  return Object.fromEntries(written);
}

export function writeDate(date: Date, writing: Writing, depth: number): unknown {
  assertDepth(depth, writing.settings.maxDepth);
  const timestamp =
    toTimestamp(date) ??
    fail('value', 'no datetime of the years 1 to 9999, or microseconds that a float cannot hold');
  return { tz: 'UTC', timestamp };
}

export function readDate(held: { tz?: unknown; timestamp?: unknown }): Date {
  const isUtc = Object.hasOwn(held, 'tz') && held.tz === 'UTC';
  const seconds = isUtc && Object.hasOwn(held, 'timestamp') ? held.timestamp : undefined;
  const date = typeof seconds === 'number' && fromTimestamp(seconds);
  return date || fail('tag', 'a datetime is {"tz":"UTC","timestamp":seconds}, of the years 1 to 9999');
}

function readMap(pairs: [unknown, unknown][]): Map<unknown, unknown> {
  if (!pairs.every((pair) => formOf(pair) === 'a list' && pair.length === 2))
    fail('tag', 'the value of Map must be a list of pairs');
  return new Map(pairs);
}

function writeBytes(bytes: Uint8Array): string {
  let base64 = '';
  // As many at once as a function may surely have arguments, and a multiple of three, so that nothing is padded within.
  for (let start = 0; start < bytes.length; start += 6144)
    base64 += btoa(Reflect.apply(String.fromCharCode, null, bytes.subarray(start, start + 6144)));
  return base64;
}

const HIDDEN = ['message', 'cause'] as const;

/** All but the stack. */
function writeError(error: Error, writing: Writing, depth: number): unknown {
  const fields: Record<string, unknown> = {
    name: Object.getPrototypeOf(error).name,
    fields: { ...error },
  };
  for (const key of HIDDEN) if (Object.hasOwn(error, key)) fields[key] = error[key];
  return toWire(writing, fields, depth);
}

/** The stack is that of the reading. */
function readError({ name, fields, ...hidden }: Record<string, unknown>): Error {
  const Type = ERRORS.find((type) => type.name === name);
  if (!Type) return fail('tag', 'the value of Error must be of a built-in error');
  const error = new Type();
  const isMessage = typeof (Object.hasOwn(hidden, 'message') ? hidden['message'] : '') === 'string';
  if (!isMessage || formOf(fields ?? {}) !== 'an object')
    fail('tag', 'an error has a message that is a string, and fields that are an object');
  for (const key of HIDDEN) if (Object.hasOwn(hidden, key)) define(error, key, hidden[key], false);
  for (const [key, value] of Object.entries(fields ?? {})) define(error, key, value, true);
  return error;
}
