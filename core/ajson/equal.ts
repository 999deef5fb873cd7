/** Whether two values are equal, kind by kind; sets and maps in any order. */
export function equal(a: unknown, b: unknown): boolean {
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
