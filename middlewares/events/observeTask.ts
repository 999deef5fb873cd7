import { isSnsRecord, messageIdOf } from '../../core/batch/events.ts';
import { identityOf } from '../../core/batch/identity.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { readMessage } from '../../core/batch/unwrapTask.ts';
import type { DeliveryEvent, DeliveryFields, FailedEvent, TaskFact } from '../../core/chains/ChainEvent.ts';
import { deadlineIn, gatherName, ticketIn } from '../../core/groups/ticket.ts';
import { isTask } from '../../core/tasks/task.ts';
import { describeError } from './describeError.ts';

/** Gets the events of one task. Must not throw. */
export type TaskListener = (event: DeliveryEvent) => void;

export interface ObserveOptions {
  /** On which receive SQS gives up a message that fails. Default: unknown. */
  maxReceiveCount?: number;
  /** Whether errors have their stack. Default true. */
  stacks?: boolean;
}

/** A message may hold anything, and its events must stay small. */
const maxName = 256;
const maxCallback = 4096;

interface Observation {
  readonly listeners: TaskListener[];
  readonly events: DeliveryEvent[];
}

/** The observations of tasks under way: the facts of a task are gathered once, whatever the number of observers. */
const observations = new WeakMap<TaskRun, Observation>();

/**
 * Runs the inner stages of a task, and tells a listener its events. A task that is observed already is not observed twice:
 * the listener gets the earlier events, and the options of the first observer count.
 */
export function observeTask(
  run: TaskRun,
  next: () => Promise<void>,
  listener: TaskListener,
  options: ObserveOptions = {},
): Promise<void> {
  const current = observations.get(run);
  if (current) {
    for (const event of current.events) listener(event);
    current.listeners.push(listener);
    return next();
  }
  const observation: Observation = { listeners: [listener], events: [] };
  observations.set(run, observation);
  return follow(run, next, observation, options);
}

type Facts<E = DeliveryEvent> = E extends DeliveryEvent
  ? Omit<E, Exclude<keyof DeliveryFields, 'at'>>
  : never;

async function follow(
  run: TaskRun,
  next: () => Promise<void>,
  { listeners, events }: Observation,
  { maxReceiveCount = Number.POSITIVE_INFINITY, stacks = true }: ObserveOptions,
): Promise<void> {
  let fields = fieldsOf(run);
  let { taskName, callback, sentAt } = messageIn(run);
  let startedAt: number | undefined;
  let returnedAt: number | undefined;
  const following: string[] = [];
  /** Reported before the failure that they follow from. */
  const afterFailure: Facts[] = [];

  /**
   * The events of a message to `gather`, until it is known that it does something, and in which chain: a Python worker does not
   * pass on the id of its chain, and a deadline usually finds that its group has ended.
   */
  let held: Facts[] | undefined = isGather(taskName, callback) ? [] : undefined;

  const emit = (facts: Facts & { chainId?: string }) => {
    if (held && facts.type === 'succeeded') return;
    if (held && facts.type === 'received') {
      held.push(facts);
      return;
    }
    if (held) {
      const before = held;
      held = undefined;
      fields = { ...fields, chainId: facts.chainId ?? fields.chainId };
      before.forEach(emit);
    }
    const event = {
      ...fields,
      ...(taskName !== undefined && { taskName }),
      ...facts,
    } as DeliveryEvent;
    events.push(event);
    for (const listener of listeners) listener(event);
  };

  const report = (fact: TaskFact) => {
    const at = Date.now();
    if (fact.type === 'returned') {
      returnedAt ??= at;
      return;
    }
    if (fact.type === 'published') {
      for (const { role, taskName } of fact.messages) if (role === 'callback') following.push(taskName);
    }
    if (fact.type === 'retried' || fact.type === 'deadLettered') afterFailure.push({ ...fact, at });
    else emit({ ...fact, at });
  };
  /** The time that the handler took, if it was called. */
  const duration = () =>
    startedAt === undefined ? {} : { durationMillis: (returnedAt ?? Date.now()) - startedAt };

  const fail = (error: unknown) => {
    const at = Math.min(Date.now(), afterFailure[0]?.at ?? Number.POSITIVE_INFINITY);
    emit({
      type: 'failed',
      at,
      error: describeError(error, stacks),
      ...duration(),
    } satisfies Facts<FailedEvent>);
    const isDeadLettered = afterFailure.some(({ type }) => type === 'deadLettered');
    // SQS counts this receive, and nothing repeats a direct invocation.
    const isLast = run.record === undefined || (fields.recordId && fields.attempt >= maxReceiveCount);
    if (isLast && !isDeadLettered) emit({ type: 'deadLettered', at: Date.now() });
    else for (const fact of afterFailure) emit(fact);
  };

  run.report = report;
  emit({
    type: 'received',
    at: Date.now(),
    ...(sentAt !== undefined && { sentAt }),
    ...(callback !== undefined && { callback }),
  });
  run.beforeHandler((task) => {
    // The task of an extended payload is not in its record.
    if (isTask(task)) taskName = task.task_name.slice(0, maxName);
    startedAt = Date.now();
    emit({ type: 'started', at: startedAt });
  });
  try {
    await next();
  } catch (error) {
    fail(error);
    throw error;
  }
  if (run.failure !== undefined) return fail(run.failure);
  emit({
    type: 'succeeded',
    at: Date.now(),
    ...duration(),
    ...(run.endsChain && { endsChain: true }),
    ...(following.length > 0 && { next: following }),
  });
}

function isGather(taskName: string | undefined, callback: string | undefined): boolean {
  return taskName === gatherName && (ticketIn(callback) ?? deadlineIn(callback)) !== undefined;
}

/** The ids of a task in its events. They are those of SNS, by which the events of other tasks name it. */
export function idsOf(run: TaskRun): { chainId: string; messageId: string } {
  const { chainId, messageId } = identityOf(run);
  if (!run.record) return { chainId, messageId };
  const id = readMessage(run).notification?.messageId ?? messageIdOf(run.record);
  return { chainId, messageId: id.slice(0, maxName) };
}

function fieldsOf(run: TaskRun): Omit<DeliveryFields, 'at'> {
  const { receiver, part, receiveCount } = identityOf(run);
  const { record } = run;
  return {
    ...idsOf(run),
    receiver,
    ...(record && !isSnsRecord(record) && { recordId: record.messageId }),
    attempt: receiveCount ?? 1,
    ...(part > 0 && { part }),
  };
}

/** The facts in a message, as far as it can be parsed. Its own stage reports the error. */
function messageIn(run: TaskRun): { taskName?: string; callback?: string; sentAt?: number } {
  const { content, notification } = readMessage(run);
  const sentAt = Date.parse(notification?.timestamp ?? '') || identityOf(run).sentAt;
  const sent = sentAt > 0 ? { sentAt } : {};
  if (!isTask(content)) return sent;
  const { task_name, callback } = content as { task_name: string; callback?: unknown };
  return {
    ...sent,
    taskName: task_name.slice(0, maxName),
    ...(typeof callback === 'string' && callback !== '' && { callback: callback.slice(0, maxCallback) }),
  };
}
