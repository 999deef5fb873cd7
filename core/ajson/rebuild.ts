import type { Fields } from './AlgObject.ts';
import { isPlain } from './isPlain.ts';
import { isRaw } from './markRaw.ts';
import { failAt, type Reading, readTag } from './readTag.ts';
import { Tuple } from './Tuple.ts';

/** How a tree is gone through. */
export interface Rebuilding extends Reading {
  /** Whether tags become what they stand for; else only depth and numbers are looked at. */
  readonly tags: boolean;
  /** Whether the tree belongs to someone else: what changes is copied, and what is no JSON is left alone. */
  readonly foreign: boolean;
  /** Whether a number past 2^53 may be there, for its digits are known to be right. */
  readonly exact: boolean;
  /** Whether `Object.prototype` has keys that `for in` would find. */
  readonly polluted: boolean;
}

/** Thrown when the digits of a number are needed, which only the text has. */
export const INEXACT: unique symbol = Symbol('inexact');

const MAX = Number.MAX_SAFE_INTEGER;

/** Rebuilds a tree that `JSON.parse` made: in place, or where it is foreign, in a copy of what changes. */
export function rebuild(reading: Rebuilding, node: object, depth: number): unknown {
  if (depth >= reading.settings.maxDepth) {
    failAt(reading, depth, 'depth', `deeper than ${reading.settings.maxDepth} levels, or a cycle`);
  }
  if (Array.isArray(node)) return rebuildList(reading, node, depth);
  if (reading.foreign && (!isPlain(node) || isRaw(node))) return node;
  let out = node as Fields;
  let tagged = false;
  for (const key in node) {
    if (reading.polluted && !Object.hasOwn(node, key)) continue;
    if (key === '_alg_class') tagged = reading.tags;
    const value = out[key];
    if (typeof value === 'object' && value !== null) {
      reading.keys[depth] = key;
      const built = rebuild(reading, value, depth + 1);
      if (built !== value) {
        if (reading.foreign && out === node) out = { ...out };
        out[key] = built;
      }
    } else if (typeof value === 'number' && (value > MAX || value < -MAX) && !reading.exact) throw INEXACT;
  }
  return tagged ? readTag(reading, out, depth) : out;
}

function rebuildList(reading: Rebuilding, node: unknown[], depth: number): unknown {
  if (reading.foreign && (node instanceof Tuple || isRaw(node))) return node;
  let out = node;
  for (let index = 0; index < node.length; index++) {
    const value = node[index];
    if (typeof value === 'object' && value !== null) {
      reading.keys[depth] = index;
      const built = rebuild(reading, value, depth + 1);
      if (built !== value) {
        if (reading.foreign && out === node) out = node.slice();
        out[index] = built;
      }
    } else if (typeof value === 'number' && (value > MAX || value < -MAX) && !reading.exact) throw INEXACT;
  }
  return out;
}
