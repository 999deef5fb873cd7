import { AjsonError, AlgernonError } from '../errors.ts';
import { Decimal } from './Decimal.ts';
import { formatPath } from './formatPath.ts';
import { fromBase64 } from './fromBase64.ts';

type Keys = readonly (string | number)[];

/**
 * The value of DynamoDB's tagged JSON: `{ N: '1.10' }` is a Decimal, `{ SS: […] }` a Set, `{ B: '…' }` a Uint8Array
 * of its base64. Takes one tagged value, or an item, which is an object of tagged values, such as the `NewImage` of
 * a stream's record. Throws an `AjsonError` with the path of what is neither; levels beyond 512 are refused.
 *
 * @example
 * fromDynamoJson({ id: { S: 'a' }, price: { N: '1.10' } }); // { id: 'a', price: Decimal 1.10 }
 */
export function fromDynamoJson<T = unknown>(json: unknown): T {
  return (isTagged(json) && holdsItsKind(json) ? decode(json, []) : item(json, [])) as T;
}

const KINDS: ReadonlyMap<string, (value: unknown, keys: Keys) => unknown> = new Map([
  ['S', (value, keys) => string(value, keys)],
  ['N', decimal],
  ['B', binary],
  ['BOOL', (value, keys) => (typeof value === 'boolean' ? value : refuse(keys, 'BOOL is true or false'))],
  ['NULL', (value, keys) => (value === true ? null : refuse(keys, 'NULL is true'))],
  ['L', (value, keys) => list(value, keys).map((member, index) => decode(member, [...keys, index]))],
  ['M', item],
  ['SS', (value, keys) => setOf(value, keys, string)],
  ['NS', (value, keys) => setOf(value, keys, decimal)],
  ['BS', (value, keys) => setOf(value, keys, binary)],
] satisfies [string, (value: unknown, keys: Keys) => unknown][]);

function decode(json: unknown, keys: Keys): unknown {
  const entries = isObject(json) ? Object.entries(json) : [];
  const [kind, value] = entries[0] ?? [];
  const read = kind !== undefined && entries.length === 1 ? KINDS.get(kind) : undefined;
  if (!read || kind === undefined) return refuse(keys, `an object with one of ${[...KINDS.keys()]} is due`);
  if (keys.length >= 1024) return refuse(keys, 'too deep');
  return read(value, [...keys, kind]);
}

function item(json: unknown, keys: Keys): unknown {
  if (!isObject(json)) return refuse(keys, 'an object of tagged values is due');
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, decode(value, [...keys, key])]));
}

function string(value: unknown, keys: Keys): string {
  return typeof value === 'string' ? value : refuse(keys, 'a string is due');
}

function decimal(value: unknown, keys: Keys): Decimal {
  const digits = string(value, keys);
  try {
    return new Decimal(digits);
  } catch (error) {
    return refuse(keys, `${error instanceof AlgernonError ? error.message : error}`);
  }
}

/** Base64 as JSON has it, or the bytes as the AWS SDK has them. */
function binary(value: unknown, keys: Keys): Uint8Array {
  if (value instanceof Uint8Array) return value;
  try {
    return fromBase64(string(value, keys));
  } catch {
    return refuse(keys, 'base64 is due');
  }
}

function setOf<T>(value: unknown, keys: Keys, read: (member: unknown, keys: Keys) => T): Set<T> {
  return new Set(list(value, keys).map((member, index) => read(member, [...keys, index])));
}

function list(value: unknown, keys: Keys): unknown[] {
  return Array.isArray(value) ? value : refuse(keys, 'a list is due');
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

function refuse(keys: Keys, reason: string): never {
  throw new AjsonError('tag', reason, { path: formatPath(keys) });
}
