import type { GroupFacts, SentEvent } from '../../core/chains/ChainEvent.ts';
import type { Task } from '../../core/tasks/task.ts';
import { currentTask } from '../events/currentTask.ts';
import { type EventTarget, writersOf } from '../events/eventWriter.ts';
import type { Outcome } from './sendAll.ts';

/** How long a sender waits for its events to be written, in milliseconds. Within a task, the batch waits. */
const waitMillis = 250;

/** A task that was sent. */
export interface SentFacts {
  chainId: string;
  messageId: string;
  taskName: string;
  callback?: string | null | undefined;
  delaySeconds?: number | undefined;
  group?: GroupFacts | undefined;
}

/** Writes an event for each task of a sender. Neither method throws: the tasks are on their way. */
export interface SentReport {
  add(sent: SentFacts): void;
  /** Waits for the events, but not for long. */
  flush(): Promise<void>;
}

/**
 * Opens the report of a sender.
 *
 * @param events the option. Default: the sinks of the running task
 * @returns undefined without a sink
 */
export function openSentReport(
  owner: string,
  events: EventTarget | readonly EventTarget[] | undefined,
): SentReport | undefined {
  const running = currentTask();
  const writers = events === undefined ? (running?.writers ?? []) : writersOf(owner, 'events', events);
  if (writers.length === 0) return undefined;
  return {
    add({ chainId, messageId, taskName, callback, delaySeconds, group }) {
      const event: SentEvent = {
        type: 'sent',
        chainId,
        messageId,
        taskName,
        at: Date.now(),
        // A task that starts another chain is not a part of this one.
        ...(running?.chainId === chainId && { parentId: running.messageId }),
        ...(callback && { callback }),
        ...(delaySeconds !== undefined && { delaySeconds }),
        ...(group && { group }),
      };
      for (const writer of writers) writer.add(event);
    },
    async flush() {
      if (!running) await Promise.all(writers.map((writer) => writer.flush(waitMillis)));
    },
  };
}

/** Writes an event for each task that was sent. */
export async function reportSent(
  tasks: readonly Task<unknown>[],
  outcomes: readonly Outcome[],
  {
    events,
    at,
    ...options
  }: { events?: EventTarget | readonly EventTarget[]; delaySeconds?: number; at?: Date },
): Promise<void> {
  const report = openSentReport('sendTask', events);
  if (!report) return;
  const delaySeconds = at ? Math.max(0, (at.getTime() - Date.now()) / 1000) : options.delaySeconds;
  outcomes.forEach(({ sent }, index) => {
    const { task_name: taskName, callback } = tasks[index] as Task;
    if (sent) report.add({ ...sent, taskName, callback, delaySeconds });
  });
  await report.flush();
}
