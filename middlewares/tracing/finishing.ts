/** Ends a span, with the failure if there was one. */
export type End = (failure?: { error: unknown }) => void;

/** Runs `work`, and calls `end` when it has finished: at once, or when its promise settles. */
export function finishing<T>(work: () => T, end: End): T {
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

/** The first call ends the span: the deadline may end it before the task does. */
export function once(end: End): End {
  let ended = false;
  return (failure) => {
    if (ended) return;
    ended = true;
    end(failure);
  };
}

/** An error for a span. Never throws. */
export function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  try {
    return new Error(String(error));
  } catch {
    return new Error('a thrown value without a string form');
  }
}
