import type { TaskRun } from '../../core/batch/stage.ts';
import { unwrap } from '../../core/batch/unwrapTask.ts';
import { CallbackError, isTopicName, type NextTask, nextTask } from '../../core/tasks/nextTask.ts';
import { isTask, type Task } from '../../core/tasks/task.ts';
import { alsoName, onErrorName } from './isFollowed.ts';

/** The options that set attributes, by attribute. */
export const attributeOptions: Readonly<Record<string, string>> = {
  [alsoName]: 'alsoCallbacks',
  [onErrorName]: 'onError',
};

/** Bounds the number of messages that one task causes. */
const maxAlso = 10;

/** Callbacks in addition to the one in the task. */
export interface ExtraCallbacks {
  /** Further callbacks, names or chains, that get the same result: at most 10. Default: none. */
  alsoCallbacks?: readonly string[] | undefined;
  /** The task that is called when this one, or one after it in the chain, has failed for good. Default: none. */
  onError?: string | undefined;
}

/**
 * The attributes for callbacks in addition to the one in the task.
 *
 * @throws CallbackError when a callback is invalid, or there are more than ten
 */
export function extraAttributes(
  taskName: string,
  { alsoCallbacks = [], onError }: ExtraCallbacks,
): Record<string, string> {
  for (const callback of checkNumber(alsoCallbacks)) nextTask(callback, taskName);
  return {
    ...(alsoCallbacks.length > 0 && { [alsoName]: alsoCallbacks.join() }),
    ...(onError !== undefined && { [onErrorName]: checkName(onError) }),
  };
}

type Attributes = Readonly<Record<string, string>>;

/** The tasks that get the result of a task, from its callback and the attributes. */
export function followersOf({ task_name, callback }: Task, attributes: Attributes): NextTask[] {
  const also = attributes[alsoName]?.split(',', maxAlso + 1) ?? [];
  const callbacks = new Set([callback, ...checkNumber(also)]);
  return [...callbacks].flatMap((next) => nextTask(next, task_name) ?? []);
}

function checkNumber(also: readonly string[]): readonly string[] {
  if (also.length > maxAlso) {
    throw new CallbackError(also.join(), `${alsoName} holds more than ${maxAlso}`);
  }
  return also;
}

/** The task that is called when the chain fails. */
export function errorTaskOf(attributes: Attributes): string | undefined {
  const onError = attributes[onErrorName];
  return onError === undefined ? undefined : checkName(onError);
}

/** The error task of a message, and its content. A message that cannot be read names none. */
export function errorTaskIn(run: TaskRun): { content: unknown; errorTask: string } | undefined {
  try {
    const { content, attributes } = run.unwrap();
    const errorTask = errorTaskOf(attributes);
    if (errorTask === undefined) return undefined;
    // The handler may have changed its task. A task in an extended payload is not in the record.
    const sent = run.record && unwrap(run.record).content;
    return { content: isTask(sent) ? sent : content, errorTask };
  } catch {
    return undefined;
  }
}

/** The part of an error that the error task gets. */
export function describeError(error: unknown): { name?: unknown; message: unknown; code?: unknown } {
  const { name, message, code } = Object(error) as { name?: unknown; message?: unknown; code?: unknown };
  return { name, message: message ?? String(error), code };
}

/** The attributes that every task of a chain passes on: its error task is the same throughout. */
export function carriedOn({ [onErrorName]: onError }: Attributes): Record<string, string> {
  return onError === undefined ? {} : { [onErrorName]: onError };
}

/**
 * The attributes of the tasks of a group: of its branches, and of the task after it, which gets the callbacks of the task that
 * made the group.
 *
 * @param received the attributes of that task
 * @param branchError the task that is told when a branch has failed for good
 */
export function groupAttributes(
  received: Attributes,
  branchError: string | undefined,
): { branch: Record<string, string>; then: Record<string, string> } {
  const also = received[alsoName];
  return {
    branch: branchError === undefined ? {} : { [onErrorName]: checkName(branchError) },
    then: { ...carriedOn(received), ...(also !== undefined && { [alsoName]: also }) },
  };
}

function checkName(taskName: string): string {
  if (!isTopicName(taskName)) throw new CallbackError(taskName, 'it is not the name of a task');
  return taskName;
}
