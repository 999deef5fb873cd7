import { mapAtMost } from '../mapAtMost.ts';
import type { GroupAccess } from './groupAccess.ts';
import { type GroupPlan, groupAddress, parseObject, unreadable } from './plan.ts';

/** A node of the tree over the slots: which of its two sides was complete first, and the bytes of the results below it. */
interface Node {
  readonly side: 0 | 1;
  readonly bytes: number;
}

const maxNodeBytes = 1024;

/** The number of nodes on a level. Level 0 has the slots, the last one has a single node. */
function widthOf(count: number, level: number): number {
  return Math.ceil(count / 2 ** level);
}

/**
 * Climbs from a filled slot towards the root. Two sides meet at each node: the one that creates it is first, and stops; the
 * other one knows by it that both are complete, and goes on. Every step can be repeated with the same outcome.
 *
 * @param bytes the bytes of the result in the slot
 * @returns the bytes of all results if the root was reached, which means that every slot is filled; else undefined
 */
export async function climb(
  access: GroupAccess,
  { id, count }: GroupPlan,
  index: number,
  bytes: number,
): Promise<number | undefined> {
  let position = index;
  let sum = bytes;
  for (let level = 0; widthOf(count, level) > 1; level += 1) {
    const side = (position & 1) as 0 | 1;
    // The last node of a level may have no sibling.
    if ((position ^ 1) < widthOf(count, level)) {
      const first = await meet(access, id, level + 1, position >> 1, { side, bytes: sum });
      // Also after a repeated request or a redelivery: this side was the first.
      if (first.side === side) return undefined;
      sum += first.bytes;
    }
    position >>= 1;
  }
  return sum;
}

/** Finds out which side of a node was first. Reads before it writes, since reading costs a twelfth. */
async function meet(
  access: GroupAccess,
  group: string,
  level: number,
  index: number,
  mine: Node,
): Promise<Node> {
  const existing = await readNode(access, group, level, index);
  if (existing) return existing;
  const address = nodeAddress(access, group, level, index);
  if ((await access.store.create(address, JSON.stringify(mine), access)) !== undefined) return mine;
  // A client repeats a request whose answer was lost, so the node may be this one's own.
  const first = await readNode(access, group, level, index);
  if (!first) throw unreadable(address);
  return first;
}

async function readNode(
  access: GroupAccess,
  group: string,
  level: number,
  index: number,
): Promise<Node | undefined> {
  const address = nodeAddress(access, group, level, index);
  const stored = await access.store.read(address, { maxBytes: maxNodeBytes, signal: access.signal });
  return stored && (parseObject(stored.text, address, isNode) as Node);
}

function nodeAddress(access: GroupAccess, group: string, level: number, index: number) {
  return groupAddress(access, group, `n${level}-${index}`);
}

function isNode(value: unknown): boolean {
  const { side, bytes } = Object(value) as Partial<Node>;
  return (side === 0 || side === 1) && typeof bytes === 'number';
}

/**
 * Finds the slots that may keep a group open, by descending from the root: below a node with a complete side, only the other
 * side can be open.
 */
export async function openSlots(access: GroupAccess, { id, count }: GroupPlan): Promise<number[]> {
  let level = 0;
  while (widthOf(count, level) > 1) level += 1;
  let open = count > 0 ? [0] : [];
  for (; level > 0; level -= 1) {
    const below = await mapAtMost(access.concurrency, open, async (position) => {
      const left = position * 2;
      if (left + 1 === widthOf(count, level - 1)) return [left];
      const node = await readNode(access, id, level, position);
      return node ? [left + 1 - node.side] : [left, left + 1];
    });
    open = below.flat();
  }
  return open;
}
