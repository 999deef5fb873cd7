import { AlgernonError } from '../errors.ts';

/** The task that gets a result, and the callback in its message. */
export interface NextTask {
  /** The name of the task. */
  task_name: string;
  /** The whole chain; missing if the callback is a single name. */
  callback?: string;
}

/**
 * Finds the task after the current one.
 *
 * A callback without `#` is the name of the next task. A callback with `#` is a chain, which every message carries as a
 * whole. If the current task is not in the chain, the next task is the first link, else the link after the current task.
 *
 * @returns the next task, or undefined at the end of the chain
 * @throws CallbackError when a link is not a valid topic name, or when the chain would return to an earlier link and
 *   never end
 * @example
 * nextTask('load#analyse#report', 'load'); // { task_name: 'analyse', callback: 'load#analyse#report' }
 */
export function nextTask(callback: string | null | undefined, current: string): NextTask | undefined {
  if (callback === undefined || callback === null || callback === '') return undefined;
  if (typeof callback !== 'string') throw new CallbackError(typeof callback, 'it is not a string');
  const links = callback.split('#');
  const badLink = links.find((link) => !isTopicName(link));
  if (badLink !== undefined) {
    throw new CallbackError(callback, `${JSON.stringify(badLink.slice(0, 80))} is not the name of a task`);
  }
  if (links.length === 1) return { task_name: callback };
  // A Map, not indexOf: a hostile chain may have 100,000 links.
  const firstIndex = new Map<string, number>();
  links.forEach((link, index) => {
    if (!firstIndex.has(link)) firstIndex.set(link, index);
  });
  const nextIndex = (firstIndex.get(current) ?? -1) + 1;
  const repeated = links.find((link, index) => index >= nextIndex && firstIndex.get(link) !== index);
  if (repeated !== undefined) {
    throw new CallbackError(callback, `it returns to ${repeated}, so it would never end`);
  }
  const next = links[nextIndex];
  return next === undefined ? undefined : { task_name: next, callback };
}

const topicName = /^(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?$/;

/** Whether a topic can have this name: 1 to 256 ASCII letters, digits, `_` and `-`, with an optional `.fifo` at the end. */
export function isTopicName(name: string): boolean {
  return topicName.test(name);
}

/** A callback does not name a task or a chain of tasks. */
export class CallbackError extends AlgernonError {
  override readonly name = 'CallbackError';

  constructor(callback: string, reason: string) {
    const shown = callback.length > 80 ? `${callback.slice(0, 80)}…` : callback;
    super('BAD_CALLBACK', `The callback ${JSON.stringify(shown)} cannot be followed: ${reason}.`, {
      path: '$.callback',
    });
  }
}
