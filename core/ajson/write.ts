import { shown } from './AjsonError.ts';
import { AlgObject, type Fields } from './AlgObject.ts';
import { assertDepth, fail, pathAt, pathOf } from './ErrorPath.ts';
import { define, isPlain, isPlainList, isPolluted } from './isPlain.ts';
import { findMarked, isRaw } from './markRaw.ts';
import { hasWords, MAX_SAFE } from './parseExact.ts';
import { KIND, kindOf } from './recognise.ts';
import type { Codec, Settings } from './registry.ts';

/** The state of one call of `dumps`. */
export interface Writing {
  readonly settings: Settings;
  /** Whether NaN and the infinities are written. */
  nan: boolean;
  /** Whether plain objects that look like tags are written as they are. */
  tags: boolean;
  /** Whether the value is within a set, where Python must be able to hash it. */
  hashing: boolean;
  /** Whether someone gave all objects members. */
  readonly polluted: boolean;
  /** The numbers that `JSON.stringify` would spell otherwise, in the order of the text. */
  readonly numbers: string[];
}

/** Stands for such a number. Only strings can have the same text: floats past 2^53 are among `numbers` themselves. */
const STAND_IN = 1.7e308;
const STAND_IN_TEXT = '1.7e+308';
const HOLE = 'a hole in a list';
const TAG = "_alg_class makes a plain object a tag: { tags: 'keep' } allows it";

/**
 * The text of a value. A plain value goes to `JSON.stringify` as it is. Of the rest, the containers that lead to a
 * tag are copied, plain enough for the fast path of V8.
 *
 * @throws AjsonError with the path of a value that cannot be written
 */
export function write(settings: Settings, value: unknown, nan: boolean, tags: boolean): string {
  findMarked();
  const polluted = isPolluted();
  const writing: Writing = { settings, nan, tags, hashing: false, polluted, numbers: [] };
  try {
    return textOf(writing, toWire(writing, value, 0));
  } catch (error) {
    throw pathOf(error).toError();
  }
}

export function textOf({ polluted, numbers }: Writing, wire: unknown): string {
  if (polluted) return exactText(wire, numbers.values());
  const text = JSON.stringify(wire);
  if (numbers.length === 0) return text;
  const parts = text.split(STAND_IN_TEXT);
  if (parts.length !== numbers.length + 1) return exactText(wire, numbers.values());
  let whole = parts[0] ?? '';
  for (let index = 0; index < numbers.length; index++) whole += `${numbers[index]}${parts[index + 1]}`;
  return whole;
}

/** The text where `JSON.stringify` would obey a polluted prototype, or a string looks like a stand-in. */
function exactText(wire: unknown, numbers: Iterator<string>): string {
  if (wire === STAND_IN) return String(numbers.next().value);
  if (typeof wire !== 'object' || wire === null) return JSON.stringify(wire);
  if (Array.isArray(wire)) return `[${Array.from(wire, (item) => exactText(item, numbers))}]`;
  const members = Object.entries(wire).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${exactText(value, numbers)}`)}}`;
}

/** The value for `JSON.stringify`: the value itself if it is plain, else a copy with tags in it. */
export function toWire(writing: Writing, value: unknown, depth: number, owner?: object): unknown {
  const { settings } = writing;
  if (settings.asksAll && (typeof value !== 'object' || !value)) {
    const codec = settings.chosen.find((chosen) => chosen.is?.(value));
    if (codec) return tagOf(writing, codec, value, depth);
  }
  if (typeof value === 'object') return value === null ? null : nodeToWire(writing, value, depth);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return numberToWire(writing, value, owner);
  if (typeof value === 'bigint') return standIn(writing, digitsOf(value, settings.maxDigits));
  if (value !== undefined) return refuse(value);
  assertDepth(depth, settings.maxDepth);
  if (writing.hashing) unhashable('undefined');
  return { _alg_class: 'undefined', value: null };
}

