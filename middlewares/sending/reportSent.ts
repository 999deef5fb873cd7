import type { SentEvent } from '../../core/chains/ChainEvent.ts';
import type { Task } from '../../core/tasks/task.ts';
import { currentTask } from '../events/currentTask.ts';
import { type EventTarget, writersOf } from '../events/eventWriter.ts';
import type { Outcome } from './sendAll.ts';

/** How long a sender waits for its events to be written, in milliseconds. Within a task, the batch waits. */
const waitMillis = 250;

/** Writes an event for each task that was sent. Never throws: the tasks are on their way. */
export async function reportSent(
  tasks: readonly Task<unknown>[],
  outcomes: readonly Outcome[],
  options: { events?: EventTarget | readonly EventTarget[]; delaySeconds?: number; at?: Date },
): Promise<void> {
  const { events } = options;
  const running = currentTask();
  const writers = events === undefined ? (running?.writers ?? []) : writersOf('sendTask', 'events', events);
  if (writers.length === 0) return;
  const at = Date.now();
  const delaySeconds = options.at ? Math.max(0, (options.at.getTime() - at) / 1000) : options.delaySeconds;
  outcomes.forEach(({ sent }, index) => {
    if (!sent) return;
    const { task_name: taskName, callback } = tasks[index] as Task;
    const event: SentEvent = {
      type: 'sent',
      chainId: sent.chainId,
      messageId: sent.messageId,
      taskName,
      at,
      // A task that starts another chain is not a part of this one.
      ...(running && running.chainId === sent.chainId && { parentId: running.messageId }),
      ...(callback && { callback }),
      ...(delaySeconds !== undefined && { delaySeconds }),
    };
    for (const writer of writers) writer.add(event);
  });
  if (!running) await Promise.all(writers.map((writer) => writer.flush(waitMillis)));
}
