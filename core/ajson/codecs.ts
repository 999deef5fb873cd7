import type { Fields } from './AlgObject.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { readDate, writeDate } from './datetimeCodec.ts';
import { fail } from './ErrorPath.ts';
import { readError, writeError } from './errorCodec.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlainList } from './isPlain.ts';
import type { Codec } from './registry.ts';
import { Tuple, toTuple } from './Tuple.ts';
import { UnknownObject } from './UnknownObject.ts';
import { copyList, fieldsToWire, listToWire, type Writing } from './write.ts';

/** The codecs of the kinds that Python has too, by name. Python can hash all of them but `set`. */
export const SHARED: ReadonlyMap<string, Codec> = /* @__PURE__ */ byName([
  ['set', 'a list', [Set], writeSet, (items: []) => new Set(items), true],
  ['frozenset', 'a list', [FrozenSet], writeSet, (items: []) => new FrozenSet(items), true],
  ['tuple', 'a list', [Tuple], writeTuple, toTuple, true],
  ['datetime', 'an object', [Date, Datetime], writeDate, (held: Fields) => readDate(held), true],
  ['decimal', 'a string', [Decimal], writeText, (digits: string) => new Decimal(digits), true],
]);

/** The codecs of our own kinds, which Python passes on as a dict. */
export const OWN: ReadonlyMap<string, Codec> = /* @__PURE__ */ byName([
  ['undefined', undefined, [], () => null, () => undefined],
  ['Map', 'a list', [Map], writeMap, readMap],
  ['Uint8Array', 'a string', [Uint8Array], toBase64, fromBase64],
  ['URL', 'a string', [URL], writeText, (href: string) => new URL(href)],
  ['Error', 'an object', [], writeError, readError],
  ['', undefined, [UnknownObject], writeUnknown, (_, tag) => new UnknownObject(tag), true],
]);

type Row = readonly [
  name: string,
  holds: Codec['holds'],
  classes: Codec['classes'],
  write: Codec['write'],
  read: Codec['read'],
  hashable?: boolean,
];

function byName(rows: readonly Row[]): Map<string, Codec> {
  return new Map(
    rows.map(([name, holds, classes, write, read, hashable]) => [
      name,
      { name, holds, classes, write, read, hashable },
    ]),
  );
}

function writeSet(set: ReadonlySet<unknown>, writing: Writing, depth: number): unknown {
  return listToWire({ ...writing, hashing: true }, Array.from(set), depth, true);
}

function writeTuple(items: unknown[], writing: Writing, depth: number): unknown {
  return listToWire(writing, copyList(items), depth, true);
}

function writeMap(map: ReadonlyMap<unknown, unknown>, writing: Writing, depth: number): unknown {
  return listToWire(writing, Array.from(map), depth, true);
}

function readMap(pairs: [unknown, unknown][]): Map<unknown, unknown> {
  if (!pairs.every((pair) => isPlainList(pair) && pair.length === 2))
    fail('tag', 'the value of Map must be a list of pairs');
  return new Map(pairs);
}

function writeText(value: object): string {
  return value.toString();
}

/** A tag that was kept is written as it came. */
function writeUnknown({ tag }: UnknownObject, writing: Writing, depth: number): unknown {
  return fieldsToWire({ ...writing, hashing: false }, tag, depth - 1, true);
}
