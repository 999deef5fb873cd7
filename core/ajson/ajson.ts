import { type Ajson, openAjson } from './openAjson.ts';

/**
 * The shared ajson: JSON that keeps classes, datetimes, tuples, sets and decimals.
 *
 * @example
 * ajson.register(Order, { module: 'shop.models' });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1', new Date())));
 */
export const ajson: Ajson = /* @__PURE__ */ openAjson({}, []);
