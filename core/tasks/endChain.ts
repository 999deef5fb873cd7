const brand: unique symbol = Symbol.for('algernon-middy.ChainEnd');

/** A result that ends its chain. See {@link endChain}. */
export class ChainEnd<R = unknown> {
  /** The result of the task. */
  readonly result: R;

  constructor(result: R) {
    this.result = result;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The result, for a direct invocation. */
  toJSON(): R | null {
    return this.result ?? null;
  }

  /** Recognises an instance of another copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (value as { [brand]?: true } | null | undefined)?.[brand] === true;
  }
}

/**
 * Ends a chain early: no callback is sent after it. Return it from a task's function, or throw it from any depth.
 *
 * @param result the task's result
 * @example
 * const worker = routeTasks({ load: async ({ symbol }) => (await has(symbol)) ? read(symbol) : endChain() });
 */
export function endChain(): ChainEnd<undefined>;
export function endChain<R>(result: R): ChainEnd<R>;
export function endChain(result?: unknown): ChainEnd {
  return new ChainEnd(result);
}
