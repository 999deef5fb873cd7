import { branded } from './recognise.ts';

const Branded: SetConstructor = /* @__PURE__ */ branded('frozenset', Set);

/**
 * A `Set` that cannot be changed; `frozenset` on the wire. Its `add`, `delete` and `clear` throw a
 * `TypeError`.
 *
 * @example
 * ajson.dumps(new FrozenSet(['a'])); // {"_alg_class":"frozenset","value":["a"]}
 */
export class FrozenSet<T = unknown> extends Branded<T> {
  constructor(items: Iterable<T> = []) {
    super();
    for (const item of items) super.add(item);
  }

  /** Throws a `TypeError`. */
  override add(): never {
    return refuse();
  }

  /** Throws a `TypeError`. */
  override delete(): never {
    return refuse();
  }

  /** Throws a `TypeError`. */
  override clear(): never {
    return refuse();
  }
}

function refuse(): never {
  throw new TypeError('a FrozenSet cannot be changed: make a new one');
}
