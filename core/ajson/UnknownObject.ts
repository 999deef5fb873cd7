import type { Fields } from './AlgObject.ts';
import { ownMembers } from './isPlain.ts';
import { branded } from './recognise.ts';

const Branded: new () => object = /* @__PURE__ */ branded('', Object);

/**
 * An object of a class that is not registered, kept as it came. `dumps` writes it again unchanged, so a worker can
 * pass on objects without having their classes.
 */
export class UnknownObject extends Branded {
  /** The tag as it came, with its members rebuilt: `_alg_class`, `value` and all others. */
  readonly tag: Fields;

  constructor(tag: Fields) {
    super();
    this.tag = tag;
  }

  /** The name of the class. */
  get className(): string {
    return String(this.tag['_alg_class']);
  }

  /** The module of the class; undefined for a tag without one. */
  get module(): string | undefined {
    const { _alg_module: module } = ownMembers(this.tag);
    return typeof module === 'string' ? module : undefined;
  }

  /** The fields of the object, rebuilt. */
  get value(): unknown {
    return this.tag['value'];
  }
}
