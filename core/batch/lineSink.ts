/** Takes the lines of one invocation's log, instead of the console. */
export interface LineSink {
  (line: string): void;
  /** Whether the console gets the lines too. */
  readonly passesOn?: boolean;
}

const key: unique symbol = Symbol.for('algernon-middy.lineSink');
type Holder = { [key]?: LineSink };

/** The property of a Lambda context that takes the lines of its invocation, for tests and the dev server. */
export function lineSinkProperty(sink: LineSink): object {
  return { [key]: sink } satisfies Holder;
}

/** The sink on a context, if any. */
export function lineSinkOf(context: unknown): LineSink | undefined {
  return (context as Holder | null | undefined)?.[key];
}
