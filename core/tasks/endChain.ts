/** A result after which nothing follows. See {@link endChain}. */
export class ChainEnd<R = unknown> {
  readonly result: R;

  constructor(result: R) {
    this.result = result;
  }

  toJSON(): R {
    return this.result;
  }
}

/**
 * Ends a chain early: returned by a task's function, it makes `callbackPublisher` send nothing, whatever the callback
 * is.
 *
 * @param result what the task results in
 * @example
 * const worker = routeTasks({ load: async ({ symbol }) => (await has(symbol)) ? read(symbol) : endChain() });
 */
export function endChain(): ChainEnd<undefined>;
export function endChain<R>(result: R): ChainEnd<R>;
export function endChain(result?: unknown): ChainEnd {
  return new ChainEnd(result);
}
