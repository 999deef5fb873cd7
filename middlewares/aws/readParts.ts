/** A part of a text in UTF-8. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

export interface Parts {
  /** Encodes parts until `count` are waiting, or the text ends. */
  readAhead(count: number): void;
  /** The number of parts that are waiting. */
  ahead(): number;
  /** The next part. Undefined at the end. */
  next(): Part | undefined;
  /** Gives the memory of a part to another one. */
  release(part: Part): void;
}

/** How many characters are encoded at a time. */
const sliceLength = 1024 * 1024;

/** Encodes a text in parts of equal size, as they are taken; the last may be smaller. */
export function readParts(pieces: Iterable<string>, partBytes: number): Parts {
  const slices = slicesOf(pieces);
  const waiting: Part[] = [];
  const free: ArrayBufferLike[] = [];
  /** The bytes that did not fit into the last part. */
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;

  const read = (): Part | undefined => {
    let slice = rest.length > 0 ? undefined : slices.next();
    if (slice?.done) return undefined;
    const memory = free.pop();
    const part = memory ? Buffer.from(memory) : Buffer.allocUnsafeSlow(partBytes);
    let filled = rest.copy(part);
    rest = rest.subarray(filled);
    while (filled < partBytes) {
      slice ??= slices.next();
      if (slice.done) break;
      // UTF-8 has at most three bytes for a UTF-16 code unit.
      if (slice.value.length * 3 <= partBytes - filled) filled += part.write(slice.value, filled);
      else {
        const bytes = Buffer.from(slice.value);
        const copied = bytes.copy(part, filled);
        rest = bytes.subarray(copied);
        filled += copied;
      }
      slice = undefined;
    }
    number += 1;
    return { number, bytes: part.subarray(0, filled) };
  };

  return {
    readAhead(count) {
      while (waiting.length < count) {
        const part = read();
        if (!part) return;
        waiting.push(part);
      }
    },
    ahead: () => waiting.length,
    next: () => waiting.shift() ?? read(),
    release: ({ bytes }) => void free.push(bytes.buffer),
  };
}

function* slicesOf(pieces: Iterable<string>): Generator<string, undefined> {
  for (const piece of pieces) {
    for (let start = 0, end: number; start < piece.length; start = end) {
      end = Math.min(start + sliceLength, piece.length);
      // Do not cut a surrogate pair.
      if ((piece.codePointAt(end - 1) ?? 0) > 0xffff) end += 1;
      yield piece.slice(start, end);
    }
  }
}
