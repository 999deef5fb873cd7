/** Makes a function that runs work, at most `limit` at the same time and the rest in order. */
export function limitConcurrency(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // A waiting one takes the place over, so that nothing can come between.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
