import type { Ajson } from './openAjson.ts';
import { sharedAjson } from './sharedAjson.ts';

/**
 * The shared ajson: JSON that keeps classes, datetimes, tuples, sets and decimals.
 *
 * @example
 * ajson.register(Order, { module: 'shop.models' });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1', new Date())));
 */
export const ajson: Ajson = sharedAjson;

/**
 * An event, or a task, with its tags rebuilt: objects of classes registered with the shared `ajson`, datetimes,
 * decimals, sets and tuples. The event itself is not changed. Throws an `AjsonError` with the path.
 *
 * @example
 * const { task_kwargs } = rebuildEvent<{ task_kwargs: { order: Order } }>(task);
 */
export function rebuildEvent<T = unknown>(event: unknown): T {
  return ajson.rebuildEvent<T>(event);
}
