import { shown } from './AjsonError.ts';

/** The brand of our value classes: the same in every realm and in every copy of this package. */
export const KIND: unique symbol = /* @__PURE__ */ Symbol.for('algernon-middy.kind');

/** A base class with a brand, which the declarations of its subclasses do not show. */
export function branded<T>(kind: string, base: T): T {
  const Base = base as new () => object;
  return class extends Base {
    get [KIND](): string {
      return kind;
    }
  } as T;
}

/**
 * The name of the codec for an object whose prototype is not known: a value of another realm, of another copy of
 * this package, or a Date that a fake clock made. Decided by internal slots, which no realm changes.
 */
export function kindOf(value: object): string | undefined {
  const brand = (value as { [KIND]?: unknown })[KIND];
  if (typeof brand === 'string') return brand;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  // Fields of a subclass of Date would be lost.
  if (tag === 'Date') return Object.keys(value).length === 0 ? 'datetime' : undefined;
  if (tag === 'Error' || tag === 'DOMException' || value instanceof Error) return 'Error';
  if (tag === 'Uint8Array') return ArrayBuffer.isView(value) ? tag : undefined;
  // A subclass has its own prototype, without this symbol.
  if (!Object.hasOwn(Object.getPrototypeOf(value) ?? {}, Symbol.toStringTag)) return undefined;
  if (tag === 'Set' && has(Set.prototype.has, value)) return 'set';
  if (tag === 'Map' && has(Map.prototype.has, value)) return tag;
  return tag === 'URL' && typeof (value as URL).href === 'string' ? tag : undefined;
}

/** The name of the class of an object, for a message; empty if it has none, such as `Object.create({ … })`. */
export function nameOf(value: object): string {
  const type: unknown = value.constructor;
  return typeof type === 'function' && type.name && type.name !== 'Object' ? shown(type.name) : '';
}

/** Whether a method of a built-in class can be called on the value, so that it has the internal slots. */
function has(method: (this: never, key: unknown) => boolean, value: object): boolean {
  try {
    Reflect.apply(method, value, [0]);
    return true;
  } catch {
    return false;
  }
}
