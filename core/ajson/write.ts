import type { Fields } from './AlgObject.ts';
import { assertDepth, assertDigits, fail, pathAt, pathOf } from './ErrorPath.ts';
import { define, formOf, isPlain, isPlainList, isPolluted } from './isPlain.ts';
import { rawValues } from './markRaw.ts';
import { hasWords } from './parseExact.ts';
import { kindOf } from './recognise.ts';
import { refuse } from './refuse.ts';
import type { Codec, Settings } from './registry.ts';
import { standIn, textOf } from './textOf.ts';

/** The state of one call of `dumps`. */
export interface Writing {
  readonly settings: Settings;
  /** Whether NaN and the infinities are written. */
  readonly nan: boolean;
  /** Whether plain objects that look like tags are written as they are. */
  readonly tags: boolean;
  /** Whether the value is within a set, where Python must be able to hash it. */
  readonly hashing: boolean;
  /** The values that are written with their tags, from `markRaw`. */
  readonly raw: WeakSet<object> | undefined;
  /** Whether someone gave all objects members. */
  readonly polluted: boolean;
  /** The numbers that `JSON.stringify` would spell otherwise, in the order of the text. */
  readonly numbers: string[];
}

const HOLE = 'a hole in a list';
/** Not imported: V8 does not know the value of an import. */
const MAX_SAFE = 9_007_199_254_740_991;
const hasOwn = Object.prototype.hasOwnProperty;

/**
 * The text of a value. A plain value goes to `JSON.stringify` as it is. Of the rest, the containers that lead to a
 * tag are copied, plain enough for the fast path of V8.
 *
 * @throws AjsonError with the path of a value that cannot be written
 */
export function write(settings: Settings, value: unknown, nan: boolean, tags: boolean): string {
  const writing = startWriting(settings, nan, tags);
  try {
    return textOf(writing, toWire(writing, value, 0));
  } catch (error) {
    throw pathOf(error).toError();
  }
}

export function startWriting(settings: Settings, nan: boolean, tags: boolean): Writing {
  return {
    settings,
    nan,
    tags,
    hashing: false,
    raw: rawValues(),
    polluted: isPolluted(),
    numbers: [],
  };
}

/** The value for `JSON.stringify`: the value itself if it is plain, else a copy with tags in it. */
export function toWire(writing: Writing, value: unknown, depth: number, owner?: object): unknown {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? listToWire(writing, value, depth) : objectToWire(writing, value, depth);
  return scalarToWire(writing, value, depth, owner);
}

function scalarToWire(writing: Writing, value: unknown, depth: number, owner?: object): unknown {
  const { settings } = writing;
  const chosen = settings.asksAll ? chosenFor(settings, value) : undefined;
  const codec = chosen ?? (value === undefined ? builtIn(settings, 'undefined') : undefined);
  if (codec) return tagOf(writing, codec, value, depth);
  if (isItself(value)) return value;
  if (typeof value === 'number') return numberToWire(writing, value, owner);
  return typeof value === 'bigint' ? standIn(writing, digitsOf(value, settings.maxDigits)) : refuse(value);
}

/**
 * A list. `isChecked` if it is known to be neither of a class nor of a custom kind nor within a set. Apart from
 * `objectToWire`, so that V8 sees fewer shapes in each: in one function both were 1.5 times slower.
 */
export function listToWire(writing: Writing, node: unknown[], depth: number, isChecked?: boolean): unknown {
  const { asksAll, maxDepth } = writing.settings;
  assertDepth(depth, maxDepth);
  let index: number | undefined;
  try {
    if (!isChecked && (node.constructor !== Array || hasToJson(node) || asksAll || isSpecial(writing, node)))
      return specialToWire(writing, node, depth);
    let list = node;
    for (index = 0; index < node.length; index++) {
      const value: unknown = node[index];
      if (isItself(value) && !asksAll) continue;
      if (value === undefined && !(index in node)) fail('value', HOLE);
      const wire = toWire(writing, value, depth + 1, node);
      if (wire === value) continue;
      if (list === node) list = node.slice();
      list[index] = wire;
    }
    return list;
  } catch (error) {
    throw pathAt(error, index);
  }
}

/** An object that is not a list. */
function objectToWire(writing: Writing, node: object, depth: number, isChecked?: boolean): unknown {
  const { asksAll, maxDepth } = writing.settings;
  assertDepth(depth, maxDepth);
  let at: string | undefined;
  try {
    // Much faster than Object.getPrototypeOf. An inherited member shows below, where V8 checks for it at no cost.
    if (!isChecked && (node.constructor !== Object || hasToJson(node) || asksAll || isSpecial(writing, node)))
      return specialToWire(writing, node, depth);
    const object = node as Fields;
    let out = object;
    for (const key in object) {
      if (!hasOwn.call(object, key)) {
        at = undefined;
        if (isPlain(object)) continue;
        refuse(object);
      }
      if (key === '_alg_class' && !writing.tags) {
        at = undefined;
        fail('value', "_alg_class makes a plain object a tag: { tags: 'keep' } allows it");
      }
      at = key;
      const value = object[key];
      if (isItself(value) && !asksAll) continue;
      if (value === undefined && !(asksAll && chosenFor(writing.settings, value))) continue;
      const wire = toWire(writing, value, depth + 1, object);
      if (wire === value) continue;
      if (out === object) out = { ...object };
      out[key] = wire;
    }
    return out;
  } catch (error) {
    throw pathAt(error, at);
  }
}

