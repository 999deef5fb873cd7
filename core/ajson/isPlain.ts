import type { Fields } from './AlgObject.ts';

/** Whether an object is one that `{}` or `JSON.parse` could have made, in this realm or another. */
export function isPlain(value: object): boolean {
  // Reading the constructor tells V8 the shape, and with that the prototype.
  if (value.constructor === Object && Object.getPrototypeOf(value) === Object.prototype) return true;
  const proto: object | null = Object.getPrototypeOf(value);
  if (proto === Object.prototype || proto === null) return true;
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'hasOwnProperty');
}

/** Whether a value is a list that `[]` or `JSON.parse` could have made, in this realm or another. */
export function isPlainList(value: unknown): value is unknown[] {
  return Array.isArray(value) && (value.constructor === Array || Array.isArray(Object.getPrototypeOf(value)));
}

/** The form of a value that JSON can have; undefined for every other value. */
export function formOf(value: unknown): 'a list' | 'a string' | 'an object' | undefined {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? 'a string' : undefined;
  if (Array.isArray(value)) return isPlainList(value) ? 'a list' : undefined;
  return isPlain(value) ? 'an object' : undefined;
}

/** Has only the members that someone gave to all objects. Reading one is far faster than `hasOwn` on another object. */
export const NONE: Fields = {};

/** Whether someone gave all objects members that `for in` finds, or a `toJSON`. */
export function isPolluted(): boolean {
  for (const _ in NONE) return true;
  return 'toJSON' in NONE;
}

/** The members of an object, without any that someone gave to all objects. */
export function ownMembers<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object);
}

/** Makes a member the object's own, even one with the name `__proto__`. */
export function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  // Without a prototype, because someone may have given all objects a `get`.
  const descriptor = { __proto__: null, value, enumerable, writable: true, configurable: true };
  Object.defineProperty(object, key, descriptor);
}
