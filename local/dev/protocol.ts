import type { ChainEvent } from '../../core/chains/ChainEvent.ts';

/** A task of the worker. */
export interface DevTask {
  name: string;
  topicArn: string;
  queueUrl: string;
  deadLetterUrl: string;
  /** The JSON Schema of its arguments, if the worker declares one. */
  schema?: unknown;
}

/** How many messages the queues of a task hold. */
export interface QueueDepth {
  waiting: number;
  inFlight: number;
  delayed: number;
  deadLetters: number;
}

/** The start of a run. It is the first line of a file. */
export interface RunEntry {
  kind: 'run';
  /** The version of this format. */
  version: 1;
  startedAt: number;
  /** The worker's file, for people to read. */
  worker?: string;
  /** Where local AWS listens. Missing when a file is shown. */
  endpoint?: string;
  bucket?: string;
}

/** The tasks of the worker. After a reload, they replace the earlier ones. */
export interface TasksEntry {
  kind: 'tasks';
  tasks: DevTask[];
}

/** A step of a task. */
export interface EventEntry {
  kind: 'event';
  event: ChainEvent;
}

/** The message of a task, as a worker received it first. */
export interface MessageEntry {
  kind: 'message';
  chainId: string;
  messageId: string;
  /** The task as wire text; the text of a message that is not a task. Cut at `maxTextLength` characters. */
  text: string;
  /** The length of the whole text, in characters. */
  length: number;
  attributes: Record<string, string>;
}

/** A line that the task logged. */
export interface LogEntry {
  kind: 'log';
  chainId: string;
  messageId: string;
  at: number;
  level: string;
  message: string;
  /** The other fields of the line. */
  fields: Record<string, unknown>;
}

/** A stored value: a result, or one that a pointer in a message leads to. */
export interface ObjectEntry {
  kind: 'object';
  pointer: string;
  /** The value as wire text. Cut at `maxTextLength` characters. */
  text: string;
  /** The length of the whole text, in characters. */
  length: number;
}

/** The worker was loaded again after a change of its files. */
export interface ReloadEntry {
  kind: 'reload';
  at: number;
  /** Why the new code does not run. Messages wait in their queues until the next change. */
  error?: string;
}

/** The depths of the queues, by the name of the task. It is sent to pages, and not written to files. */
export interface DepthsEntry {
  kind: 'depths';
  at: number;
  depths: Record<string, QueueDepth>;
}

/** A line of a file. */
export type FileEntry =
  | RunEntry
  | TasksEntry
  | EventEntry
  | MessageEntry
  | LogEntry
  | ObjectEntry
  | ReloadEntry;

/**
 * A message of the stream `GET /api/stream`, whose SSE data is a list of entries. Messages, lines of logs and objects are not
 * in the stream: a page asks for them when it shows a task.
 */
export type StreamEntry = RunEntry | TasksEntry | EventEntry | ReloadEntry | DepthsEntry;

/** The answer of `GET /api/tasks/MESSAGE_ID`. */
export interface TaskDetail {
  message?: MessageEntry;
  logs: LogEntry[];
}

/** A message in a dead-letter queue: an item of the answer of `GET /api/dead-letters`, which is `{ letters }`. */
export interface DeadLetter {
  /** The id of the message in the queue. A redrive names it. */
  id: string;
  /** The task of the queue. The message may name another one. */
  taskName: string;
  chainId: string;
  /** The id that SNS gave the message. */
  messageId: string;
  sentAt: number;
  receiveCount: number;
  /** The reason that failurePolicy adds to the message. */
  reason?: string;
  /** The task as wire text. */
  text: string;
}

/** The body of `POST /api/redrive`. */
export interface RedriveRequest {
  taskName: string;
  /** Missing: all. */
  ids?: string[];
  /** Replaces the task of the one message in `ids`, as wire text. */
  text?: string;
}

/** The outcome of one dead letter. */
export interface RedriveOutcome {
  readonly messageId: string;
  /** `left`: it stays in the dead-letter queue, as asked. `failed`: see `error`. */
  readonly outcome: 'sent' | 'left' | 'failed';
  /** The code of the error: `MESSAGE_NOT_FOUND`, or `NOT_DELETED` if the message was sent but is in both queues. */
  readonly code?: string;
  readonly error?: string;
}

/** The answer to `POST /api/redrive`. */
export interface RedriveAnswer {
  /** The number of messages that were sent. */
  sent: number;
  messages: readonly RedriveOutcome[];
}

/** The body of `POST /api/send`. The answer is `{ chainId, messageId }`. */
export interface SendRequest {
  /** The task as wire text: `{"task_name": …, "task_kwargs": …, "callback": …}`. */
  text: string;
  delaySeconds?: number;
}

/** The body of an answer with a status of 400 or more. */
export interface DevError {
  error: { code: string; message: string };
}

/** The longest text of a message or an object that is kept, in characters. */
export const maxTextLength = 1_000_000;
