/** Runs something, and tells when it is over: at once, or when its promise is settled. */
export function finishing<T>(work: () => T, end: (failure?: { error: unknown }) => void): T {
  try {
    const result = work();
    if (!(result instanceof Promise)) {
      end();
      return result;
    }
    const ended = result.then(
      (value: unknown) => {
        end();
        return value;
      },
      (error: unknown) => {
        end({ error });
        throw error;
      },
    );
    return ended as T;
  } catch (error) {
    end({ error });
    throw error;
  }
}
