/** What is told of an invocation when its messages are acknowledged. */
export interface InvocationReport {
  functionName: string;
  requestId: string;
  /** The task whose queue the batch came from. */
  task: string;
  /** The ids of the batch's messages, in its order. */
  messageIds: readonly string[];
  /** Those of them that were left in the queue. */
  failedIds: readonly string[];
  /** Whether all messages, some or none were deleted. */
  outcome: 'success' | 'partial' | 'failure';
  /** Why the invocation failed as a whole: what the handler threw, or an InvocationError. */
  error?: unknown;
  durationMs: number;
}

/** What a worker has done since it was started. */
export interface WorkerStats {
  /** How many times the handler was called. */
  readonly invocations: number;
  /** How many of those calls failed as a whole. */
  readonly failedInvocations: number;
  /** Messages that came from the queues, redeliveries included. */
  readonly received: number;
  /** Messages that were acknowledged. */
  readonly deleted: number;
  /** Messages that were left in the queue. */
  readonly failed: number;
  /** Messages that are in a batch now. */
  readonly inFlight: number;
}
