/**
 * Makes a function that loads a part of the code at its first call, and keeps it. A failed `import()` is tried again at the
 * next call.
 *
 * @param load calls a literal `import()`, so that bundlers see it
 */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return async () => {
    loading ??= load();
    try {
      return await loading;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
}
