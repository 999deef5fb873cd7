import type { AjsonErrorKind } from '../errors.ts';
import { AjsonError } from '../errors.ts';
import { AlgObject, type Fields } from './AlgObject.ts';
import { Decimal } from './Decimal.ts';
import { FrozenSet } from './FrozenSet.ts';
import { isPlain } from './isPlain.ts';
import { isRaw } from './markRaw.ts';
import { ERRORS, errorFields } from './readError.ts';
import { failAt } from './readTag.ts';
import type { Settings } from './settings.ts';
import { Tuple } from './Tuple.ts';
import { toTimestamp } from './timestamp.ts';
import { UnknownObject } from './UnknownObject.ts';

/** A writing under way: the settings, and the keys that led to the container that is written. */
export interface Writing {
  readonly settings: Settings;
  readonly keys: (string | number)[];
  readonly nan: boolean;
  /** Whether plain objects that look like a tag are written as they are. */
  tags: boolean;
  /** Whether all objects have members that nobody gave them. */
  readonly polluted: boolean;
}

const MAX = Number.MAX_SAFE_INTEGER;

/**
 * The text of a value, or undefined where `JSON.stringify` would write it exactly: so a plain tree is looked
 * through once, and then written natively as a whole. Throws on what has no place on the wire.
 */
export function writeValue(writing: Writing, value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return writeNumber(writing, value, depth);
    case 'bigint':
      return String(value);
    case 'undefined':
      return '{"_alg_class":"undefined","value":null}';
    case 'object':
      if (value === null) return undefined;
      if (depth >= writing.settings.maxDepth) {
        return failAt(writing, depth, 'depth', `deeper than ${writing.settings.maxDepth} levels, or a cycle`);
      }
      if (Array.isArray(value)) {
        if (value instanceof Tuple) return tag('tuple', writeList(writing, value, depth + 1, 'value'));
        return writeArray(writing, value, depth);
      }
      return isPlain(value)
        ? writePlain(writing, value as Fields, depth)
        : writeInstance(writing, value, depth);
    default:
      return writeInstance(writing, value, depth);
  }
}

function writeNumber(writing: Writing, value: number, depth: number): string | undefined {
  if (value !== 0 && value <= MAX && value >= -MAX) return undefined;
  if (value === 0) return 1 / value < 0 ? '-0.0' : undefined;
  if (Number.isFinite(value)) return /^-?\d+$/.test(String(value)) ? `${value}.0` : undefined;
  return writing.nan
    ? String(value)
    : failAt(
        writing,
        depth,
        'value',
        `${value} is not JSON: dumps(value, { nan: true }) writes it all the same`,
      );
}

function writeArray(writing: Writing, list: readonly unknown[], depth: number): string | undefined {
  let out = writing.polluted || 'toJSON' in list ? '' : undefined;
  for (let index = 0; index < list.length; index++) {
    const value = list[index];
    writing.keys[depth] = index;
    if (value === undefined && !(index in list)) failAt(writing, depth + 1, 'value', 'a hole in a list');
    const text = writeValue(writing, value, depth + 1);
    if (out === undefined) {
      if (text === undefined) continue;
      out = '';
      for (let before = 0; before < index; before++)
        out += `${before ? ',' : ''}${JSON.stringify(list[before])}`;
    }
    out += `${index ? ',' : ''}${text ?? JSON.stringify(value)}`;
  }
  return out === undefined ? undefined : `[${out}]`;
}

/** The text of a list in any case; `key` is what leads to it. */
function writeList(writing: Writing, list: readonly unknown[], depth: number, key: string): string {
  writing.keys[depth - 1] = key;
  return writeArray(writing, list, depth) ?? JSON.stringify(list);
}

function writePlain(writing: Writing, object: Fields, depth: number): string | undefined {
  const { tags } = writing;
  if (isRaw(object)) writing.tags = true;
  const text = writeMembers(writing, object, depth);
  writing.tags = tags;
  return text;
}

function writeMembers(
  writing: Writing,
  object: Fields,
  depth: number,
  tagged: boolean = writing.tags,
): string | undefined {
  let out = writing.polluted || 'toJSON' in object ? '' : undefined;
  let key = '';
  try {
    for (key in object) {
      if (writing.polluted && !Object.hasOwn(object, key)) continue;
      if (key === '_alg_class' && !tagged) {
        failAt(
          writing,
          depth,
          'value',
          'a plain object may not own _alg_class, which would come back as something else',
        );
      }
      const value = object[key];
      if (value === undefined) continue;
      writing.keys[depth] = key;
      const text = writeValue(writing, value, depth + 1);
      if (out === undefined) {
        if (text === undefined) continue;
        out = '';
        for (const before in object) {
          if (before === key) break;
          const plain = JSON.stringify(object[before]);
          if (plain !== undefined) out += `${out && ','}${JSON.stringify(before)}:${plain}`;
        }
      }
      out += `${out && ','}${JSON.stringify(key)}:${text ?? JSON.stringify(value)}`;
    }
  } catch (error) {
    writing.keys[depth] = key;
    throw located(writing, depth + 1, error);
  }
  return out === undefined ? undefined : `{${out}}`;
}

