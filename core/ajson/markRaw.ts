const KEY: unique symbol = /* @__PURE__ */ Symbol.for('algernon-middy.raw');

/** All copies of this package in a process share the marked values. */
const realm = globalThis as unknown as { [KEY]?: WeakSet<object> };

/**
 * Marks a parsed value to be left as it is: `rebuildEvent` does not change it, at any depth of the event, and `dumps`
 * writes its tags unchanged. Returns its argument.
 */
export function markRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    realm[KEY] ??= new WeakSet();
    realm[KEY].add(value);
  }
  return value;
}

/** The values that were given to {@link markRaw}; undefined if there are none. */
export function rawValues(): WeakSet<object> | undefined {
  return realm[KEY];
}
