/** A part of a text in UTF-8. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

export interface Parts {
  /** Encodes parts until the memory is full. Returns all the bytes if the text has at most `maxBytes`. */
  readAhead(maxBytes: number): Buffer | undefined;
  /** The next part. Undefined at the end. Parts that were not released may be at most as many as there is memory for. */
  next(): Part | undefined;
  /** Gives the memory of a part to the next one. */
  release(part: Part): void;
}

/** How many characters are encoded at a time. */
const sliceLength = 1024 * 1024;

/** Encodes a text in parts of equal size, as they are taken; the last may be smaller. There is memory for `count` parts. */
export function readParts(pieces: Iterable<string>, partBytes: number, count: number): Parts {
  const slices = slicesOf(pieces);
  // One allocation: a text that fits is sent as it is, without joining its parts.
  const memory = Buffer.allocUnsafeSlow(partBytes * count);
  const free = Array.from({ length: count }, (_, index) =>
    memory.subarray(index * partBytes, (index + 1) * partBytes),
  );
  const waiting: Part[] = [];
  /** The bytes that did not fit into the last part. */
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  let isEnd = false;

  const read = (): Part | undefined => {
    if (isEnd) return undefined;
    const part = free.shift();
    if (!part) throw new Error('no part was released');
    let filled = rest.copy(part);
    rest = rest.subarray(filled);
    while (filled < partBytes) {
      const slice = slices.next();
      if (slice.done) {
        isEnd = true;
        break;
      }
      // UTF-8 has at most three bytes for a UTF-16 code unit.
      if (slice.value.length * 3 <= partBytes - filled) filled += part.write(slice.value, filled);
      else {
        const bytes = Buffer.from(slice.value);
        const copied = bytes.copy(part, filled);
        rest = bytes.subarray(copied);
        filled += copied;
      }
    }
    if (filled === 0) return undefined;
    number += 1;
    return { number, bytes: part.subarray(0, filled) };
  };

  return {
    readAhead(maxBytes) {
      let total = 0;
      while (waiting.length < count) {
        const part = read();
        if (!part) break;
        waiting.push(part);
        total += part.bytes.byteLength;
      }
      return isEnd && total <= maxBytes ? memory.subarray(0, total) : undefined;
    },
    next: () => waiting.shift() ?? read(),
    release: ({ bytes }) => {
      const start = bytes.byteOffset;
      free.push(memory.subarray(start, start + partBytes));
    },
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
