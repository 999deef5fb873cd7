import { fromBase64, toBase64 } from './base64.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { readDate, writeDate } from './datetimeCodec.ts';
import { fail } from './ErrorPath.ts';
import { readError, writeError } from './errorCodec.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlainList } from './isPlain.ts';
import { KIND } from './recognise.ts';
import type { Codec } from './registry.ts';
import { Tuple, toTuple } from './Tuple.ts';
import { UnknownObject } from './UnknownObject.ts';
import { copyList, fieldsToWire, itemsToWire, type Writing } from './write.ts';

/** The codecs of the kinds that Python has too, by name. Python can hash all of them but `set`. */
export const SHARED: ReadonlyMap<string, Codec> = /* @__PURE__ */ byName([
  ['set', 'a list', [Set], writeSet, (items: []) => new Set(items), true],
  ['frozenset', 'a list', [FrozenSet], writeSet, (items: []) => new FrozenSet(items), true],
  ['tuple', 'a list', [Tuple], writeTuple, toTuple, true],
  ['datetime', 'an object', [Date, Datetime], writeDate, (held: object) => readDate(held), true],
  [
    'decimal',
    'a string',
    [Decimal],
    /* @__PURE__ */ writeText('decimal'),
    (digits: string) => new Decimal(digits),
    true,
  ],
]);

/** The codecs of our own kinds, which Python passes on as a dict. */
export const OWN: ReadonlyMap<string, Codec> = /* @__PURE__ */ byName([
  ['undefined', undefined, [], () => ({ _alg_class: 'undefined', value: null }), () => undefined],
  ['Map', 'a list', [Map], writeMap, readMap],
  [
    'Uint8Array',
    'a string',
    [Uint8Array],
    (bytes: Uint8Array) => ({ _alg_class: 'Uint8Array', value: toBase64(bytes) }),
    fromBase64,
  ],
  ['URL', 'a string', [URL], /* @__PURE__ */ writeText('URL'), (href: string) => new URL(href)],
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

/** A set within a set is a frozenset, since Python must be able to hash it. */
function writeSet(set: ReadonlySet<unknown>, writing: Writing, depth: number): unknown {
  const name = writing.hashing || KIND in set ? 'frozenset' : 'set';
  writing.hashing = true;
  return { _alg_class: name, value: itemsToWire(writing, Array.from(set), depth + 1) };
}

function writeTuple(items: unknown[], writing: Writing, depth: number): unknown {
  return { _alg_class: 'tuple', value: itemsToWire(writing, copyList(items), depth + 1) };
}

function writeMap(map: ReadonlyMap<unknown, unknown>, writing: Writing, depth: number): unknown {
  return { _alg_class: 'Map', value: itemsToWire(writing, Array.from(map), depth + 1) };
}

function writeText(name: string): Codec['write'] {
  return (value: object) => ({ _alg_class: name, value: value.toString() });
}

function readMap(pairs: [unknown, unknown][]): Map<unknown, unknown> {
  if (!pairs.every((pair) => isPlainList(pair) && pair.length === 2))
    fail('tag', 'the value of Map must be a list of pairs');
  return new Map(pairs);
}

/** A tag that was kept is written as it came. */
function writeUnknown({ tag }: UnknownObject, writing: Writing, depth: number): unknown {
  writing.hashing = false;
  return fieldsToWire(writing, tag, depth, true);
}
