import { DeadlineError } from '../../core/batch/deadline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import type { MessageRole, PublishedMessage } from '../../core/chains/ChainEvent.ts';
import type { NextTask } from '../../core/tasks/nextTask.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import type { Send } from './gatherMessages.ts';

/**
 * Sends the messages of a task, and reports those that were sent, also when another one fails.
 *
 * @param following the task of each message
 * @throws DeadlineError when nothing may leave any more
 */
export async function sendReported(
  run: TaskRun,
  { role, following }: { role: MessageRole; following: readonly NextTask[] },
  messages: readonly TaskMessage[],
  send: Send,
): Promise<void> {
  if (run.cutoff.aborted) throw new DeadlineError();
  run.waitToSend();
  if (!run.report) {
    await Promise.all(messages.map(send));
    return;
  }
  const startedAt = Date.now();
  const sent: PublishedMessage[] = [];
  const sendOne = async (message: TaskMessage, index: number) => {
    const messageId = await send(message);
    const { task_name: taskName, callback } = following[index] as NextTask;
    sent.push({ messageId, taskName, role, ...(callback !== undefined && { callback }) });
  };
  try {
    await Promise.all(messages.map(sendOne));
  } finally {
    if (sent.length > 0) {
      run.report({ type: 'published', messages: sent, durationMillis: Date.now() - startedAt });
    }
  }
}