/** The error as an AjsonError, at the first `depth` keys if it has no place yet. */
export function located(writing: Writing, depth: number, error: unknown): unknown {
  if (error instanceof AjsonError) return error;
  const kind: AjsonErrorKind = error instanceof RangeError ? 'depth' : 'value';
  try {
    failAt(writing, depth, kind, `cannot be read: ${error instanceof Error ? error.message : error}`, error);
  } catch (located) {
    return located;
  }
}

function tag(name: string, value: string): string {
  return `{"_alg_class":"${name}","value":${value}}`;
}

function writeInstance(writing: Writing, value: unknown, depth: number): string {
  const { settings } = writing;
  const inner = (content: unknown) => {
    writing.keys[depth] = 'value';
    return writeValue(writing, content, depth + 1) ?? JSON.stringify(content);
  };
  const entry = typeof value === 'object' && settings.prototypes.get(Object.getPrototypeOf(value));
  if (entry && value) {
    writing.keys[depth] = 'value';
    const fields = entry.toJson ? entry.toJson(value) : value;
    if (
      typeof fields !== 'object' ||
      fields === null ||
      Array.isArray(fields) ||
      (fields !== value && !isPlain(fields))
    ) {
      return failAt(writing, depth, 'class', `toJson of ${entry.name} gives no plain object`);
    }
    const text = writeMembers(writing, fields as Fields, depth + 1) ?? JSON.stringify(fields);
    return `{"_alg_class":${JSON.stringify(entry.name)},"_alg_module":${JSON.stringify(entry.module)},"value":${text}}`;
  }
  if (settings.datetime?.is(value))
    return writeDate(writing, settings.datetime.toJson(value as never), depth);
  for (const [name, custom] of settings.custom) {
    if (custom.is(value)) return tag(name, inner(custom.toJson(value as never)));
  }
  if (value instanceof Date) return writeDate(writing, value, depth);
  if (value instanceof Decimal) return tag('decimal', JSON.stringify(value));
  if (settings.decimal && value instanceof settings.decimal)
    return tag('decimal', JSON.stringify(digits(value)));
  if (value instanceof Set) {
    const items = Array.from(value, (item) => (isList(item) ? Tuple.from(item) : item));
    return tag(value instanceof FrozenSet ? 'frozenset' : 'set', inner(items));
  }
  if (value instanceof Map) return tag('Map', inner([...value]));
  if (value instanceof UnknownObject) {
    return writeMembers(writing, value.tag, depth, true) ?? JSON.stringify(value.tag);
  }
  if (value instanceof Uint8Array) return tag('Uint8Array', `"${base64(value)}"`);
  if (value instanceof URL) return tag('URL', JSON.stringify(value.href));
  const error = value instanceof Error && ERRORS.get(value.constructor.name);
  if (error && Object.getPrototypeOf(value) === error.prototype) {
    return tag('Error', inner(errorFields(error.name, value)));
  }
  return failAt(writing, depth, 'value', `${describe(value)} has no place on the wire${advice(value)}`);
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && !(value instanceof Tuple);
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  const type: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof type === 'function' && type.name ? `an instance of ${type.name}` : 'an object';
}

function advice(value: unknown): string {
  if (value instanceof AlgObject) return ": register its class with ajson.register(class, { module: '…' })";
  if (value instanceof Promise) return ': await it first';
  return typeof value === 'object' ? ': register its class, or make it a custom kind' : '';
}

function writeDate(writing: Writing, date: Date, depth: number): string {
  const seconds = toTimestamp(date);
  if (seconds !== undefined) return tag('datetime', `{"tz":"UTC","timestamp":${seconds}}`);
  const reason = Number.isNaN(date.getTime()) ? 'an invalid date' : 'a datetime that the wire cannot hold';
  return failAt(writing, depth, 'value', `${reason}: years 1 to 9999, microseconds near to ours`);
}

/** The digits of a decimal of someone else's; theirs have the sign of -0 in `valueOf` alone. */
function digits(value: object): string {
  const plain = value.valueOf();
  return typeof plain === 'string' ? plain : String(value);
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 4096) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 4096));
  }
  return btoa(binary);
}
