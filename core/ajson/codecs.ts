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
import { fieldsToWire, itemsToWire, membersToWire, type Writing } from './write.ts';

/** The codecs of the kinds that Python has too, by name. Python can hash all of them but `set`. */
export const SHARED: ReadonlyMap<string, Codec> = /* @__PURE__ */ byName([
  ['set', 'a list', [Set], writeSet, (items: []) => new Set(items), true],
  ['frozenset', 'a list', [FrozenSet], writeSet, (items: []) => new FrozenSet(items), true],
  ['tuple', 'a list', [Tuple], /* @__PURE__ */ writeList('tuple'), toTuple, true],
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
  ['undefined', undefined, [], () => undefined, () => undefined],
  ['Map', 'a list', [Map], /* @__PURE__ */ writeList('Map'), readMap],
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

function writeSet(set: ReadonlySet<unknown>, writing: Writing, depth: number): unknown {
  const isFrozen = writing.hashing || KIND in set;
  return {
    _alg_class: isFrozen ? 'frozenset' : 'set',
    value: membersToWire(writing, Array.from(set), depth + 1),
  };
}

function writeList(name: string): Codec['write'] {
  return (items: Iterable<unknown>, writing, depth) => ({
    _alg_class: name,
    value: itemsToWire(writing, Array.from(items), depth + 1),
  });
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
  const { hashing } = writing;
  writing.hashing = false;
  const wire = fieldsToWire(writing, tag, depth, true);
  writing.hashing = hashing;
  return wire;
}
