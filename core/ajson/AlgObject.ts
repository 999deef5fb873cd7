import { equal } from './equal.ts';

/** The fields of an object, by name. */
export type Fields = Record<string, unknown>;

/**
 * The base class of what can cross the wire. A class that extends it has a static `parseJson`, which makes an
 * instance of the fields that came, and is registered.
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
export abstract class AlgObject {
  /** The fields to send: the own enumerable ones, unless it is overridden. */
  toJson(): Fields {
    return { ...(this as object) };
  }

  /** Whether the other is of the same class, and its fields are equal to these. */
  equals(other: unknown): boolean {
    if (!(other instanceof AlgObject)) return false;
    return (
      Object.getPrototypeOf(this) === Object.getPrototypeOf(other) && equal(this.toJson(), other.toJson())
    );
  }
}
