import { Datetime } from './Datetime.ts';

/** Whether two values are equal, kind by kind; sets and maps in any order, NaN to NaN, 0 to -0. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if ('equals' in a && typeof a.equals === 'function') return a.equals(b) === true;
  if (a instanceof Date) {
    const micros = (date: unknown) => (date instanceof Datetime ? date.microseconds : 0);
    return a.getTime() === (b as Date).getTime() && micros(a) === micros(b);
  }
  if (a instanceof Set) return sameMembers([...a], [...(b as Set<unknown>)]);
  if (a instanceof Map) return sameMembers([...a], [...(b as Map<unknown, unknown>)]);
  if (a instanceof URL || a instanceof Error) return String(a) === String(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key as never], b[key as never]))
  );
}

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const left = new Set(b);
  return a.every((member) => {
    if (left.delete(member)) return true;
    for (const other of left) if (equal(member, other)) return left.delete(other);
    return false;
  });
}
