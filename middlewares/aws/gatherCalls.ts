import { startTimer } from '../timing/startTimer.ts';

export interface GatherOptions<Item> {
  /** Makes one call for items of one key. Resolves to an error for each item that failed, in their order. */
  call(key: string, items: readonly Item[]): Promise<readonly (Error | undefined)[]>;
  /** The maximum number of items in a call. */
  maxItems: number;
  /** The bytes of an item. Default: 0. */
  bytesOf?(item: Item): number;
  /** The maximum number of bytes in a call. Default: no limit. */
  maxBytes?: number;
  /** How long the first item waits for others, in milliseconds. */
  lingerMillis: number;
}

interface Waiting<Item> {
  readonly item: Item;
  settle(error: Error | undefined): void;
}

interface Group<Item> {
  readonly waiting: Waiting<Item>[];
  bytes: number;
  stopTimer(): void;
}

/**
 * Combines calls for single items into batch calls. A batch is sent when it is full, or when its first item has waited
 * for `lingerMillis`.
 *
 * @returns a function that adds an item, and resolves or rejects with the outcome of that item
 */
export function gatherCalls<Item>(options: GatherOptions<Item>): (key: string, item: Item) => Promise<void> {
  const { call, maxItems, bytesOf = () => 0, maxBytes = Number.POSITIVE_INFINITY, lingerMillis } = options;
  const groups = new Map<string, Group<Item>>();

  const leave = async (key: string, { waiting, stopTimer }: Group<Item>): Promise<void> => {
    stopTimer();
    groups.delete(key);
    let errors: readonly (Error | undefined)[];
    try {
      errors = await call(
        key,
        waiting.map(({ item }) => item),
      );
    } catch (error) {
      errors = waiting.map(() => error as Error);
    }
    waiting.forEach(({ settle }, index) => {
      settle(errors[index]);
    });
  };
  const open = (key: string): Group<Item> => {
    const group: Group<Item> = { waiting: [], bytes: 0, stopTimer: () => {} };
    group.stopTimer = startTimer(lingerMillis, () => void leave(key, group));
    groups.set(key, group);
    return group;
  };

  return (key, item) =>
    new Promise((resolve, reject) => {
      const bytes = bytesOf(item);
      const current = groups.get(key);
      if (current && current.bytes + bytes > maxBytes) void leave(key, current);
      const group = groups.get(key) ?? open(key);
      group.bytes += bytes;
      group.waiting.push({ item, settle: (error) => (error ? reject(error) : resolve()) });
      if (group.waiting.length === maxItems) void leave(key, group);
    });
}
