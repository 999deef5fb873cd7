import type { Fields } from './AlgObject.ts';
import { isPlain } from './isPlain.ts';
import { isRaw } from './markRaw.ts';
import type { Settings } from './settings.ts';
import { fail, traceAt } from './Trace.ts';
import { tagOf } from './tagOf.ts';

/** A writing under way. */
export interface Writing {
  readonly settings: Settings;
  readonly nan: boolean;
  /** Whether plain objects that look like a tag are written as they are. */
  tags: boolean;
  /** Whether all objects have members that nobody gave them. */
  readonly polluted: boolean;
  /** Whether there are numbers that JSON has no words for. */
  words: boolean;
}

const MAX = Number.MAX_SAFE_INTEGER;

/**
 * What `JSON.stringify` turns into the text of a container: the container itself where it is plain, else a copy,
 * with tags in place of what JSON lacks. An `owned` one is changed in place.
 */
export function toWire(writing: Writing, node: object, depth: number, owned = false): unknown {
  if (depth >= writing.settings.maxDepth) fail('depth', `deeper than ${depth} levels, or a cycle`);
  let out: object = node;
  let index: number | undefined;
  let key: string | undefined;
  try {
    if (!writing.tags && isRaw(node)) {
      writing.tags = true;
      out = toWire(writing, node, depth) as object;
      writing.tags = false;
      return out;
    }
    // JSON.stringify would obey it.
    const obeyed = (node as Fields)['toJSON'] !== undefined && !owned;
    if (Array.isArray(node)) {
      if (Object.getPrototypeOf(node) !== Array.prototype) return tagOf(writing, node, depth);
      if (obeyed) out = node.slice();
      for (index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        if (typeof value === 'string') continue;
        if (typeof value === 'number' && value !== 0 && value <= MAX && value >= -MAX) continue;
        if (value === undefined && !(index in node)) fail('value', 'a hole in a list');
        const wire = anyToWire(writing, value, depth + 1);
        if (wire !== value) {
          if (out === node && !owned) out = node.slice();
          (out as unknown[])[index] = wire;
        }
      }
      return out;
    }
    if (Object.getPrototypeOf(node) !== Object.prototype && !isPlain(node))
      return tagOf(writing, node, depth);
    if (obeyed) out = { ...node };
    if ((node as Fields)['_alg_class'] !== undefined && !writing.tags && Object.hasOwn(node, '_alg_class')) {
      fail(
        'value',
        "a plain object with _alg_class would come back as something else: { tags: 'keep' } allows it",
      );
    }
    for (key in node) {
      const value = (node as Fields)[key];
      if (typeof value === 'string') continue;
      if (typeof value === 'number' && value !== 0 && value <= MAX && value >= -MAX) continue;
      if (value === undefined || (writing.polluted && !Object.hasOwn(node, key))) continue;
      const wire = anyToWire(writing, value, depth + 1);
      if (wire !== value) {
        if (out === node && !owned) out = { ...node };
        (out as Fields)[key] = wire;
      }
    }
    return out;
  } catch (error) {
    throw traceAt(error, index ?? key);
  }
}

/** The same for any value. */
export function anyToWire(writing: Writing, value: unknown, depth: number): unknown {
  if (typeof value === 'object') return value === null ? null : toWire(writing, value, depth);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value !== 'number') return tagOf(writing, value, depth);
  if (Object.is(value, -0)) return rawNumber('-0.0');
  if (Math.abs(value) <= MAX) return value;
  if (Number.isFinite(value)) return rawNumber(value.toExponential());
  if (!writing.nan) fail('value', `${value} is not JSON: { nan: true } writes it as Python does`);
  writing.words = true;
  return rawNumber(value > 0 ? '0e1' : value < 0 ? '0e2' : '0e3');
}

/** A number with the digits and the spelling given. */
export function rawNumber(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
