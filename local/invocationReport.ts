/** A report on an invocation, after its messages have been acknowledged. */
export interface InvocationReport {
  /** The name of the function. */
  functionName: string;
  /** The id of the invocation. */
  requestId: string;
  /** The task whose queue the batch came from. */
  task: string;
  /** The ids of the batch's messages, in its order. */
  messageIds: readonly string[];
  /** The ids of those that were left in the queue. */
  failedIds: readonly string[];
  /** Whether all messages, some or none were deleted. */
  outcome: 'success' | 'partial' | 'failure';
  /** The error that failed the whole invocation: the error of the handler, or one with the code `INVOCATION`. */
  error?: unknown;
  /** How long the invocation took, in milliseconds. */
  durationMs: number;
}

/** Counts since the worker was started. */
export interface WorkerStats {
  /** How many times the handler was called. */
  readonly invocations: number;
  /** How many of those calls failed as a whole. */
  readonly failedInvocations: number;
  /** Messages received from the queues, redeliveries included. */
  readonly received: number;
  /** Messages that were acknowledged. */
  readonly deleted: number;
  /** Messages that were left in the queue. */
  readonly failed: number;
  /** Messages that are in a batch now. */
  readonly inFlight: number;
}
