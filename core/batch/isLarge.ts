/** Values up to about this size stay in the outcome of a batch: bytes or characters, and eight for each member. */
const keptSize = 65_536;

/** Whether a value takes much memory. A value that cannot be measured counts as large: it is not worth a failure. */
export function isLarge(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  try {
    return sizeOf(value) > keptSize;
  } catch {
    return true;
  }
}

/** Looks at no more of a value than the limit. */
function sizeOf(value: unknown): number {
  let size = 0;
  const waiting = [value];
  while (waiting.length > 0 && size <= keptSize) {
    const next = waiting.pop();
    if (typeof next === 'string') size += next.length;
    else if (typeof next === 'bigint') size += BigInt.asIntN(keptSize * 8, next) === next ? 8 : keptSize + 1;
    else if (typeof next === 'function') return Number.POSITIVE_INFINITY;
    else if (typeof next !== 'object' || next === null) size += 8;
    else {
      const { members, bytes } = contentsOf(next);
      size += bytes + 8;
      if (size <= keptSize) for (const member of members) waiting.push(member);
    }
  }
  return size;
}

interface Contents {
  readonly members: Iterable<unknown>;
  readonly bytes: number;
}

/** An instance of an unknown class may hold anything, in private fields or outside the heap. */
function contentsOf(value: object): Contents {
  // A view holds all of its buffer.
  if (ArrayBuffer.isView(value)) return { members: [], bytes: value.buffer.byteLength };
  if (Array.isArray(value)) return { members: value, bytes: value.length * 8 };
  if (value instanceof Map) return { members: [...value].flat(), bytes: value.size * 16 };
  if (value instanceof Set) return { members: value, bytes: value.size * 8 };
  if (value instanceof Date) return { members: [], bytes: 8 };
  const parent = Object.getPrototypeOf(value);
  const isPlain = parent === null || Object.getPrototypeOf(parent) === null;
  if (!isPlain && !(value instanceof Error)) return { members: [], bytes: Number.POSITIVE_INFINITY };
  const keys = Reflect.ownKeys(value);
  if (keys.length * 8 > keptSize) return { members: [], bytes: keys.length * 8 };
  const values = keys.map((key) => (value as Record<PropertyKey, unknown>)[key]);
  return { members: [...keys, ...values], bytes: 0 };
}
