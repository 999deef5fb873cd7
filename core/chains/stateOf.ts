import type { AttemptFacts, ChainFacts, GroupRecord, MessageFacts } from './ChainFacts.ts';
import type { AttemptState, ChainState, GroupState, TaskState, TaskStatus } from './ChainState.ts';
import { endJoined } from './tasksOfGroups.ts';
import { treeOf } from './treeOf.ts';

/** The state of a chain, from all facts about it. */
export function stateOf(facts: ChainFacts): ChainState {
  const { updatedAt = 0 } = facts;
  const tasks = treeOf([...facts.messages.values()].map(taskOf), facts.groups);
  markDuplicates(tasks);
  endJoined(tasks, facts.groups);
  const groups = [...facts.groups.values()].map(groupOf).sort((a, b) => (a.id < b.id ? -1 : 1));
  const open = tasks.filter(isOpen);
  const hasFailed = tasks.some(({ status }) => status === 'failed');
  // A group with a failed branch stays open until that is redriven, and so does the chain behind a lost message.
  const isWaiting = groups.some((group) => group.isOpen) || tasks.some(({ missing }) => missing.length > 0);
  let status: ChainState['status'] = hasFailed ? 'failed' : 'succeeded';
  if (open.length > 0 || (isWaiting && !hasFailed)) status = 'open';
  let startedAt = updatedAt;
  for (const { firstAt, sentAt, stampedAt } of facts.messages.values()) {
    startedAt = Math.min(startedAt, firstAt, sentAt ?? firstAt, stampedAt ?? firstAt);
  }
  return {
    chainId: facts.chainId,
    status,
    startedAt,
    updatedAt,
    endedAt: status === 'open' ? undefined : updatedAt,
    tasks,
    groups,
    open: open.map(({ messageId }) => messageId),
    openSince: open.reduce<number | undefined>(
      (oldest, { since }) => Math.min(oldest ?? since, since),
      undefined,
    ),
  };
}

function isOpen({ status }: TaskState): boolean {
  return status === 'waiting' || status === 'running' || status === 'retrying';
}

function groupOf({ id, of, joined, joinId, hasEnded }: GroupRecord): GroupState {
  const indices = [...joined.keys()].sort((a, b) => a - b);
  const failed = indices.filter((index) => joined.get(index)?.isError);
  return { id, of, joined: indices, failed, joinId, isOpen: !hasEnded };
}

function taskOf(message: MessageFacts): TaskState {
  const { messageId, taskName, callback, origin, firstAt, delaySeconds } = message;
  const sentAt = earlier(message.stampedAt, message.sentAt);
  const dueAt =
    delaySeconds === undefined || message.sentAt === undefined
      ? undefined
      : message.sentAt + delaySeconds * 1000;
  const lines = linesOf(message);
  const attempts = lines.flatMap((line) => attemptsOf(line, dueAt ?? sentAt));
  attempts.sort((a, b) => startOf(a) - startOf(b));
  const { status, since } = statusOf(lines) ?? { status: 'waiting', since: sentAt ?? firstAt };
  const ended = attempts.findLast(({ outcome }) => outcome === 'succeeded');
  const group = origin?.group && { id: origin.group.id, index: origin.group.index };
  return {
    messageId,
    taskName,
    parentId: origin?.parentId,
    depth: 0,
    role: origin?.role,
    callback,
    group,
    status,
    since,
    sentAt,
    dueAt,
    attempts,
    pointer: (ended ?? attempts.findLast(({ pointer }) => pointer))?.pointer,
    error: status === 'succeeded' ? undefined : attempts.findLast(({ error }) => error)?.error,
    endsChain: lines.flat().some(({ end }) => end?.type === 'succeeded' && end.endsChain === true),
    missing: [...new Set(lines.flat().flatMap(missingOf))].sort(),
  };
}

/** The deliveries of one message to one receiver, in order. A redrive gives the message a new record. */
function linesOf({ attempts }: MessageFacts): AttemptFacts[][] {
  const byLine = Map.groupBy(attempts.values(), ({ receiver, part }) => JSON.stringify([receiver, part]));
  return [...byLine.keys()].sort().map((key) => {
    const records = Map.groupBy(byLine.get(key) as AttemptFacts[], ({ recordId }) => recordId);
    const inOrder = [...records.values()].sort(
      (a, b) => firstAtOf(a) - firstAtOf(b) || ((a[0]?.recordId ?? '') < (b[0]?.recordId ?? '') ? -1 : 1),
    );
    return inOrder.flatMap((record) => record.sort((a, b) => a.attempt - b.attempt));
  });
}

