import { AjsonError, AlgernonError } from '../errors.ts';
import { Decimal } from './Decimal.ts';
import { formatPath } from './formatPath.ts';
import { fromBase64 } from './fromBase64.ts';

/** Where in the value something stands; undefined at the top. */
type Place = { readonly key: string | number; readonly up: Place; readonly depth: number } | undefined;

function within(up: Place, key: string | number): Place {
  return { key, up, depth: (up?.depth ?? 0) + 1 };
}

/**
 * The value of DynamoDB's tagged JSON: `{ N: '1.10' }` is a Decimal, `{ SS: […] }` a Set, `{ B: '…' }` a Uint8Array
 * of its base64. Takes one tagged value, or an item, which is an object of tagged values, such as the `NewImage` of
 * a stream's record. Throws an `AjsonError` with the path of what is neither; levels beyond 512 are refused.
 *
 * @example
 * fromDynamoJson({ id: { S: 'a' }, price: { N: '1.10' } }); // { id: 'a', price: Decimal 1.10 }
 */
export function fromDynamoJson<T = unknown>(json: unknown): T {
  return (isTagged(json) && holdsItsKind(json) ? decode(json, undefined) : item(json, undefined)) as T;
}

const KINDS: ReadonlyMap<string, (value: unknown, place: Place) => unknown> = new Map([
  ['S', (value, place) => string(value, place)],
  ['N', decimal],
  ['B', binary],
  ['BOOL', (value, place) => (typeof value === 'boolean' ? value : refuse(place, 'BOOL is true or false'))],
  ['NULL', (value, place) => (value === true ? null : refuse(place, 'NULL is true'))],
  ['L', (value, place) => list(value, place).map((member, index) => decode(member, within(place, index)))],
  ['M', item],
  ['SS', (value, place) => setOf(value, place, string)],
  ['NS', (value, place) => setOf(value, place, decimal)],
  ['BS', (value, place) => setOf(value, place, binary)],
] satisfies [string, (value: unknown, place: Place) => unknown][]);

function decode(json: unknown, place: Place): unknown {
  const entries = isObject(json) ? Object.entries(json) : [];
  const [kind, value] = entries[0] ?? [];
  const read = kind !== undefined && entries.length === 1 ? KINDS.get(kind) : undefined;
  if (!read || kind === undefined) return refuse(place, `an object with one of ${[...KINDS.keys()]} is due`);
  if (place && place.depth >= 1024) return refuse(place, 'too deep');
  return read(value, within(place, kind));
}

function item(json: unknown, place: Place): unknown {
  if (!isObject(json)) return refuse(place, 'an object of tagged values is due');
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, decode(value, within(place, key))]),
  );
}

function string(value: unknown, place: Place): string {
  return typeof value === 'string' ? value : refuse(place, 'a string is due');
}

function decimal(value: unknown, place: Place): Decimal {
  const digits = string(value, place);
  try {
    return new Decimal(digits);
  } catch (error) {
    return refuse(place, `${error instanceof AlgernonError ? error.message : error}`);
  }
}

/** Base64 as JSON has it, or the bytes as the AWS SDK has them. */
function binary(value: unknown, place: Place): Uint8Array {
  if (value instanceof Uint8Array) return value;
  try {
    return fromBase64(string(value, place));
  } catch {
    return refuse(place, 'base64 is due');
  }
}

function setOf<T>(value: unknown, place: Place, read: (member: unknown, place: Place) => T): Set<T> {
  return new Set(list(value, place).map((member, index) => read(member, within(place, index))));
}

function list(value: unknown, place: Place): unknown[] {
  return Array.isArray(value) ? value : refuse(place, 'a list is due');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTagged(value: unknown): value is object {
  const keys = isObject(value) ? Object.keys(value) : [];
  return keys.length === 1 && KINDS.has(keys[0] as string);
}

/** Tells a tagged value from an item whose one attribute is called as a kind is. */
function holdsItsKind(tagged: object): boolean {
  const [[kind, value] = []] = Object.entries(tagged);
  if (!isObject(value) || value instanceof Uint8Array) return true;
  return kind === 'M' && Object.values(value).every(isTagged);
}

function refuse(place: Place, reason: string): never {
  const keys: (string | number)[] = [];
  for (let at = place; at; at = at.up) keys.push(at.key);
  throw new AjsonError('tag', reason, { path: formatPath(keys.reverse()) });
}
