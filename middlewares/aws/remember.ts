export interface RememberOptions {
  /** How long a result is remembered, in seconds. */
  maxAgeSeconds: number;
  /** How long it is remembered that there is none, in seconds. Default 30, and never longer than `maxAgeSeconds`. */
  missSeconds?: number;
}

/** The names come from messages, so there may be any number of them. */
const maxEntries = 10_000;

/**
 * Remembers the results of a look-up. Callers that ask while it is under way share it. That nothing was found
 * (undefined) is remembered for a moment; an error is not remembered.
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
    // Deleted first, so that the map is in the order of age.
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
