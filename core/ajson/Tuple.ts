import { branded } from './recognise.ts';

const Branded: ArrayConstructor = /* @__PURE__ */ branded('tuple', Array);

/**
 * A frozen array that crosses the wire as a `tuple`. Made with {@link tuple}. Its `map`, `filter` and `slice` give
 * plain arrays.
 */
export class Tuple<T = unknown> extends Branded<T> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/**
 * Makes a {@link Tuple} of its arguments.
 *
 * @example
 * const point = tuple(52.1, 'north');
 * ajson.dumps(point); // {"_alg_class":"tuple","value":[52.1,"north"]}
 */
export function tuple<const T extends readonly unknown[]>(...items: T): T & Tuple<T[number]> {
  return toTuple(items) as T & Tuple<T[number]>;
}

/** The items as a {@link Tuple}; also more items than a function may have arguments. */
export function toTuple<T>(items: readonly T[]): Tuple<T> {
  const made = new Tuple<T>();
  for (const item of items) made.push(item);
  return Object.freeze(made) as Tuple<T>;
}
