/** Makes a member the object's own, whatever it is called. */
export function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  // Without a prototype, of which someone may have given all objects a `get`.
  const descriptor = { __proto__: null, value, enumerable, writable: true, configurable: true };
  Object.defineProperty(object, key, descriptor);
}
