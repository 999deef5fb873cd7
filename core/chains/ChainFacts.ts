import type {
  ChainEvent,
  DeadLetteredEvent,
  DeliveryEvent,
  FailedEvent,
  GroupFacts,
  MessageRole,
  RetriedEvent,
  StoredEvent,
  SucceededEvent,
} from './ChainEvent.ts';

/** Where a message comes from. */
export interface Origin {
  readonly parentId: string | undefined;
  readonly role: MessageRole | undefined;
  readonly group: GroupFacts | undefined;
}

/** The facts about one message. */
export interface MessageFacts {
  readonly messageId: string;
  taskName: string | undefined;
  callback: string | undefined;
  /** The time in the message. */
  stampedAt: number | undefined;
  sentAt: number | undefined;
  firstAt: number;
  delaySeconds: number | undefined;
  origin: Origin | undefined;
  readonly attempts: Map<string, AttemptFacts>;
}

/** The facts about one delivery. */
export interface AttemptFacts {
  readonly receiver: string;
  readonly recordId: string | undefined;
  readonly attempt: number;
  readonly part: number;
  firstAt: number;
  receivedAt: number | undefined;
  startedAt: number | undefined;
  publishMillis: number | undefined;
  stored: StoredEvent | undefined;
  end: SucceededEvent | FailedEvent | undefined;
  retried: RetriedEvent | undefined;
  deadLettered: DeadLetteredEvent | undefined;
  /** The names of the tasks that got its result, by message. */
  readonly callbacks: Map<string, string>;
}

/** How a branch has joined its group. */
export interface JoinFacts {
  readonly isError: boolean;
  readonly at: number;
  /** The message whose task has filled the slot. */
  readonly messageId: string;
}

/** The facts about one group. */
export interface GroupRecord {
  readonly id: string;
  of: number;
  /** The branches that have joined, by index. */
  readonly joined: Map<number, JoinFacts>;
  /** The message that follows on the group. */
  joinId: string | undefined;
  /** Whether the group has ended, with a message or without one. */
  hasEnded: boolean;
}

/** All facts about a chain. */
export interface ChainFacts {
  readonly chainId: string;
  /** The time of the last event; undefined without events. */
  updatedAt: number | undefined;
  readonly messages: Map<string, MessageFacts>;
  readonly groups: Map<string, GroupRecord>;
}

export function noFacts(chainId: string): ChainFacts {
  return { chainId, updatedAt: undefined, messages: new Map(), groups: new Map() };
}

/** The facts about a message, which are new if the message is. */
export function messageOf({ messages }: ChainFacts, messageId: string, at: number): MessageFacts {
  let message = messages.get(messageId);
  if (!message) {
    message = {
      messageId,
      taskName: undefined,
      callback: undefined,
      stampedAt: undefined,
      sentAt: undefined,
      firstAt: at,
      delaySeconds: undefined,
      origin: undefined,
      attempts: new Map(),
    };
    messages.set(messageId, message);
  }
  message.firstAt = Math.min(message.firstAt, at);
  return message;
}

/** The facts about the delivery of an event, which are new if the delivery is. */
export function attemptOf({ attempts }: MessageFacts, event: DeliveryEvent): AttemptFacts {
  const { receiver, recordId, attempt, part = 0, at } = event;
  const key = JSON.stringify([receiver, recordId, attempt, part]);
  let found = attempts.get(key);
  if (!found) {
    found = {
      receiver,
      recordId,
      attempt,
      part,
      firstAt: at,
      receivedAt: undefined,
      startedAt: undefined,
      publishMillis: undefined,
      stored: undefined,
      end: undefined,
      retried: undefined,
      deadLettered: undefined,
      callbacks: new Map(),
    };
    attempts.set(key, found);
  }
  found.firstAt = Math.min(found.firstAt, at);
  return found;
}

/** The facts about a group, which are new if the group is. */
export function groupRecordOf({ groups }: ChainFacts, { id, of }: GroupFacts): GroupRecord {
  let group = groups.get(id);
  if (!group) {
    group = { id, of, joined: new Map(), joinId: undefined, hasEnded: false };
    groups.set(id, group);
  }
  group.of = Math.max(group.of, of);
  return group;
}

/** Keeps the origin that comes first in the order of its JSON, if a message seems to have several. */
export function setOrigin(message: MessageFacts, origin: Origin): void {
  const { parentId = '', role = '', group } = origin;
  const key = JSON.stringify([parentId === '', parentId, role, group]);
  const current = message.origin as KeyedOrigin | undefined;
  if (!current || key < current.key) message.origin = { ...origin, key } as KeyedOrigin;
}

interface KeyedOrigin extends Origin {
  readonly key: string;
}

export function least<T extends string | number>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b < a ? b : a;
}

export function greatest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** The later of two events. At the same time, the order of their JSON decides. */
export function later<E extends ChainEvent>(a: E | undefined, b: E): E {
  if (a === undefined || a.at !== b.at) return a === undefined || b.at > a.at ? b : a;
  return JSON.stringify(b) > JSON.stringify(a) ? b : a;
}