/** Whether JSON.stringify might call a method. */
function hasToJson(node: object): boolean {
  return node['toJSON' as never] !== undefined;
}

function isSpecial({ hashing, raw }: Writing, node: object): boolean {
  return hashing || raw?.has(node) === true;
}

/** An object or list that may be of a class or a custom kind, or from `markRaw`, or is within a set. */
function specialToWire(writing: Writing, node: object, depth: number): unknown {
  const { settings, hashing, tags, raw } = writing;
  if (!tags && raw?.has(node)) return toWire({ ...writing, tags: true, hashing: false }, node, depth);
  const codec = codecOf(settings, node);
  if (codec) return tagOf(writing, codec, node, depth);
  if (isPlainList(node)) {
    if (hashing) return tagOf(writing, builtIn(settings, 'tuple') as Codec, node, depth);
    const isUsual = node.constructor === Array && !hasToJson(node);
    return listToWire(writing, isUsual ? node : copyList(node), depth, true);
  }
  if (!isPlain(node)) return refuse(node);
  // An object without a prototype would slow JSON.stringify down.
  const object = node.constructor === Object && !hasToJson(node) ? node : { ...node };
  if (hashing && !(tags && Object.hasOwn(node, '_alg_class'))) unhashable('a plain object');
  return objectToWire(hashing ? { ...writing, hashing: false } : writing, object, depth, true);
}

/** A copy of a list. Holes are refused first, since a list with holes can have any length. */
export function copyList(list: readonly unknown[]): unknown[] {
  for (let index = 0; index < list.length; index++) if (!(index in list)) fail('value', HOLE, index);
  return [...list];
}

/** The fields of an instance as a plain object. One that is undefined becomes null, as Python's None. */
export function fieldsToWire(writing: Writing, fields: object, depth: number, isTag = false): Fields {
  const { settings, polluted } = writing;
  assertDepth(depth, settings.maxDepth);
  const wire: Fields = {};
  let at: string | undefined;
  try {
    for (const key in fields) {
      if (!hasOwn.call(fields, key)) continue;
      at = key;
      if (key === '_alg_class' && !isTag) fail('value', 'a field cannot have this name');
      const value: unknown = fields[key as never];
      const isReady = isItself(value) && !settings.asksAll;
      const written = isReady
        ? value
        : value === undefined
          ? null
          : toWire(writing, value, depth + 1, fields);
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
    (typeof value === 'number'
      ? value <= MAX_SAFE && value >= -MAX_SAFE && !Object.is(value, -0)
      : typeof value === 'boolean' || value === null)
  );
}

function tagOf(writing: Writing, codec: Codec, value: unknown, depth: number): unknown {
  const { hashing } = writing;
  const { name, module } = codec;
  assertDepth(depth, writing.settings.maxDepth);
  if (hashing && !codec.hashable) unhashable(name);
  const held = codec.write(value as never, hasWords(value) ? { ...writing, nan: true } : writing, depth + 1);
  // An UnknownObject is a tag already.
  if (name === '') return held;
  if (module === undefined)
    return { _alg_class: hashing && name === 'set' ? 'frozenset' : name, value: held };
  const tag = { _alg_class: name, _alg_module: module, value: held };
  return hasUnderscored(held, value) ? { ...tag, _alg_names: 'own' } : tag;
}

const UNDERSCORE = 95;

/** Whether an instance itself has a field that begins with an underscore, among the fields that are sent. */
export function hasUnderscored(fields: unknown, instance: unknown): boolean {
  if (typeof fields !== 'object' || Array.isArray(fields)) return false;
  for (const name in fields)
    if (name.charCodeAt(0) === UNDERSCORE && Object.hasOwn(instance as object, name)) return true;
  return false;
}

/** A registered class comes first, then the chosen codecs, then those that every ajson has. */
export function codecOf(settings: Settings, value: object): Codec | undefined {
  const registered = settings.prototypes.get(Object.getPrototypeOf(value));
  if (registered && (registered.module !== undefined || settings.chosen.length === 0)) return registered;
  const codec = chosenFor(settings, value) ?? registered;
  return codec || formOf(value) ? codec : builtIn(settings, kindOf(value));
}

function chosenFor(settings: Settings, value: unknown): Codec | undefined {
  return settings.chosen.find((codec) => codec.is?.(value));
}

/** The codec of a kind of the format itself, or of a custom kind. */
function builtIn({ shared, modules }: Settings, name: string | undefined): Codec | undefined {
  return shared.get(name as string) ?? modules.get(undefined)?.get(name as string);
}

/** A number that `JSON.stringify` would spell otherwise. */
function numberToWire(writing: Writing, value: number, owner?: object): unknown {
  if (Object.is(value, -0)) return standIn(writing, '-0.0');
  if (Number.isFinite(value)) return standIn(writing, value.toExponential());
  if (writing.nan || hasWords(owner)) return standIn(writing, String(value));
  return fail('value', `${value} is not JSON: { nan: true } writes it`);
}

function digitsOf(value: bigint, maxDigits: number): string {
  const digits = String(value);
  assertDigits(digits.length - (value < 0 ? 1 : 0), maxDigits);
  return digits;
}

function unhashable(kind: string): never {
  return fail('value', `${kind || 'the tag'} in a set: Python cannot hash it, use a list`);
}
