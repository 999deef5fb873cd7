/** The facts of a task when it starts. */
export interface TaskFacts {
  /** Undefined for a message that is not a task. */
  taskName: string | undefined;
  /** The id of the message. */
  messageId: string;
  /** How often the message was received, this time included; undefined when the function was invoked directly. */
  receiveCount: number | undefined;
  /** The id of the chain. */
  chainId: string;
  /** The callback. */
  chain: string | undefined;
  /** The ARN of the queue or the topic; undefined when the function was invoked directly. */
  source: string | undefined;
  /** The attributes of its message. */
  attributes: Readonly<Record<string, string>>;
  /** Whether it is the first invocation of the instance. */
  coldStart: boolean;
}

/** A task in a trace. */
export interface TaskTrace {
  /** Runs `work` as a part of the task. */
  run<T>(work: () => T): T;
  /** The message attributes with which the next task continues the trace. */
  readonly outgoingAttributes: Readonly<Record<string, string>>;
  /** Ends the task's span. Further calls do nothing: the deadline may end it first. */
  end(failure?: { error: unknown }): void;
}

/** Traces tasks: `xrayTracing()`, `openTelemetryTracing()`, or an object with these members. */
export interface Tracing {
  /** Opens the span of a task. Undefined if the task is not traced. */
  start(task: TaskFacts): TaskTrace | undefined;
  /** Runs `work` in a new span, inside the current span or else the task's. */
  span<T>(name: string, work: () => T, task?: TaskTrace): T;
  /** Sends a message to a topic. `attributes` are the message attributes that continue the trace. */
  send<T>(topicArn: string, work: (attributes: Readonly<Record<string, string>>) => T, task?: TaskTrace): T;
  /** Traces the calls of an AWS client. Does nothing if they are traced already. */
  capture?(client: object): void;
}
