const marked: WeakSet<object> = new WeakSet();
let any = false;

/**
 * Marks a parsed value as one that stays as it is: `rebuildEvent` leaves it alone, however deep in the event it
 * lies, and `dumps` writes the tags in it as they stand. Returns its argument.
 */
export function markRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    marked.add(value);
    any = true;
  }
  return value;
}

/** Whether the value itself was given to {@link markRaw}. */
export function isRaw(value: object): boolean {
  return any && marked.has(value);
}
