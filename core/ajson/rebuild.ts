import type { Fields } from './AlgObject.ts';
import { assertDepth, pathAt } from './ErrorPath.ts';
import { formOf, NONE } from './isPlain.ts';
import { rawValues } from './markRaw.ts';
import { withWords } from './parseExact.ts';

/** Makes the value of a tag, whose members are rebuilt already. */
export type BuildTag = (tag: Fields) => unknown;

/** An instance that holds a value to rebuild, such as a StoredData. */
export interface Holder {
  /** Gets a function that rebuilds, and returns itself or a copy. */
  rebuildValue(rebuild: (value: object) => unknown): object;
}

/** The state of one call of `rebuildTree`. */
interface Reading {
  readonly maxDepth: number;
  /** Without it tags stay tags, and only depth and numbers are checked. */
  readonly build: BuildTag | undefined;
  /** Gives the digits of a number past 2^53, called in the order of the text. */
  readonly exact: (value: number) => unknown;
  /** Whether the tree belongs to the caller: changes are made in copies, and values that are not JSON are kept. */
  readonly foreign: boolean;
  /** The number of members so far. */
  members: number;
}

/** Rebuilds a tree that was parsed: in place or, if it is `foreign`, with copies of the containers that change. */
export function rebuildTree(
  maxDepth: number,
  tree: unknown,
  build: BuildTag | undefined,
  exact: Reading['exact'] = (value) => value,
  foreign = false,
): { value: unknown; members: number } {
  const reading: Reading = { maxDepth, build, exact, foreign, members: 0 };
  return { value: isItself(tree) ? tree : rebuild(reading, tree, 0), members: reading.members };
}

/** A value that is a container or a number past 2^53. */
function rebuild(reading: Reading, value: unknown, depth: number): unknown {
  if (typeof value === 'number') return reading.exact(value);
  const node = value as object;
  if (reading.foreign) {
    if (rawValues()?.has(node)) return node;
    if (!formOf(node)) return rebuildHolder(reading, node, depth);
  }
  return Array.isArray(node) ? rebuildList(reading, node, depth) : rebuildObject(reading, node, depth);
}

// Two functions, so that V8 sees fewer shapes in each.
function rebuildList(reading: Reading, node: unknown[], depth: number): unknown {
  assertDepth(depth, reading.maxDepth);
  let list = node;
  let index = 0;
  try {
    for (; index < node.length; index++) {
      const value = node[index];
      if (isItself(value)) continue;
      const built = rebuild(reading, value, depth + 1);
      if (built === value) continue;
      if (reading.foreign && list === node) list = withWords(node, node.slice());
      list[index] = built;
    }
    return list;
  } catch (error) {
    throw pathAt(error, index);
  }
}

function rebuildObject(reading: Reading, node: object, depth: number): unknown {
  assertDepth(depth, reading.maxDepth);
  const object = node as Fields;
  // Read before the loop, because V8 then converts an object with an outdated shape, such as the first of
  // `[{ n: 1 }, { n: 1.5 }]`. If the shape changed within the loop, the loop would be slower from then on.
  const mayBeTag = object['_alg_class'] !== undefined;
  const isTag = mayBeTag && (NONE['_alg_class'] === undefined || Object.hasOwn(object, '_alg_class'));
  let out = object;
  let members = 0;
  let at: string | undefined;
  try {
    for (const key in object) {
      if (!hasOwn.call(object, key)) continue;
      members++;
      const value = object[key];
      if (isItself(value)) continue;
      at = key;
      const built = rebuild(reading, value, depth + 1);
      if (built === value) continue;
      if (reading.foreign && out === object) out = withWords(object, { ...object });
      out[key] = built;
    }
    reading.members += members;
    at = undefined;
    return isTag && reading.build ? withWords(out['value'], reading.build(out)) : out;
  } catch (error) {
    throw pathAt(error, at);
  }
}

/** An instance stays, except for the value that one such as a StoredData holds. */
function rebuildHolder(reading: Reading, node: Partial<Holder>, depth: number): unknown {
  assertDepth(depth, reading.maxDepth);
  try {
    return node.rebuildValue?.((value) => rebuild(reading, value, depth + 1)) ?? node;
  } catch (error) {
    throw pathAt(error, 'value');
  }
}

const MAX_SAFE = 9_007_199_254_740_991;
const hasOwn = Object.prototype.hasOwnProperty;

/**
 * Whether a parsed value without tags can stay as it is: its numbers are exact, and it has no more than so many levels.
 * Shorter than `rebuildTree`, and therefore a third faster.
 */
export function isClean(tree: unknown, levels: number): boolean {
  if (typeof tree !== 'object' || tree === null) return isItself(tree);
  if (levels <= 0) return false;
  if (Array.isArray(tree)) {
    for (let index = 0; index < tree.length; index++) {
      const value: unknown = tree[index];
      if (!isItself(value) && (typeof value !== 'object' || !isClean(value, levels - 1))) return false;
    }
  } else {
    for (const key in tree) {
      const value: unknown = tree[key as never];
      if (!isItself(value) && (typeof value !== 'object' || !isClean(value, levels - 1))) return false;
    }
  }
  return true;
}

/** Whether a value is neither a container nor a number past the largest exact integer. */
function isItself(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    (typeof value === 'number'
      ? !(value > MAX_SAFE || value < -MAX_SAFE)
      : typeof value !== 'object' || value === null)
  );
}
