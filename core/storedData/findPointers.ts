import { isPlain } from '../ajson/isPlain.ts';
import { LIMITS, withWords } from '../ajson/parseExact.ts';
import { pointerIn } from './StoredData.ts';
import { StoredDataError } from './StoredDataError.ts';

export type Keys = readonly (string | number)[];

type Container = Record<string | number, unknown>;

/** A pointer and its location. Assigning to `container[key]` replaces it. */
export interface FoundPointer {
  readonly pointer: string;
  readonly container: Container;
  readonly key: string | number;
  /** The path, formatted only for an error. */
  readonly keys: Keys;
}

/**
 * Finds every pointer in a value in one walk. Unless the value is `owned`, the containers around a pointer are copied,
 * and the rest is shared.
 *
 * @param found called for each pointer, in order
 * @returns an object whose `value` changes as pointers are replaced
 */
export function findPointers<T>(
  value: T,
  base: Keys,
  owned: boolean,
  found: (pointer: FoundPointer) => void,
): { readonly value: T } {
  const root = { value };
  // The path from the root to the current container. The first `copied` of them may be changed.
  const containers: Container[] = [root];
  const keys: (string | number)[] = ['value'];
  let copied = owned ? Number.POSITIVE_INFINITY : 1;

  const visit = (child: unknown, key: string | number) => {
    if (typeof child !== 'object' || child === null) return;
    keys[containers.length - 1] = key;
    const pointer = pointerIn(child);
    if (pointer !== undefined) report(pointer, key);
    else if (Array.isArray(child) || isPlain(child)) walk(child as Container);
  };

  const walk = (node: Container) => {
    if (containers.length > LIMITS.maxDepth) {
      throw new StoredDataError(
        'TOO_MANY_POINTERS',
        `The value is more than ${LIMITS.maxDepth} levels deep.`,
      );
    }
    containers.push(node);
    if (Array.isArray(node)) for (let index = 0; index < node.length; index++) visit(node[index], index);
    else for (const key in node) if (Object.hasOwn(node, key)) visit(node[key], key);
    containers.pop();
    if (!owned) copied = Math.min(copied, containers.length);
  };

  const report = (pointer: string, key: string | number) => {
    for (; copied < containers.length; copied++) {
      const node = containers[copied] as Container;
      // Spreading keeps a key named __proto__ as a key.
      const plain = Array.isArray(node) ? (node.slice() as unknown as Container) : { ...node };
      const copy = withWords(node, plain);
      containers[copied] = copy;
      (containers[copied - 1] as Container)[keys[copied - 1] as string] = copy;
    }
    const container = containers[containers.length - 1] as Container;
    found({ pointer, container, key, keys: [...base, ...keys.slice(1, containers.length)] });
  };

  visit(value, 'value');
  return root;
}
