import { StoredData, storedDataClass } from '../storedData/StoredData.ts';
import { type Ajson, openAjson } from './openAjson.ts';

/**
 * The shared ajson: JSON that keeps classes, datetimes, tuples, sets and decimals.
 *
 * @example
 * ajson.register(Order, { module: 'shop.models' });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1', new Date())));
 */
export const ajson: Ajson = /* @__PURE__ */ openShared();

// Registered here and not by the class, so that reading stored values does not load what writes ajson.
function openShared(): Ajson {
  const shared = openAjson({}, []);
  shared.register(StoredData, storedDataClass);
  return shared;
}
