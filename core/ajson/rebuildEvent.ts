import { ajson } from './ajson.ts';

/**
 * An event, or a task of it, with its objects rebuilt: those of classes registered with the shared `ajson`, and
 * datetimes, decimals, sets and tuples. The event itself is left as it is. Throws an `AjsonError` that says where.
 *
 * @example
 * const { task_kwargs } = rebuildEvent<{ task_kwargs: { order: Order } }>(task);
 */
export function rebuildEvent<T = unknown>(event: unknown): T {
  return ajson.rebuildEvent<T>(event);
}
