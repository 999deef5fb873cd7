import { AjsonError } from './AjsonError.ts';
import { fromBase64 } from './base64.ts';
import type { DecimalClass } from './createAjson.ts';
import { Decimal, isFiniteDecimal } from './Decimal.ts';
import { formatPath, quote } from './formatPath.ts';

/** Options of {@link fromDynamoJson}. */
export interface FromDynamoJsonOptions {
  /**
   * The type of numbers: `decimal` (default) gives a `Decimal`; `number` gives a number, or a bigint for an integer
   * past 2^53; a class such as that of decimal.js gives an instance of it.
   */
  readonly number?: 'decimal' | 'number' | DecimalClass;
}

/** The keys that lead to a value; undefined at the top. */
type Place = { readonly key: string | number; readonly up: Place; readonly depth: number } | undefined;

function within(up: Place, key: string | number): Place {
  return { key, up, depth: (up?.depth ?? 0) + 1 };
}

/**
 * The value of DynamoDB's tagged JSON: `{ N: '1.10' }` is a Decimal, `{ SS: […] }` a Set, `{ B: '…' }` a Uint8Array
 * of its base64. Takes one tagged value or an item, which is an object of tagged values, such as the `NewImage` of a
 * stream's record. `toDynamoJson` is the way back.
 *
 * @throws AjsonError with the path of anything else, of an `N` that is not a finite number, and beyond 512 levels
 *
 * @example
 * fromDynamoJson({ id: { S: 'a' }, price: { N: '1.10' } }); // { id: 'a', price: Decimal 1.10 }
 * fromDynamoJson({ stock: { N: '9' } }, { number: 'number' }); // { stock: 9 }
 */
export function fromDynamoJson<T = unknown>(json: unknown, options: FromDynamoJsonOptions = {}): T {
  const { number: type = 'decimal' } = options;
  const numberOf = (digits: string) => {
    if (type === 'decimal') return new Decimal(digits);
    if (typeof type === 'function') return new type(digits);
    return /^-?\d+$/.test(digits) && !Number.isSafeInteger(Number(digits)) ? BigInt(digits) : Number(digits);
  };
  if (typeof type !== 'function' && type !== 'decimal' && type !== 'number')
    throw new AjsonError('class', `fromDynamoJson: number must be 'decimal', 'number' or a class`);

  const kinds: Readonly<Record<string, (value: unknown, place: Place) => unknown>> = {
    __proto__: null as never,
    S: string,
    N: number,
    B: binary,
    BOOL: (value, place) =>
      typeof value === 'boolean' ? value : refuse(place, 'BOOL must be true or false'),
    NULL: (value, place) => (value === true ? null : refuse(place, 'NULL must be true')),
    L: (value, place) => list(value, place).map((member, index) => decode(member, within(place, index))),
    M: item,
    SS: (value, place) => setOf(value, place, string),
    NS: (value, place) => setOf(value, place, number),
    BS: (value, place) => setOf(value, place, binary),
  };

  function decode(json: unknown, place: Place): unknown {
    const entries = isObject(json) ? Object.entries(json) : [];
    const [kind, value] = entries[0] ?? [];
    const read = kind !== undefined && entries.length === 1 ? kinds[kind] : undefined;
    if (!read || kind === undefined)
      return refuse(place, `expected an object with one of ${Object.keys(kinds)}`);
    if (place && place.depth >= 1024) return refuse(place, 'too deep');
    return read(value, within(place, kind));
  }

  function item(json: unknown, place: Place): unknown {
    if (!isObject(json)) return refuse(place, 'expected an object of tagged values');
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [key, decode(value, within(place, key))]),
    );
  }

  function number(value: unknown, place: Place): unknown {
    const digits = string(value, place);
    return isFiniteDecimal(digits)
      ? numberOf(digits)
      : refuse(place, `${quote(digits.slice(0, 40))} is not a number`);
  }

  /** Tells a tagged value from an item whose only attribute has the name of a kind. */
  function isTagged(json: unknown): boolean {
    if (!hasOneKind(json)) return false;
    const [[kind, value] = []] = Object.entries(json);
    if (!isObject(value) || value instanceof Uint8Array) return true;
    return kind === 'M' && Object.values(value).every(hasOneKind);
  }

  function hasOneKind(json: unknown): json is object {
    const keys = isObject(json) ? Object.keys(json) : [];
    return keys.length === 1 && (keys[0] as string) in kinds;
  }

  return (isTagged(json) ? decode(json, undefined) : item(json, undefined)) as T;
}

function string(value: unknown, place: Place): string {
  return typeof value === 'string' ? value : refuse(place, 'expected a string');
}

/** Base64 as JSON has it, or the bytes as the AWS SDK has them. */
function binary(value: unknown, place: Place): Uint8Array {
  if (value instanceof Uint8Array) return value;
  try {
    return fromBase64(string(value, place));
  } catch {
    return refuse(place, 'expected base64');
  }
}

function setOf<T>(value: unknown, place: Place, read: (member: unknown, place: Place) => T): Set<T> {
  return new Set(list(value, place).map((member, index) => read(member, within(place, index))));
}

function list(value: unknown, place: Place): unknown[] {
  return Array.isArray(value) ? value : refuse(place, 'expected a list');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(place: Place, reason: string): never {
  const keys: (string | number)[] = [];
  for (let at = place; at; at = at.up) keys.push(at.key);
  throw new AjsonError('tag', reason, { path: formatPath(keys.reverse()) });
}