function firstAtOf(attempts: readonly AttemptFacts[]): number {
  return attempts.reduce((first, { firstAt }) => Math.min(first, firstAt), Number.POSITIVE_INFINITY);
}

function attemptsOf(line: readonly AttemptFacts[], sentAt: number | undefined): AttemptState[] {
  let readyAt = sentAt;
  return line.map((facts, index) => {
    const { receiver, recordId, attempt, part, receivedAt, startedAt, stored, end, retried, deadLettered } =
      facts;
    const retry = retried && {
      delaySeconds: retried.delaySeconds,
      dueAt: retried.at + retried.delaySeconds * 1000,
    };
    const state: AttemptState = {
      receiver,
      recordId,
      attempt,
      part,
      outcome: end?.type ?? (deadLettered || retried ? 'failed' : 'running'),
      receivedAt,
      startedAt,
      endedAt: end?.at ?? deadLettered?.at ?? retried?.at,
      queueMillis: between(readyAt, receivedAt),
      runMillis: end?.durationMillis,
      storeMillis: stored?.durationMillis,
      publishMillis: facts.publishMillis,
      pointer: stored?.pointer,
      error: end?.type === 'failed' ? end.error : undefined,
      retry,
      deadLetter: deadLettered && { at: deadLettered.at, queue: deadLettered.queue },
    };
    if (state.outcome === 'running' && index < line.length - 1) state.outcome = 'lost';
    // It is unknown when a killed message came back, or one that was redriven.
    readyAt = retry?.dueAt;
    return state;
  });
}

/** A scheduled message is stamped with the time of its schedule, any other before its sender knows that it is sent. */
function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  // The clocks of two machines differ.
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from);
}

function startOf({ receivedAt, startedAt, endedAt }: AttemptState): number {
  return receivedAt ?? startedAt ?? endedAt ?? 0;
}

type Standing = Pick<TaskState, 'status' | 'since'>;

/** From the most urgent to the least. */
const urgency: readonly TaskStatus[] = ['running', 'retrying', 'failed', 'succeeded'];

/** The status over all receivers of a message. */
function statusOf(lines: readonly (readonly AttemptFacts[])[]): Standing | undefined {
  const standings = lines.map(standingOf);
  const rank = ({ status }: Standing) => urgency.indexOf(status);
  return standings.sort((a, b) => rank(a) - rank(b) || a.since - b.since)[0];
}

/** A task that has succeeded once is done: a further delivery repeats it. */
function standingOf(line: readonly AttemptFacts[]): Standing {
  const done = line.find(({ end }) => end?.type === 'succeeded');
  if (done?.end) return { status: 'succeeded', since: done.end.at };
  const { firstAt, receivedAt, end, retried, deadLettered } = line.at(-1) as AttemptFacts;
  if (deadLettered) return { status: 'failed', since: deadLettered.at };
  const failedAt = end?.at ?? retried?.at;
  if (failedAt !== undefined) return { status: 'retrying', since: failedAt };
  return { status: 'running', since: receivedAt ?? firstAt };
}

/** The tasks that should have got a result, and of which no message is known. */
function missingOf({ end, callbacks }: AttemptFacts): string[] {
  if (end?.type !== 'succeeded') return [];
  const sent = new Set(callbacks.values());
  return (end.next ?? []).filter((name) => !sent.has(name));
}

/** A redelivered task sends its messages again, and a FIFO topic drops the second ones. */
function markDuplicates(tasks: readonly TaskState[]): void {
  const siblings = Map.groupBy(tasks, ({ parentId, role, taskName, callback, group }) =>
    JSON.stringify([parentId, role, taskName, callback, group]),
  );
  for (const [, twins] of siblings) {
    const [first] = twins;
    if (twins.length < 2 || first?.role === undefined) continue;
    if (!twins.some(({ status }) => status !== 'waiting')) continue;
    for (const twin of twins) if (twin.status === 'waiting') twin.status = 'duplicate';
  }
}
