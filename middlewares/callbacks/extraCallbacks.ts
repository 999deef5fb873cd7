import { isTopicName } from '../../core/tasks/isTopicName.ts';
import { CallbackError, type NextTask, nextTask } from '../../core/tasks/nextTask.ts';
import type { Task } from '../../core/tasks/task.ts';

/** The message attributes in which callbacks travel that a Python worker does not know, and so passes over. */
const alsoName = 'also_callbacks';
const onErrorName = 'on_error';

/** One message is not to make any number of others. */
const maxAlso = 10;

/** Callbacks beside the one in the task. */
export interface ExtraCallbacks {
  /** Further callbacks, names or chains, that get the same result: 10 at most. Default: none. */
  alsoCallbacks?: readonly string[] | undefined;
  /** The task that is told when this one, or one after it in the chain, has failed for good. Default: none. */
  onError?: string | undefined;
}

/**
 * The attributes for callbacks beside the one in the task.
 *
 * @throws CallbackError when one cannot be followed, or when there are more than ten
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

/** The tasks that get a task's result: that of its callback, and those in the attributes. */
export function followersOf({ task_name, callback }: Task, attributes: Attributes): NextTask[] {
  const also = attributes[alsoName]?.split(',', maxAlso + 1) ?? [];
  const all = new Set([callback, ...checkNumber(also)]);
  return [...all].flatMap((one) => nextTask(one, task_name) ?? []);
}

function checkNumber(also: readonly string[]): readonly string[] {
  if (also.length > maxAlso) {
    throw new CallbackError(also.join(), `${alsoName} holds more than ${maxAlso}`);
  }
  return also;
}

/** The task that is told of a failure. */
export function errorTaskOf(attributes: Attributes): string | undefined {
  const onError = attributes[onErrorName];
  return onError === undefined ? undefined : checkName(onError);
}

/** What goes on to the next task: who is told of a failure is the same for the whole chain. */
export function carriedOn({ [onErrorName]: onError }: Attributes): Record<string, string> {
  return onError === undefined ? {} : { [onErrorName]: onError };
}

function checkName(taskName: string): string {
  if (!isTopicName(taskName)) throw new CallbackError(taskName, 'it is not the name of a task');
  return taskName;
}
