import type { Fields } from './AlgObject.ts';
import { isPlain } from './isPlain.ts';
import { isPlainList } from './isPlainList.ts';
import { isPolluted } from './isPolluted.ts';
import { isLarge } from './largeNumbers.ts';
import { isRaw } from './markRaw.ts';
import { assertDepth, traceAt } from './Trace.ts';

/** Makes of a tag, whose members are rebuilt already, what it stands for. */
export type BuildTag = (tag: Fields) => unknown;

/** An instance that holds a value to rebuild, such as a StoredData. */
export interface Holder {
  /** Gets a function that rebuilds, and returns itself or a copy. */
  rebuildValue(rebuild: (value: object) => unknown): object;
}

/** A reading under way. */
interface Reading {
  readonly maxDepth: number;
  /** Without it tags stay tags, and only depth and numbers are looked at. */
  readonly build: BuildTag | undefined;
  /** Gives the digits of a number past 2^53 back, asked in the order of the text. */
  readonly exact: (value: number) => unknown;
  /** Whether the tree belongs to someone else: what changes is copied, and what is no JSON is left alone. */
  readonly foreign: boolean;
  /** Whether all objects have members that nobody gave them. */
  readonly polluted: boolean;
  /** How many members were seen. */
  members: number;
}

/** Rebuilds a tree that was parsed: in place, or where it is `foreign`, in a copy of what changes. */
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
  else if (typeof tree === 'number' && isLarge(tree)) value = exact(tree);
  return { value, members: reading.members };
}

function rebuild(reading: Reading, node: object, depth: number): unknown {
  assertDepth(depth, reading.maxDepth);
  let index: number | undefined;
  let key: string | undefined;
  try {
    if (reading.foreign) {
      if (isRaw(node)) return node;
      if (!isPlainList(node) && !isPlain(node)) {
        key = 'value';
        const holder = node as Partial<Holder>;
        return holder.rebuildValue?.((value) => rebuild(reading, value, depth + 1)) ?? node;
      }
    }
    if (Array.isArray(node)) {
      let list: unknown[] = node;
      for (index = 0; index < node.length; index++) {
        const value: unknown = node[index];
        let built: unknown;
        if (typeof value === 'object' && value !== null) built = rebuild(reading, value, depth + 1);
        else if (typeof value === 'number' && isLarge(value)) built = reading.exact(value);
        else continue;
        if (built === value) continue;
        if (reading.foreign && list === node) list = node.slice();
        list[index] = built;
      }
      return list;
    }
    const object = node as Fields;
    let out = object;
    let build: BuildTag | undefined;
    let members = 0;
    for (key in object) {
      if (reading.polluted && !Object.hasOwn(object, key)) continue;
      members++;
      if (key === '_alg_class') build = reading.build;
      const value = object[key];
      let built: unknown;
      if (typeof value === 'object' && value !== null) built = rebuild(reading, value, depth + 1);
      else if (typeof value === 'number' && isLarge(value)) built = reading.exact(value);
      else continue;
      if (built === value) continue;
      if (reading.foreign && out === object) out = { ...object };
      out[key] = built;
    }
    reading.members += members;
    key = undefined;
    return build ? build(out) : out;
  } catch (error) {
    throw traceAt(error, index ?? key);
  }
}
