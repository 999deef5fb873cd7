/**
 * Remembers what a look-up found. Who asks while it is under way shares it; what was not found, and what failed, is
 * looked up again.
 */
export function remember<T>(
  lookUp: (name: string) => Promise<T | undefined>,
  maxAgeSeconds: number,
): (name: string) => Promise<T | undefined> {
  const known = new Map<string, { found: Promise<T | undefined>; until: number }>();

  return async (name) => {
    const entry = known.get(name);
    if (entry && Date.now() < entry.until) return entry.found;
    const found = lookUp(name);
    known.set(name, { found, until: Date.now() + maxAgeSeconds * 1000 });
    try {
      const value = await found;
      if (value === undefined) known.delete(name);
      return value;
    } catch (error) {
      known.delete(name);
      throw error;
    }
  };
}