function nodeToWire(writing: Writing, node: object, depth: number): unknown {
  const { settings, polluted } = writing;
  assertDepth(depth, settings.maxDepth);
  let index: number | undefined;
  let key: string | undefined;
  try {
    if (!writing.tags && isRaw(node)) return withState(writing, { tags: true, hashing: false }, node, depth);
    const proto: object | null = Object.getPrototypeOf(node);
    if (settings.asksAll || writing.hashing) {
      const wire = objectToWire(writing, node, proto, depth);
      if (wire !== node) return wire;
    }
    if (Array.isArray(node)) {
      if (proto !== Array.prototype) return objectToWire(writing, node, proto, depth);
      let list: unknown[] = node;
      // JSON.stringify would call it.
      if (list['toJSON' as never] !== undefined) list = [...dense(node)];
      for (index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        if (isItself(value) && !settings.asksAll) continue;
        if (value === undefined && !(index in node)) fail('value', HOLE);
        const wire = toWire(writing, value, depth + 1, node);
        if (wire === value) continue;
        if (list === node) list = node.slice();
        list[index] = wire;
      }
      return list;
    }
    if (proto !== Object.prototype && proto !== null) return objectToWire(writing, node, proto, depth);
    const object = node as Fields;
    let out = object;
    // An object without a prototype would slow JSON.stringify down.
    if (proto === null || object['toJSON'] !== undefined) out = { ...object };
    for (key in object) {
      const value = object[key];
      if (key === '_alg_class' && !writing.tags && Object.hasOwn(object, key)) {
        key = undefined;
        return fail('value', TAG);
      }
      if (isItself(value) && !settings.asksAll) continue;
      if (polluted && !Object.hasOwn(object, key)) continue;
      if ((value === undefined || value === null) && !settings.asksAll) continue;
      const wire = toWire(writing, value, depth + 1, node);
      if (wire === value) continue;
      if (out === object) out = { ...object };
      out[key] = wire;
    }
    return out;
  } catch (error) {
    throw pathAt(error, index ?? key);
  }
}

/** Whether JSON has the value as it is: a text, a boolean, or a number that is exact and not -0. */
function isItself(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && value !== 0 && value <= MAX_SAFE && value >= -MAX_SAFE)
  );
}

/** An object that is not plain, or is within a set, or may be of a custom kind. A plain one that stays is returned. */
function objectToWire(writing: Writing, value: object, proto: object | null, depth: number): unknown {
  const codec = codecOf(writing.settings, value, proto);
  if (codec) return tagOf(writing, codec, value, depth);
  if (isPlainList(value)) {
    if (writing.hashing)
      return { _alg_class: 'tuple', value: itemsToWire(writing, [...dense(value)], depth + 1) };
    return proto === Array.prototype ? value : itemsToWire(writing, [...dense(value)], depth);
  }
  if (!isPlain(value)) return refuse(value);
  if (writing.hashing) {
    if (!writing.tags || !Object.hasOwn(value, '_alg_class')) unhashable('a plain object');
    return withState(writing, { hashing: false }, value, depth);
  }
  return proto === Object.prototype || proto === null ? value : nodeToWire(writing, { ...value }, depth);
}

function tagOf(writing: Writing, codec: Codec, value: unknown, depth: number): unknown {
  assertDepth(depth, writing.settings.maxDepth);
  if (writing.hashing && !codec.hashable) unhashable(codec.name);
  const { nan } = writing;
  if (!nan && typeof value === 'object' && value && hasWords(value)) writing.nan = true;
  const tag = codec.write(value as never, writing, depth);
  writing.nan = nan;
  return tag;
}

/** A registered class comes first, then the chosen codecs, then those that every ajson has. */
function codecOf(settings: Settings, value: object, proto: object | null): Codec | undefined {
  const { prototypes, chosen } = settings;
  const known = proto ? prototypes.get(proto) : undefined;
  if (known && (known.module !== undefined || chosen.length === 0)) return known;
  const asked = chosen.find((codec) => codec.is?.(value)) ?? known;
  if (asked || proto === Object.prototype || proto === Array.prototype || !proto) return asked;
  const name = kindOf(value) ?? '-';
  return settings.shared.get(name) ?? settings.modules.get(undefined)?.get(name);
}

