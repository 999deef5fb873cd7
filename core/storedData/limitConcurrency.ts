/** Makes a function that runs work: at most `limit` at the same time, the rest queued in order. */
export function limitConcurrency(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  // Not shifted: in a long array that moves all items.
  const waiting: ((() => void) | undefined)[] = [];
  let first = 0;
  let running = 0;

  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting[first];
      waiting[first] = undefined;
      first += 1;
      if (first >= waiting.length) {
        waiting.length = 0;
        first = 0;
      }
      // The next in the queue takes over the slot, so `running` does not change.
      if (next) next();
      else running -= 1;
    }
  };
}
