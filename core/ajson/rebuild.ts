import type { Fields } from './AlgObject.ts';
import { assertDepth, pathAt } from './ErrorPath.ts';
import { isPlain, isPlainList, isPolluted } from './isPlain.ts';
import { rawValues } from './markRaw.ts';
import { MAX_SAFE, withWords } from './parseExact.ts';

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
  /** Whether someone gave all objects members. */
  readonly polluted: boolean;
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
  const reading: Reading = { maxDepth, build, exact, foreign, polluted: isPolluted(), members: 0 };
  let value = tree;
  if (typeof tree === 'object' && tree !== null) value = rebuild(reading, tree, 0);
  else if (!isItself(tree)) value = exact(tree as number);
  return { value, members: reading.members };
}

function rebuild(reading: Reading, node: object, depth: number): unknown {
  const { build, foreign, polluted } = reading;
  assertDepth(depth, reading.maxDepth);
  let at: number | string | undefined;
  try {
    if (foreign) {
      if (rawValues()?.has(node)) return node;
      if (!isPlainList(node) && !isPlain(node)) return rebuildHolder(reading, node, depth);
    }
    if (Array.isArray(node)) {
      let list: unknown[] = node;
      for (let index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        if (isItself(value)) continue;
        at = index;
        const built =
          typeof value === 'object'
            ? rebuild(reading, value as object, depth + 1)
            : reading.exact(value as number);
        if (built === value) continue;
        if (foreign && list === node) list = withWords(node, node.slice());
        list[index] = built;
      }
      return list;
    }
    const object = node as Fields;
    let out = object;
    let isTag = false;
    let members = 0;
    for (const key in object) {
      if (polluted && !Object.hasOwn(object, key)) continue;
      members++;
      if (key === '_alg_class') isTag = true;
      const value = object[key];
      if (isItself(value)) continue;
      at = key;
      const built =
        typeof value === 'object'
          ? rebuild(reading, value as object, depth + 1)
          : reading.exact(value as number);
      if (built === value) continue;
      if (foreign && out === object) out = withWords(object, { ...object });
      out[key] = built;
    }
    reading.members += members;
    at = undefined;
    return isTag && build ? withWords(out['value'], build(out)) : out;
  } catch (error) {
    throw pathAt(error, at);
  }
}

/** An instance stays, except for the value that one such as a StoredData holds. */
function rebuildHolder(reading: Reading, node: Partial<Holder>, depth: number): unknown {
  try {
    return node.rebuildValue?.((value) => rebuild(reading, value, depth + 1)) ?? node;
  } catch (error) {
    throw pathAt(error, 'value');
  }
}

/** Whether a value is neither a container nor a number past the largest exact integer. */
function isItself(value: unknown): boolean {
  if (typeof value === 'number') return !(value > MAX_SAFE || value < -MAX_SAFE);
  return typeof value !== 'object' || value === null;
}
