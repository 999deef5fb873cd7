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

function textOf({ polluted, numbers }: Writing, wire: unknown): string {
  if (!polluted) {
    const text = JSON.stringify(wire);
    if (numbers.length === 0) return text;
    const parts = text.split(STAND_IN_TEXT);
    if (parts.length === numbers.length + 1)
      return parts.reduce((whole, part, index) => whole + numbers[index - 1] + part);
  }
  return exactText(wire, numbers.values());
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
  if (typeof value === 'object' && value) return nodeToWire(writing, value, depth);
  const codec = settings.asksAll ? chosenFor(settings, value) : undefined;
  if (codec) return tagOf(writing, codec, value, depth);
  if (typeof value === 'number') return numberToWire(writing, value, owner);
  if (typeof value === 'bigint') return standIn(writing, digitsOf(value, settings.maxDigits));
  if (value === undefined) return tagOf(writing, builtIn(settings, 'undefined') as Codec, value, depth);
  return isItself(value) ? value : refuse(value);
}

function nodeToWire(writing: Writing, node: object, depth: number): unknown {
  const { settings, hashing } = writing;
  if (!writing.tags && isRaw(node)) return withState(writing, { tags: true, hashing: false }, node, depth);
  const isList = Array.isArray(node);
  // The constructor first: V8 then knows the shape, and the prototype costs nothing instead of 20 ns.
  const isUsual = isList
    ? node.constructor === Array && Object.getPrototypeOf(node) === Array.prototype
    : node.constructor === Object && Object.getPrototypeOf(node) === Object.prototype;
  if (!isUsual || hashing || settings.asksAll) {
    const codec = codecOf(settings, node);
    if (codec) return tagOf(writing, codec, node, depth);
    if (!(isList ? isPlainList(node) : isPlain(node))) return refuse(node);
    if (hashing && isList) return tagOf(writing, builtIn(settings, 'tuple') as Codec, node, depth);
    if (hashing) {
      if (!writing.tags || !Object.hasOwn(node, '_alg_class')) unhashable('a plain object');
      return withState(writing, { hashing: false }, node, depth);
    }
  }
  const wire = isList ? listToWire(writing, node, depth) : membersToWire(writing, node as Fields, depth);
  if (wire !== node || (isUsual && wire['toJSON' as never] === undefined)) return wire;
  // JSON.stringify would call the toJSON, and is slow with an object without a prototype.
  return isList ? [...node] : { ...node };
}

/** The list itself if all of it is plain, else a copy. */
export function listToWire(writing: Writing, list: unknown[], depth: number): unknown[] {
  const { asksAll, maxDepth } = writing.settings;
  assertDepth(depth, maxDepth);
  let out = list;
  let index = 0;
  try {
    for (; index < list.length; index++) {
      const value = list[index];
      if (isItself(value) && !asksAll) continue;
      if (value === undefined && !(index in list)) fail('value', 'a hole in a list');
      const wire = toWire(writing, value, depth + 1, list);
      if (wire === value) continue;
      if (out === list) out = [...list];
      out[index] = wire;
    }
  } catch (error) {
    throw pathAt(error, index);
  }
  return out;
}

/** The object itself if all of it is plain, else a copy. */
function membersToWire(writing: Writing, object: Fields, depth: number): Fields {
  const { settings, polluted } = writing;
  const { asksAll } = settings;
  assertDepth(depth, settings.maxDepth);
  let out = object;
  let at: string | undefined;
  try {
    for (const key in object) {
      at = key;
      const value = object[key];
      if (key === '_alg_class' && !writing.tags && Object.hasOwn(object, key)) {
        at = undefined;
        fail('value', "_alg_class makes a plain object a tag: { tags: 'keep' } allows it");
      }
      if (isItself(value) && !asksAll) continue;
      if (polluted && !Object.hasOwn(object, key)) continue;
      if (value === undefined && !(asksAll && chosenFor(settings, value))) continue;
      const wire = toWire(writing, value, depth + 1, object);
      if (wire === value) continue;
      if (out === object) out = { ...object };
      out[key] = wire;
    }
  } catch (error) {
    throw pathAt(error, at);
  }
  return out;
}

