const KEY = 'algernon-middy.raw';
let marked: WeakSet<object> | undefined;

/** The marked values. All copies of this package in a process share them. */
function shared(): WeakSet<object> {
  const all = globalThis as unknown as Record<symbol, WeakSet<object> | undefined>;
  marked = all[Symbol.for(KEY)] ??= new WeakSet();
  return marked;
}

/**
 * Marks a parsed value to be left as it is: `rebuildEvent` does not change it, at any depth of the event, and `dumps`
 * writes its tags unchanged. Returns its argument.
 */
export function markRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) shared().add(value);
  return value;
}

/** Looks for values that another copy of this package has marked. Called once for each text or event. */
export function findMarked(): void {
  marked ??= (globalThis as unknown as Record<symbol, WeakSet<object> | undefined>)[Symbol.for(KEY)];
}

/** Whether the value itself was given to {@link markRaw}. */
export function isRaw(value: object): boolean {
  return marked?.has(value) ?? false;
}
