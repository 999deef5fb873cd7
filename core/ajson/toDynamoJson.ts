import type { DecimalClass } from './createAjson.ts';
import { isFiniteDecimal } from './Decimal.ts';
import { assertDepth, fail, pathAt, pathOf } from './ErrorPath.ts';
import { isPlain } from './isPlain.ts';
import { LIMITS } from './parseExact.ts';
import { KIND, kindOf, nameOf } from './recognise.ts';

/** Options of {@link toDynamoJson}. */
export interface ToDynamoJsonOptions {
  /** A class of numbers, such as that of decimal.js, whose instances are written as `N`. Default: only `Decimal`. */
  readonly number?: DecimalClass;
}

/** A value in DynamoDB's tagged JSON. */
export type DynamoJson = Readonly<Record<string, unknown>>;

/**
 * DynamoDB's tagged JSON of a value, as `fromDynamoJson` reads it and as the commands of `@aws-sdk/client-dynamodb`
 * take it. A plain object gives an item, any other value one tagged value. Bytes stay a Uint8Array; a member that is
 * undefined is left out.
 *
 * @throws AjsonError with the path of a value that DynamoDB does not have: a Date, NaN, an empty or mixed Set, a class
 *
 * @example
 * toDynamoJson({ id: 'a', price: new Decimal('1.10') }); // { id: { S: 'a' }, price: { N: '1.10' } }
 */
export function toDynamoJson(value: unknown, options: ToDynamoJsonOptions = {}): DynamoJson {
  try {
    if (typeof value === 'object' && value && isPlain(value)) return item(value, options.number, 0);
    return tagged(value, options.number, 0);
  } catch (error) {
    throw pathOf(error).toError();
  }
}

function item(object: object, type: DecimalClass | undefined, depth: number): DynamoJson {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, at(key, () => tagged(value, type, depth + 1))]),
  );
}

function tagged(value: unknown, type: DecimalClass | undefined, depth: number): DynamoJson {
  assertDepth(depth, LIMITS.maxDepth);
  const digits = digitsOf(value, type);
  if (digits !== undefined)
    return { N: isFiniteDecimal(digits) ? digits : fail('value', `${digits} is not a number of DynamoDB`) };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (Array.isArray(value))
    return { L: Array.from(value, (member, index) => at(index, () => tagged(member, type, depth + 1))) };
  if (typeof value !== 'object')
    return fail(
      'value',
      `DynamoDB has no ${typeof value}: ${value === undefined ? 'send null' : 'leave it out'}`,
    );
  if (isPlain(value)) return { M: item(value, type, depth) };
  const kind = kindOf(value);
  if (kind === 'Uint8Array') return { B: value };
  if (kind !== 'set' && kind !== 'frozenset') {
    const name = nameOf(value);
    if (!name) fail('value', 'an object with a prototype is not a map of DynamoDB: send { ...value }');
    return fail('value', `DynamoDB has no ${name}: send a text or a number, or a plain object`);
  }
  const members = Array.from(
    value as Set<unknown>,
    (member) => Object.entries(tagged(member, type, depth))[0] ?? [],
  );
  const name = members[0]?.[0];
  if (!['S', 'N', 'B'].includes(String(name)) || members.some(([other]) => other !== name))
    return fail('value', 'a Set must hold at least one member, and only texts, only numbers or only bytes');
  return { [`${name}S`]: members.map(([, member]) => member) };
}

function digitsOf(value: unknown, type: DecimalClass | undefined): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || !value) return undefined;
  const isDecimal = (value as { [KIND]?: unknown })[KIND] === 'decimal' || (type && value instanceof type);
  return isDecimal ? String(value) : undefined;
}

function at<T>(key: string | number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw pathAt(error, key);
  }
}
