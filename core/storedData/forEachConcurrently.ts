/**
 * Calls `work` for each item, for at most `limit` items at the same time. An item is taken when an earlier call has ended, so
 * that a long list does not become as many promises. After a failure no item is taken.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // All lanes share a generator, which ends when one of them throws.
  const rest = (function* () {
    yield* items;
  })();
  const lane = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
