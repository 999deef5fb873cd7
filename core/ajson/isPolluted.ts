const NONE: readonly unknown[] = [];

/** Whether someone gave all objects members that `for in` finds, or a `toJSON`. */
export function isPolluted(): boolean {
  for (const _ in NONE) return true;
  return 'toJSON' in NONE;
}
