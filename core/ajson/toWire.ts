import type { Fields } from './AlgObject.ts';
import { MAX_SAFE } from './largeNumbers.ts';
import { isRaw } from './markRaw.ts';
import type { Settings } from './settings.ts';
import { assertDepth, fail, failure, traceAt } from './Trace.ts';
import { tagOf } from './tagOf.ts';

/** A writing under way. */
export interface Writing {
  readonly settings: Settings;
  readonly nan: boolean;
  /** Whether plain objects that look like a tag are written as they are. */
  tags: boolean;
  /** Whether all objects have members that nobody gave them. */
  readonly polluted: boolean;
  /** Whether NaN or an infinity is among what was written. */
  words: boolean;
}

/**
 * What `JSON.stringify` turns into the text of a container: the container itself where it is plain, else a copy,
 * with tags in place of what JSON lacks. An `owned` one is changed in place.
 */
export function toWire(writing: Writing, node: object, depth: number, owned = false): unknown {
  assertDepth(depth, writing.settings.maxDepth);
  let index: number | undefined;
  let key: string | undefined;
  try {
    if (!writing.tags && isRaw(node)) return rawToWire(writing, node, depth);
    const proto = Object.getPrototypeOf(node);
    if (Array.isArray(node)) {
      if (proto !== Array.prototype) return tagOf(writing, node, depth, proto);
      let out: unknown[] = node;
      // JSON.stringify would obey it.
      if (out['toJSON' as never] !== undefined && !owned) out = [...dense(node)];
      for (index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        if (typeof value === 'string' || typeof value === 'boolean') continue;
        if (typeof value === 'number' && value !== 0 && value <= MAX_SAFE && value >= -MAX_SAFE) continue;
        if (value === undefined && !(index in node)) fail('value', HOLE);
        const wire = anyToWire(writing, value, depth + 1);
        if (wire === value) continue;
        if (out === node && !owned) out = node.slice();
        out[index] = wire;
      }
      return out;
    }
    if (proto !== Object.prototype && proto !== null) return tagOf(writing, node, depth, proto);
    const object = node as Fields;
    let out = object;
    if (object['toJSON'] !== undefined && !owned) out = { ...object };
    if (object['_alg_class'] !== undefined && !writing.tags && Object.hasOwn(node, '_alg_class')) {
      fail('value', "_alg_class makes a plain object a tag: { tags: 'keep' } allows it");
    }
    for (key in object) {
      const value = object[key];
      if (typeof value === 'string' || typeof value === 'boolean') continue;
      if (typeof value === 'number' && value !== 0 && value <= MAX_SAFE && value >= -MAX_SAFE) continue;
      if (value === undefined || value === null || (writing.polluted && !Object.hasOwn(object, key)))
        continue;
      const wire =
        typeof value === 'object' ? toWire(writing, value, depth + 1) : anyToWire(writing, value, depth + 1);
      if (wire === value) continue;
      if (out === object && !owned) out = { ...object };
      out[key] = wire;
    }
    return out;
  } catch (error) {
    throw traceAt(error, index ?? key);
  }
}

const HOLE = 'a hole in a list';

/** A list that may be copied: one with holes can be as long as it likes, and hold nothing. */
export function dense<T>(list: readonly T[]): readonly T[] {
  for (let index = 0; index < list.length; index++)
    if (!(index in list)) throw traceAt(failure('value', HOLE), index);
  return list;
}

/** What was marked to stay as it is, with its tags as they stand. */
function rawToWire(writing: Writing, node: object, depth: number): unknown {
  writing.tags = true;
  const wire = toWire(writing, node, depth);
  writing.tags = false;
  return wire;
}

/** The same for any value. */
export function anyToWire(writing: Writing, value: unknown, depth: number): unknown {
  if (typeof value === 'object') return value === null ? null : toWire(writing, value, depth);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value !== 'number') return tagOf(writing, value, depth);
  if (Object.is(value, -0)) return rawNumber('-0.0');
  if (Math.abs(value) <= MAX_SAFE) return value;
  if (Number.isFinite(value)) return rawNumber(value.toExponential());
  if (!writing.nan) fail('value', `${value} is not JSON: { nan: true } writes it as Python does`);
  writing.words = true;
  return value;
}

// TypeScript does not know these yet: https://github.com/tc39/proposal-json-parse-with-source
const json = JSON as unknown as { rawJSON?(text: string): object; isRawJSON(value: unknown): boolean };

/** A number with the digits and the spelling given. */
export function rawNumber(text: string): object {
  return json.rawJSON?.(text) ?? fail('value', `${text} needs JSON.rawJSON, which Node has since 22`);
}

export function isRawNumber(value: unknown): boolean {
  return json.isRawJSON(value);
}