/** The fields of an instance as a plain object. One that is undefined becomes null, as Python's None. */
export function fieldsToWire(writing: Writing, fields: object, depth: number, isTag = false): Fields {
  const { settings, polluted } = writing;
  assertDepth(depth, settings.maxDepth);
  const wire: Fields = {};
  let at: string | undefined;
  try {
    for (const key in fields) {
      if (!Object.hasOwn(fields, key)) continue;
      at = key;
      if (key === '_alg_class' && !isTag) fail('value', 'no field can have this name');
      const value: unknown = fields[key as never];
      const written = value === undefined ? null : toWire(writing, value, depth + 1, fields);
      if (polluted || key === '__proto__') define(wire, key, written, true);
      else wire[key] = written;
    }
  } catch (error) {
    throw pathAt(error, at);
  }
  return wire;
}

/** Whether JSON has the value as it is: null, a text, a boolean, or a number that is exact and not -0. */
function isItself(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && value !== 0 && value <= MAX_SAFE && value >= -MAX_SAFE) ||
    value === null
  );
}

function tagOf(writing: Writing, codec: Codec, value: unknown, depth: number): unknown {
  const { nan, hashing } = writing;
  assertDepth(depth, writing.settings.maxDepth);
  if (hashing && !codec.hashable) unhashable(codec.name);
  if (hasWords(value)) writing.nan = true;
  const tag = codec.write(value as never, writing, depth);
  writing.nan = nan;
  writing.hashing = hashing;
  return tag;
}

/** A registered class comes first, then the chosen codecs, then those that every ajson has. */
function codecOf(settings: Settings, value: object): Codec | undefined {
  const proto: object | null = Object.getPrototypeOf(value);
  const known = proto ? settings.prototypes.get(proto) : undefined;
  if (known && (known.module !== undefined || settings.chosen.length === 0)) return known;
  const codec = chosenFor(settings, value) ?? known;
  const isPlain = !proto || proto === Object.prototype || proto === Array.prototype;
  return codec || isPlain ? codec : builtIn(settings, kindOf(value));
}

function chosenFor(settings: Settings, value: unknown): Codec | undefined {
  return settings.chosen.find((codec) => codec.is?.(value));
}

/** The codec of a kind of the format itself, or of a custom kind. */
function builtIn({ shared, modules }: Settings, name = '-'): Codec | undefined {
  return shared.get(name) ?? modules.get(undefined)?.get(name);
}

/** Writes a value with another state than that around it. */
function withState(writing: Writing, state: Partial<Writing>, value: object, depth: number): unknown {
  const { tags, hashing } = writing;
  const wire = nodeToWire(Object.assign(writing, state), value, depth);
  Object.assign(writing, { tags, hashing });
  return wire;
}

function numberToWire(writing: Writing, value: number, owner?: object): unknown {
  if (Object.is(value, -0)) return standIn(writing, '-0.0');
  if (Math.abs(value) <= MAX_SAFE) return value;
  if (Number.isFinite(value)) return standIn(writing, value.toExponential());
  if (writing.nan || hasWords(owner)) return standIn(writing, String(value));
  return fail('value', `${value} is not JSON: { nan: true } writes it as Python does`);
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
  return fail('value', `${kind || 'the tag'} in a set: Python cannot hash it, use a list`);
}

function refuse(value: unknown): never {
  const isObject = typeof value === 'object' && value;
  const type: unknown = isObject && value.constructor;
  const name = typeof type === 'function' && type.name !== 'Object' ? type.name : '';
  const what = isObject ? (name ? shown(name) : 'an object with a prototype of another kind') : typeof value;
  return fail(
    'value',
    `${what} cannot be written: ${isObject ? adviceFor(value, name) : 'leave it out, or make it a custom kind'}`,
  );
}

function adviceFor(value: object, name: string): string {
  if (!name) return 'copy its members with { ...value }';
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Promise]') return 'await it first';
  if (ArrayBuffer.isView(value) || tag === '[object ArrayBuffer]')
    return 'send a list, or a Uint8Array of its bytes';
  if (KIND in value && !(value instanceof AlgObject))
    return 'it belongs to another copy of algernon-middy (npm ls algernon-middy)';
  return 'ajson.register its class, or make it a custom kind';
}
