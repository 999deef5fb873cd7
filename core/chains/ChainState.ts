import type { ChainError, MessageRole } from './ChainEvent.ts';

/**
 * The state of a task:
 * - `waiting`: its message is sent, and no worker has received it;
 * - `running`: a worker has received it;
 * - `retrying`: it failed, and its message comes back;
 * - `succeeded`;
 * - `failed`: its message is in a dead-letter queue, or the deadline of its group has passed before any worker received it;
 * - `duplicate`: it is a second message for the same work, and no worker has received it.
 */
export type TaskStatus = 'waiting' | 'running' | 'retrying' | 'succeeded' | 'failed' | 'duplicate';

/** One delivery of a task's message. All times are in milliseconds since 1970, and all durations in milliseconds. */
export interface AttemptState {
  /** The ARN of the queue, or of the function. */
  receiver: string;
  /** The id of the message in its queue. */
  recordId: string | undefined;
  /** How often the message was received, this time included. */
  attempt: number;
  /** The number of the run, if a loop runs parts of one message. */
  part: number;
  /** `lost`: it has no end, and the message was received again. The process was killed, or its end is still to come. */
  outcome: 'running' | 'succeeded' | 'failed' | 'lost';
  /** When the worker received the message. */
  receivedAt: number | undefined;
  /** When the handler was called. */
  startedAt: number | undefined;
  /** When the attempt ended. */
  endedAt: number | undefined;
  /** How long the message waited since it could be received: since it was sent, or since its backoff ended. */
  queueMillis: number | undefined;
  /** How long the handler ran. */
  runMillis: number | undefined;
  /** How long storing the result took. */
  storeMillis: number | undefined;
  /** How long publishing the callbacks took. */
  publishMillis: number | undefined;
  /** The pointer to the result. */
  pointer: string | undefined;
  /** The error of the attempt. */
  error: ChainError | undefined;
  /** When the message comes back. */
  retry: { delaySeconds: number; dueAt: number } | undefined;
  /** When the message went to a dead-letter queue, and the URL of the queue. */
  deadLetter: { at: number; queue: string | undefined } | undefined;
}

/** A task of a chain: one message, and its deliveries. */
export interface TaskState {
  /** The id that SNS gave the message. */
  messageId: string;
  /** The name of the task. */
  taskName: string | undefined;
  /** The task that sent the message; undefined for a task that starts the chain. A join belongs to the parent of its branches. */
  parentId: string | undefined;
  /** The number of tasks above it. */
  depth: number;
  /** Why the message was sent; undefined for a task that a sender has sent. */
  role: MessageRole | undefined;
  /** The callback in its message. */
  callback: string | undefined;
  /** The branch that it is, or the group that it joins. */
  group: { id: string; index: number | undefined } | undefined;
  /** Whether it is waiting, running or done. */
  status: TaskStatus;
  /** Since when it has this status. */
  since: number;
  /** When its message was sent. */
  sentAt: number | undefined;
  /** When a delayed message can be received. */
  dueAt: number | undefined;
  /** In order. One message may go to several queues, so that attempts may overlap. */
  attempts: AttemptState[];
  /** The pointer to its result. */
  pointer: string | undefined;
  /** The error of the last attempt, unless the task succeeded. */
  error: ChainError | undefined;
  /** Whether it has ended its chain by `endChain()`. */
  endsChain: boolean;
  /** The names of following tasks whose messages are unknown so far. */
  missing: string[];
}

/** A group of branches. */
export interface GroupState {
  /** The id of the group. */
  id: string;
  /** How many branches it has. */
  of: number;
  /** The branches that have joined, by index. */
  joined: number[];
  /** Those of them that joined with an error. */
  failed: number[];
  /** The message of the task that gets the results, or the error; undefined until it is sent. */
  joinId: string | undefined;
  /** Whether branches are missing. A group may end without a message: when it fails, and has no error task. */
  isOpen: boolean;
}

/** The state of a chain, as far as its events tell. */
export interface ChainState {
  /** The id of the chain. */
  chainId: string;
  /** `open` as long as any task is open; then `failed` if any task is in a dead-letter queue. */
  status: 'open' | 'succeeded' | 'failed';
  /** The time of the first event. */
  startedAt: number;
  /** The time of the last event. */
  updatedAt: number;
  /** Undefined as long as the chain is open. */
  endedAt: number | undefined;
  /** The tasks as a tree: each is followed by those that it has sent, with a larger `depth`. */
  tasks: TaskState[];
  /** The groups of the chain. */
  groups: GroupState[];
  /** The messages of the tasks that are open. */
  open: string[];
  /** Since when the oldest open task is waiting, running or retrying. */
  openSince: number | undefined;
}
