import type {
  ChainEvent,
  DeliveryEvent,
  GroupFacts,
  JoinedEvent,
  MessageRole,
  PublishedEvent,
  PublishedMessage,
  SentEvent,
} from './ChainEvent.ts';
import {
  type AttemptFacts,
  attemptOf,
  type ChainFacts,
  greatest,
  groupRecordOf,
  type JoinFacts,
  later,
  least,
  type MessageFacts,
  messageOf,
  noFacts,
  setOrigin,
} from './ChainFacts.ts';
import type { ChainState } from './ChainState.ts';
import { readChainEvent } from './readChainEvent.ts';
import { stateOf } from './stateOf.ts';

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
    state: () => (facts.updatedAt === undefined ? undefined : stateOf(facts)),
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

function addEvent(facts: ChainFacts, event: ChainEvent): void {
  facts.updatedAt = Math.max(facts.updatedAt ?? 0, event.at);
  // A task of another chain may join a group of this one: a Python worker does not pass on the id of its chain.
  if (event.type === 'joined') {
    addJoined(facts, event);
    return;
  }
  if (event.type === 'published' && event.messages.every(endsGroup)) {
    for (const sent of event.messages) addPublished(facts, undefined, event, sent);
    return;
  }
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

function addDelivery(
  facts: ChainFacts,
  message: MessageFacts,
  event: Exclude<DeliveryEvent, JoinedEvent>,
): void {
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
  }
}

function addPublished(
  facts: ChainFacts,
  attempt: AttemptFacts | undefined,
  { messageId: parentId, at }: PublishedEvent,
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
    attempt?.callbacks.set(messageId, least(attempt.callbacks.get(messageId), taskName) as string);
  }
  if (group) addToGroup(facts, messageId, group);
}

/** Adds a message to its group. A message without an index ends the group: it joins the branches, or reports an error. */
function addToGroup(facts: ChainFacts, messageId: string, group: GroupFacts): void {
  const record = groupRecordOf(facts, group);
  if (group.index !== undefined) return;
  record.joinId = least(record.joinId, messageId);
  record.hasEnded = true;
}

function endsGroup({ group, role }: PublishedMessage): boolean {
  return group !== undefined && group.index === undefined && role !== 'callback';
}

function addJoined(facts: ChainFacts, { group, isError = false, at, messageId }: JoinedEvent): void {
  const record = groupRecordOf(facts, group);
  if (group.index === undefined) {
    record.hasEnded = true;
    return;
  }
  const join = { isError, at, messageId };
  const current = record.joined.get(group.index);
  if (!current || isBefore(join, current)) record.joined.set(group.index, join);
}

/** A slot keeps its first result: an event with a result tells more than one without. */
function isBefore(a: JoinFacts, b: JoinFacts): boolean {
  if (a.isError !== b.isError) return b.isError;
  return a.at < b.at || (a.at === b.at && a.messageId < b.messageId);
}
