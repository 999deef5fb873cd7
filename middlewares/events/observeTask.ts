import { isSnsRecord } from '../../core/batch/events.ts';
import { identityOf, type TaskIdentity } from '../../core/batch/identity.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import type { DeliveryEvent, DeliveryFields, FailedEvent, TaskFact } from '../../core/chains/ChainEvent.ts';
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
  const identity = identityOf(run);
  let { taskName, callback } = taskIn(run);
  let startedAt: number | undefined;
  let returnedAt: number | undefined;
  const following: string[] = [];
  /** Reported before the failure that they follow from. */
  const afterFailure: Facts[] = [];

  const emit = (facts: Facts) => {
    const event = {
      ...fieldsOf(run, identity),
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
    const isGivenUp = afterFailure.some(({ type }) => type === 'deadLettered');
    if (!isGivenUp && isFromQueue(run) && (identity.receiveCount ?? 1) >= maxReceiveCount) {
      emit({ type: 'deadLettered', at: Date.now() });
    } else for (const fact of afterFailure) emit(fact);
  };

  run.report = report;
  const sentAt = identity.sentAt > 0 ? { sentAt: identity.sentAt } : {};
  emit({ type: 'received', at: Date.now(), ...sentAt, ...(callback !== undefined && { callback }) });
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

function fieldsOf(run: TaskRun, identity: TaskIdentity): Omit<DeliveryFields, 'at'> {
  const { chainId, messageId, receiver, part } = identity;
  const { record } = run;
  return {
    chainId,
    messageId: messageId.slice(0, maxName),
    receiver,
    ...(record && !isSnsRecord(record) && { recordId: record.messageId }),
    attempt: identity.receiveCount ?? 1,
    ...(part > 0 && { part }),
  };
}

function isFromQueue({ record }: TaskRun): boolean {
  return record !== undefined && !isSnsRecord(record);
}

/** The name and the callback of a task, as far as the message can be parsed. Its own stage reports the error. */
function taskIn(run: TaskRun): { taskName?: string; callback?: string } {
  try {
    const { content } = run.unwrap();
    if (!isTask(content)) return {};
    const { callback } = content as { callback?: unknown };
    return {
      taskName: content.task_name.slice(0, maxName),
      ...(typeof callback === 'string' && callback !== '' && { callback: callback.slice(0, maxCallback) }),
    };
  } catch {
    return {};
  }
}
