/** An error, as an event carries it. */
export interface ChainError {
  /** The name of the error. */
  name: string;
  /** The message of the error. */
  message: string;
  /** The code of the error. */
  code?: string;
  /** The stack of the error. */
  stack?: string;
  /** The cause of the error. */
  cause?: ChainError;
}

/** The group that a message belongs to. */
export interface GroupFacts {
  /** The id of the group. */
  id: string;
  /** How many branches the group has. */
  of: number;
  /** Which branch it is, from 0; missing for the message that joins them. */
  index?: number;
}

/** Why a task sent a message: `callback` carries its result, `error` its error, `join` the results of a group. */
export type MessageRole = 'callback' | 'error' | 'branch' | 'join';

/** A message that a task has sent. */
export interface PublishedMessage {
  /** The id that SNS gave it. */
  messageId: string;
  /** The name of the task. */
  taskName: string;
  /** Why the message was sent. */
  role: MessageRole;
  /** The callback in the message. */
  callback?: string;
  /** How long the message is held back. */
  delaySeconds?: number;
  /** The group that the message belongs to. */
  group?: GroupFacts;
}

/** The fields of every event. */
interface EventFields {
  /** The id of the chain. */
  chainId: string;
  /** The id that SNS gave the message of the task. It identifies the task, also after a redrive. */
  messageId: string;
  /** Missing as long as it is unknown: a message may be stored outside of its record, or may not be a task. */
  taskName?: string;
  /** When it happened, in milliseconds since 1970. */
  at: number;
}

/** The fields of an event in a worker. */
export interface DeliveryFields extends EventFields {
  /** The ARN of the queue; of the function, if SNS or a caller invokes it directly. */
  receiver: string;
  /** The id that SQS gave the message, which a redrive changes. */
  recordId?: string;
  /** How often the message was received, this time included. */
  attempt: number;
  /** The number of the run, if a loop runs parts of one message. Missing: 0. */
  part?: number;
}

/** A sender has sent a task. The messages of a worker's callbacks are in its `published` event. */
export interface SentEvent extends EventFields {
  /** The kind of the event. */
  type: 'sent';
  /** The message of the task that sent it; missing if it starts the chain. */
  parentId?: string;
  /** The callback in the message. */
  callback?: string;
  /** How long the task is held back. */
  delaySeconds?: number;
  /** The group that the message belongs to. */
  group?: GroupFacts;
}

/** A worker has received the message of a task. */
export interface ReceivedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'received';
  /** When the message was sent. */
  sentAt?: number;
  /** The callback in the message. */
  callback?: string;
}

/** The handler is about to be called: the message is parsed, and its pointers are read. */
export interface StartedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'started';
}

/** The result is stored. */
export interface StoredEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'stored';
  /** The pointer to the result. */
  pointer: string;
  /** The characters that were stored. */
  length?: number;
  /** How long storing took. */
  durationMillis?: number;
}

/** Messages have been sent: the callbacks of a task, or the branches of a group. */
export interface PublishedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'published';
  /** The messages that were sent. */
  messages: PublishedMessage[];
  /** How long publishing took. */
  durationMillis?: number;
}

/** The task is done, and its callbacks are sent. */
export interface SucceededEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'succeeded';
  /** How long the handler ran. */
  durationMillis?: number;
  /** Whether the task has ended its chain by `endChain()`. */
  endsChain?: boolean;
  /** The names of the tasks that got its result. */
  next?: string[];
}

/** The task has failed. Without a `deadLettered` event it will be tried again. */
export interface FailedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'failed';
  /** The error of the task. */
  error: ChainError;
  /** How long the handler ran. */
  durationMillis?: number;
}

/** The message of a failed task comes back after a delay. */
export interface RetriedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'retried';
  /** When the message comes back, in seconds from then. */
  delaySeconds: number;
}

/** The task has failed for good: its message is in a dead-letter queue, or it was invoked directly. */
export interface DeadLetteredEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'deadLettered';
  /** The URL of the queue; missing if SQS moves the message. */
  queue?: string;
}

/** A branch has recorded its result, or its error, in its group. */
export interface JoinedEvent extends DeliveryFields {
  /** The kind of the event. */
  type: 'joined';
  /** The group, and the index of the branch. Without an index, the group has ended, with or without a message. */
  group: GroupFacts;
  /** Whether it recorded an error. */
  isError?: boolean;
}

/** Something that happened to a task of a chain. */
export type ChainEvent =
  | SentEvent
  | ReceivedEvent
  | StartedEvent
  | StoredEvent
  | PublishedEvent
  | SucceededEvent
  | FailedEvent
  | RetriedEvent
  | DeadLetteredEvent
  | JoinedEvent;

/** The event of a worker, about one delivery of a message. */
export type DeliveryEvent = Exclude<ChainEvent, SentEvent>;

type FactOf<E> = E extends DeliveryFields ? Omit<E, keyof DeliveryFields> : never;

/**
 * A fact that a stage reports about the task it runs, by `run.report`. It becomes the event of the same type. `returned`
 * becomes no event: it ends the time of the handler.
 */
export type TaskFact =
  | FactOf<StoredEvent | RetriedEvent | DeadLetteredEvent>
  | GroupFact
  | { type: 'returned' };

/** A fact about messages that were sent, or about a group. A group may belong to another chain than the task. */
export type GroupFact = FactOf<PublishedEvent | JoinedEvent> & { chainId?: string };
