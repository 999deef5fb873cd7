import type {
  ChainEvent,
  DeadLetteredEvent,
  DeliveryEvent,
  FailedEvent,
  GroupFacts,
  MessageRole,
  PublishedMessage,
  RetriedEvent,
  SentEvent,
  StoredEvent,
  SucceededEvent,
} from './ChainEvent.ts';
import type { ChainState } from './ChainState.ts';
import { readChainEvent } from './readChainEvent.ts';
import { stateOf } from './stateOf.ts';

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

/** The facts about one group. */
export interface GroupRecord {
  readonly id: string;
  of: number;
  /** Whether the branch joined with an error, by its index. */
  readonly joined: Map<number, boolean>;
  joinId: string | undefined;
}

/** All facts about a chain. */
export interface ChainFacts {
  readonly chainId: string;
  updatedAt: number;
  readonly messages: Map<string, MessageFacts>;
  readonly groups: Map<string, GroupRecord>;
}

/** The state of one chain, to which events are added. */
export interface ChainFold {
  /** Adds an event. Returns false for a value that is not an event of this chain. */
  add(event: unknown): boolean;
  /** The state, as far as the events so far tell; undefined without events. */
  state(): ChainState | undefined;
}

/**
 * Collects the events of one chain, one at a time, for a page or a command that follows it. Their order is irrelevant, and an
 * event may be added more than once.
 *
 * @example
 * const fold = foldChain(chainId);
 * for await (const event of events) if (fold.add(event)) show(fold.state());
 */
export function foldChain(chainId: string): ChainFold {
  const facts = noFacts(chainId);
  return {
    add(value) {
      const event = readChainEvent(value);
      if (event?.chainId !== chainId) return false;
      addEvent(facts, event);
      return true;
    },
    state: () => (facts.messages.size === 0 ? undefined : stateOf(facts)),
  };
}

/**
 * The state of a chain, from its events in any order. Values that are not events are ignored. If the events are of several
 * chains, the state is that of the chain whose id sorts first.
 *
 * @returns undefined without events
 * @example
 * const { status, tasks } = chainState(lines.map((line) => JSON.parse(line)));
 */
export function chainState(events: Iterable<unknown>): ChainState | undefined {
  const read: ChainEvent[] = [];
  let chainId: string | undefined;
  for (const value of events) {
    const event = readChainEvent(value);
    if (!event) continue;
    read.push(event);
    chainId = least(chainId, event.chainId);
  }
  if (chainId === undefined) return undefined;
  const facts = noFacts(chainId);
  for (const event of read) if (event.chainId === chainId) addEvent(facts, event);
  return stateOf(facts);
}

/*
 * Each field keeps the least or the greatest value that any event gives it, by a total order. So neither the order of the
 * events nor their number matters.
 */

function noFacts(chainId: string): ChainFacts {
  return { chainId, updatedAt: 0, messages: new Map(), groups: new Map() };
}

function addEvent(facts: ChainFacts, event: ChainEvent): void {
  facts.updatedAt = Math.max(facts.updatedAt, event.at);
  const message = messageOf(facts, event.messageId, event.at);
  message.taskName = least(message.taskName, event.taskName);
  if (event.type === 'sent') addSent(facts, message, event);
  else addDelivery(facts, message, event);
}

function addSent(facts: ChainFacts, message: MessageFacts, event: SentEvent): void {
  const { at, parentId, callback, delaySeconds, group } = event;
  message.sentAt = least(message.sentAt, at);
  message.callback = least(message.callback, callback);
  message.delaySeconds = greatest(message.delaySeconds, delaySeconds);
  let role: MessageRole | undefined;
  if (group) role = group.index === undefined ? 'join' : 'branch';
  setOrigin(message, { parentId, role, group });
  if (group) addToGroup(facts, event.messageId, group);
}

function addDelivery(facts: ChainFacts, message: MessageFacts, event: DeliveryEvent): void {
  const attempt = attemptOf(message, event);
  const { at } = event;
  switch (event.type) {
    case 'received':
      attempt.receivedAt = least(attempt.receivedAt, at);
      message.stampedAt = least(message.stampedAt, event.sentAt);
      message.callback = least(message.callback, event.callback);
      break;
    case 'started':
      attempt.startedAt = least(attempt.startedAt, at);
      break;
    case 'stored':
      attempt.stored = later(attempt.stored, event);
      break;
    case 'published':
      attempt.publishMillis = greatest(attempt.publishMillis, event.durationMillis);
      for (const sent of event.messages) addPublished(facts, attempt, event, sent);
      break;
    case 'succeeded':
    case 'failed':
      attempt.end = later(attempt.end, event);
      break;
    case 'retried':
      attempt.retried = later(attempt.retried, event);
      break;
    case 'deadLettered':
      attempt.deadLettered = later(attempt.deadLettered, event);
      break;
    case 'joined': {
      const group = addToGroup(facts, undefined, event.group);
      const index = event.group.index as number;
      // A slot keeps its first result: an event with a result tells more than one without.
      group.joined.set(index, (group.joined.get(index) ?? true) && event.isError === true);
    }
  }
}

function addPublished(
  facts: ChainFacts,
  attempt: AttemptFacts,
  { messageId: parentId, at }: DeliveryEvent,
  sent: PublishedMessage,
): void {
  const { messageId, taskName, role, callback, delaySeconds, group } = sent;
  const message = messageOf(facts, messageId, at);
  message.taskName = least(message.taskName, taskName);
  message.callback = least(message.callback, callback);
  message.sentAt = least(message.sentAt, at);
  message.delaySeconds = greatest(message.delaySeconds, delaySeconds);
  setOrigin(message, { parentId, role, group });
  if (role === 'callback') {
    attempt.callbacks.set(messageId, least(attempt.callbacks.get(messageId), taskName) as string);
  }
  if (group) addToGroup(facts, messageId, group);
}

function messageOf({ messages }: ChainFacts, messageId: string, at: number): MessageFacts {
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

function attemptOf({ attempts }: MessageFacts, event: DeliveryEvent): AttemptFacts {
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

/** Adds a message to its group. A message without an index closes the group: it joins the branches, or reports an error. */
function addToGroup(
  { groups }: ChainFacts,
  messageId: string | undefined,
  { id, of, index }: GroupFacts,
): GroupRecord {
  let group = groups.get(id);
  if (!group) {
    group = { id, of, joined: new Map(), joinId: undefined };
    groups.set(id, group);
  }
  group.of = Math.max(group.of, of);
  if (index === undefined) group.joinId = least(group.joinId, messageId);
  return group;
}

/** Keeps the origin that comes first in the order of its JSON, if a message seems to have several. */
function setOrigin(message: MessageFacts, origin: Origin): void {
  const { parentId = '', role = '', group } = origin;
  const key = JSON.stringify([parentId === '', parentId, role, group]);
  const current = message.origin as KeyedOrigin | undefined;
  if (!current || key < current.key) message.origin = { ...origin, key } as KeyedOrigin;
}

interface KeyedOrigin extends Origin {
  readonly key: string;
}

function least<T extends string | number>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b < a ? b : a;
}

function greatest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** The later of two events. At the same time, the order of their JSON decides. */
function later<E extends ChainEvent>(a: E | undefined, b: E): E {
  if (a === undefined || a.at !== b.at) return a === undefined || b.at > a.at ? b : a;
  return JSON.stringify(b) > JSON.stringify(a) ? b : a;
}
