import type { Fields } from './AlgObject.ts';

/**
 * An object of a class that is not known here, kept as it came. `dumps` writes it out again unchanged, so a worker
 * may pass on what it has no class for.
 */
export class UnknownObject {
  /** The tag as it came, with what it holds rebuilt: `_alg_class`, `value`, and whatever else there was. */
  readonly tag: Fields;

  constructor(tag: Fields) {
    this.tag = tag;
  }

  /** The name of the class. */
  get className(): string {
    return String(this.tag['_alg_class']);
  }

  /** The module of the class; undefined for a kind of its own, which has none. */
  get module(): string | undefined {
    const module = Object.hasOwn(this.tag, '_alg_module') ? this.tag['_alg_module'] : undefined;
    return typeof module === 'string' ? module : undefined;
  }

  /** What the object holds, rebuilt. */
  get value(): unknown {
    return this.tag['value'];
  }
}
