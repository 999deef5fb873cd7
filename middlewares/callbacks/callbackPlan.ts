import { createHash } from 'node:crypto';
import type { TaskIdentity } from '../../core/batch/identity.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import type { MessageRole } from '../../core/chains/ChainEvent.ts';
import type { Ticket } from '../../core/groups/ticket.ts';
import type { NextTask } from '../../core/tasks/nextTask.ts';
import type { Task } from '../../core/tasks/task.ts';
import type { Origin } from './storeResult.ts';

/** The tasks that follow on a task. Made before the handler runs, which may change its task. */
export interface CallbackPlan {
  readonly identity: TaskIdentity;
  /** Tells the work apart from other work on the same message. */
  readonly work: readonly unknown[];
  readonly taskName: string;
  readonly role: MessageRole;
  readonly following: readonly (NextTask & { topicArn: string })[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** The followers of a task, and its place in a group. */
export interface Ahead {
  readonly task: Pick<Task, 'task_name' | 'callback'>;
  /** Undefined if the task has no callbacks. */
  readonly plan: CallbackPlan | undefined;
  /** The branch of a group that the task is a part of. */
  readonly ticket: Ticket | undefined;
  /** Whether the task is the last one of its branch. */
  readonly endsBranch: boolean;
}

/** The values that tell work apart from other work on the same message. */
export function workOf(
  { receiver, part }: TaskIdentity,
  { record, unwrap }: Pick<TaskRun, 'record' | 'unwrap'>,
  dumps: (value: unknown) => string,
): readonly unknown[] {
  if (record) return [receiver, part, ''];
  try {
    // A caller may copy the context that counts the direct tasks of one request.
    return [receiver, part, dumps(unwrap().content)];
  } catch {
    return [receiver, part, ''];
  }
}

/** The stored result is named by the work, so that a redelivery replaces it, and other work does not. */
export function originOf({ identity, work, taskName }: CallbackPlan): Origin {
  const digest = digestOf(work).slice(0, 8);
  return { ...identity, taskName: `${taskName}-${digest}`, functionArn: undefined };
}

/** The same for each delivery of a message, and another one for each task that follows on it. */
export function deduplicationId(
  { identity: { messageId }, work, taskName }: CallbackPlan,
  next: NextTask,
): string {
  const digest = digestOf([messageId, ...work, taskName, next.task_name, next.callback]).slice(0, 22);
  // SNS takes 128 characters; the rest is for readers.
  return `${digest}.${messageId}.${next.task_name}`.slice(0, 128);
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
