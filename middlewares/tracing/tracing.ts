/** What is known of a task when it starts. */
export interface TaskFacts {
  /** Undefined for a message that is no task. */
  taskName: string | undefined;
  messageId: string;
  receiveCount: number | undefined;
  chainId: string;
  /** The callback. */
  chain: string | undefined;
  /** The ARN of the queue or the topic; undefined when the function was invoked directly. */
  source: string | undefined;
  /** The message attributes that came with it. */
  attributes: Readonly<Record<string, string>>;
  coldStart: boolean;
}

/** A task in a trace. */
export interface TaskTrace {
  /** Runs something as a part of the task. */
  run<T>(work: () => T): T;
  /** The message attributes by which the next task carries on the trace. */
  readonly outgoing: Readonly<Record<string, string>>;
  /** Ends the task's span. */
  end(failure?: { error: unknown }): void;
}

/** What traces tasks: `xrayTracing()`, `openTelemetryTracing()`, or one of your own. */
export interface Tracing {
  /** Opens the span of a task; undefined when nothing is to be traced. */
  start(task: TaskFacts): TaskTrace | undefined;
  /** Runs something in a span of its own, in the span that is current, else in the task's. */
  span<T>(name: string, work: () => T, task?: TaskTrace): T;
  /** Sends a message to a topic, with the message attributes by which it carries on the trace. */
  send<T>(topicArn: string, work: (attributes: Readonly<Record<string, string>>) => T, task?: TaskTrace): T;
  /** Lets an AWS client tell of its calls; does nothing for one that does already. */
  capture?(client: object): void;
}
