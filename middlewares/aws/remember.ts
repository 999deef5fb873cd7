export interface RememberOptions {
  /** How long a result is cached, in seconds. */
  maxAgeSeconds: number;
  /** How long a missing result is cached, in seconds. Default 30, at most `maxAgeSeconds`. */
  missSeconds?: number;
}

/** Names come from messages, so their number is unbounded. */
const maxEntries = 10_000;

/**
 * Caches the results of a look-up. Concurrent callers share it. A missing result (undefined) is cached for a shorter
 * time; an error is not cached.
 */
export function remember<T>(
  lookUp: (name: string) => Promise<T | undefined>,
  { maxAgeSeconds, missSeconds = 30 }: RememberOptions,
): (name: string) => Promise<T | undefined> {
  const entries = new Map<string, { found: Promise<T | undefined>; until: number }>();

  return async (name) => {
    const cached = entries.get(name);
    if (cached && Date.now() < cached.until) return cached.found;
    const entry = { found: lookUp(name), until: Date.now() + maxAgeSeconds * 1000 };
    // Deleted first, so that the map stays ordered by age.
    entries.delete(name);
    entries.set(name, entry);
    if (entries.size > maxEntries) entries.delete(entries.keys().next().value as string);
    try {
      const value = await entry.found;
      if (value === undefined) entry.until = Math.min(entry.until, Date.now() + missSeconds * 1000);
      return value;
    } catch (error) {
      if (entries.get(name) === entry) entries.delete(name);
      throw error;
    }
  };
}
