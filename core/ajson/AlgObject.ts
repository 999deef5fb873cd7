import { branded } from './recognise.ts';

/** The fields of an object, by name. */
export type Fields = Record<string, unknown>;

const Branded: new () => object = /* @__PURE__ */ branded('AlgObject', Object);

/**
 * The base class of classes that cross the wire. A class that extends it has a static `parseJson`, which makes an
 * instance from the fields that came, and is registered.
 *
 * @example
 * class Credentials extends AlgObject {
 *   static { ajson.register(this, { module: 'shop.models' }); }
 *   static parseJson({ username, password }: { username: string; password: string }) {
 *     return new Credentials(username, password);
 *   }
 *   constructor(readonly username: string, readonly password: string) { super(); }
 * }
 * ajson.loads<Credentials>(ajson.dumps(new Credentials('a', 'b'))).username; // 'a'
 */
export abstract class AlgObject extends Branded {
  /**
   * The fields to send; by default the own enumerable ones. An override may also give a list or a text. Private
   * `#fields` and accessors are not among the default ones: a class that has them overrides this method.
   */
  toJson(): Fields | readonly unknown[] | string {
    return { ...(this as object) };
  }

  /** Whether the other object has the same class and equal fields. */
  equals(other: unknown): boolean {
    if (!(other instanceof AlgObject)) return false;
    return (
      Object.getPrototypeOf(this) === Object.getPrototypeOf(other) && equal(this.toJson(), other.toJson())
    );
  }
}

/** Whether two values are equal in kind and content; sets and maps in any order. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return a === b;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if ('equals' in a && typeof a.equals === 'function') return a.equals(b) === true;
  // Dates, with their microseconds, and URLs.
  if ('toJSON' in a) return JSON.stringify(a) === JSON.stringify(b);
  if (a instanceof Set || a instanceof Map) return sameMembers([...a], [...(b as Set<unknown>)]);
  if (a instanceof Error && String(a) !== String(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key as never], b[key as never]))
  );
}

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  const left = new Set(b);
  const taken = (member: unknown) => [...left].find((other) => equal(member, other));
  return a.length === b.length && a.every((member) => left.delete(member) || left.delete(taken(member)));
}