/** Writes a value with another state than that around it. */
function withState(writing: Writing, state: Partial<Writing>, value: object, depth: number): unknown {
  const { tags, hashing } = writing;
  try {
    return nodeToWire(Object.assign(writing, state), value, depth);
  } finally {
    Object.assign(writing, { tags, hashing });
  }
}

/** The items of a list that nobody else has, written in place. */
export function itemsToWire(writing: Writing, items: unknown[], depth: number): unknown[] {
  assertDepth(depth, writing.settings.maxDepth);
  let index = 0;
  try {
    for (; index < items.length; index++) items[index] = toWire(writing, items[index], depth + 1);
  } catch (error) {
    throw pathAt(error, index);
  }
  return items;
}

/** The fields of an instance as a plain object. One that is undefined becomes null, as Python's None. */
export function fieldsToWire(writing: Writing, fields: object, depth: number, isTag = false): Fields {
  assertDepth(depth, writing.settings.maxDepth);
  const { polluted } = writing;
  const wire: Fields = {};
  let at: string | undefined;
  try {
    for (const key in fields) {
      if (!Object.hasOwn(fields, key)) continue;
      at = key;
      const value: unknown = fields[key as never];
      if (key === '_alg_class' && !isTag) failAt('_alg_class', 'no field can have this name');
      const written = value === undefined ? null : toWire(writing, value, depth + 1, fields);
      if (polluted || key === '__proto__') define(wire, key, written, true);
      else wire[key] = written;
    }
  } catch (error) {
    throw pathAt(error, at);
  }
  return wire;
}

/** The members of a set: a list becomes a tuple and a set a frozenset, since Python must be able to hash them. */
export function membersToWire(writing: Writing, items: unknown[], depth: number): unknown[] {
  const { hashing } = writing;
  writing.hashing = true;
  const wire = itemsToWire(writing, items, depth);
  writing.hashing = hashing;
  return wire;
}

/** A list that may be copied: one with holes can have any length, and be empty. */
function dense<T>(list: readonly T[]): readonly T[] {
  for (let index = 0; index < list.length; index++) if (!(index in list)) failAt(index, HOLE);
  return list;
}

function failAt(key: string | number, message: string): never {
  try {
    fail('value', message);
  } catch (error) {
    throw pathAt(error, key);
  }
}

function numberToWire(writing: Writing, value: number, owner?: object): unknown {
  if (Object.is(value, -0)) return standIn(writing, '-0.0');
  if (Math.abs(value) <= MAX_SAFE) return value;
  if (Number.isFinite(value)) return standIn(writing, value.toExponential());
  if (!writing.nan && !(owner && hasWords(owner)))
    fail('value', `${value} is not JSON: { nan: true } writes it as Python does`);
  return standIn(writing, String(value));
}

function standIn(writing: Writing, text: string): number {
  writing.numbers.push(text);
  return STAND_IN;
}

function digitsOf(value: bigint, maxDigits: number): string {
  const digits = String(value);
  const length = digits.length - Number(value < 0n);
  return length > maxDigits ? fail('digits', `${length} digits: more than maxDigits`) : digits;
}

function unhashable(kind: string): never {
  return fail(
    'value',
    `${kind || 'the tag'} in a set cannot be read by Python, which cannot hash it: use a list`,
  );
}

function refuse(value: unknown): never {
  return fail('value', `${nameOf(value)} cannot be written: ${adviceFor(value)}`);
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || !value) return typeof value;
  const type: unknown = value.constructor;
  const name = typeof type === 'function' ? type.name : '';
  return name && name !== 'Object' ? shown(name) : 'an object with a prototype of another kind';
}

function adviceFor(value: unknown): string {
  if (typeof value !== 'object' || !value) return 'leave it out, or make it a custom kind';
  if (nameOf(value).includes(' ')) return 'copy its members with { ...value }';
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Promise]') return 'await it first';
  if (ArrayBuffer.isView(value) || tag === '[object ArrayBuffer]')
    return 'send a list, or a Uint8Array of its bytes';
  if (KIND in value && !(value instanceof AlgObject))
    return 'it belongs to another copy of algernon-middy: install only one (npm ls algernon-middy)';
  return 'ajson.register its class, or make it a custom kind';
}
