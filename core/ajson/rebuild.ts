import type { Fields } from './AlgObject.ts';
import { isPlain } from './isPlain.ts';
import { isRaw } from './markRaw.ts';
import { readTag } from './readTag.ts';
import type { Settings } from './settings.ts';
import { fail, traceAt } from './Trace.ts';
import { Tuple } from './Tuple.ts';

/** A reading under way. */
export interface Reading {
  readonly settings: Settings;
  readonly unknown: 'throw' | 'keep';
  /** Whether tags become what they stand for; else only depth and numbers are looked at. */
  readonly tags: boolean;
  /** Whether the tree belongs to someone else: what changes is copied, and what is no JSON is left alone. */
  readonly foreign: boolean;
  /** Whether all objects have members that nobody gave them. */
  readonly polluted: boolean;
  /** Gives the digits of a number past 2^53 back, in the order of the text; undefined where none are lost. */
  readonly exact: ((value: number) => number | bigint) | undefined;
  /** How many members were seen. */
  members: number;
}

const MAX = Number.MAX_SAFE_INTEGER;

/** Rebuilds a tree that `JSON.parse` made: in place, or where it is foreign, in a copy of what changes. */
export function rebuild(reading: Reading, node: object, depth: number): unknown {
  if (depth >= reading.settings.maxDepth) fail('depth', `deeper than ${depth} levels, or a cycle`);
  if (reading.foreign && isRaw(node)) return node;
  let out: object = node;
  let tagged = false;
  let index: number | undefined;
  let key: string | undefined;
  try {
    if (Array.isArray(node)) {
      if (reading.foreign && node instanceof Tuple) return node;
      for (index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        const built = rebuildMember(reading, value, depth);
        if (built !== value) {
          if (reading.foreign && out === node) out = node.slice();
          (out as unknown[])[index] = built;
        }
      }
      return out;
    }
    if (reading.foreign && !isPlain(node)) return node;
    let members = 0;
    for (key in node) {
      if (reading.polluted && !Object.hasOwn(node, key)) continue;
      members++;
      if (key === '_alg_class') tagged = reading.tags;
      const value = (node as Fields)[key];
      const built = rebuildMember(reading, value, depth);
      if (built !== value) {
        if (reading.foreign && out === node) out = { ...node };
        (out as Fields)[key] = built;
      }
    }
    reading.members += members;
  } catch (error) {
    throw traceAt(error, index ?? key);
  }
  return tagged ? readTag(reading, out as Fields) : out;
}

/** The same for any value; `depth` is that of what holds it. */
export function rebuildMember(reading: Reading, value: unknown, depth: number): unknown {
  if (typeof value === 'object') return value === null ? null : rebuild(reading, value, depth + 1);
  if (typeof value !== 'number' || (value <= MAX && value >= -MAX)) return value;
  return reading.exact ? reading.exact(value) : value;
}
