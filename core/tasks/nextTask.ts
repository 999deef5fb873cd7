import { CallbackError } from '../errors.ts';

/** Where a result goes: the next task, and the callback that its message carries. */
export interface NextTask {
  task_name: string;
  /** The whole chain, where the callback is one. */
  callback?: string;
}

const topicName = /^[A-Za-z0-9_-]{1,256}$/;

/**
 * Finds the task that comes after the current one.
 *
 * A callback without `#` is the next task's name. With `#` it is a chain that is passed on whole: from outside the
 * chain the next task is its first link, from inside it is the link after the current one, and after the last
 * link there is none.
 *
 * @returns the next task, or undefined where the chain ends
 * @throws CallbackError when a link is not a name that a topic can have, or when a link comes twice, since then
 *   the chain would never end
 * @example
 * nextTask('load#analyse#report', 'load'); // { task_name: 'analyse', callback: 'load#analyse#report' }
 */
export function nextTask(callback: string | null | undefined, current: string): NextTask | undefined {
  if (callback === undefined || callback === null || callback === '') return undefined;
  if (typeof callback !== 'string') throw new CallbackError(String(callback), 'it is not a string');
  const links = callback.split('#');
  const badLink = links.find((link) => !topicName.test(link));
  if (badLink !== undefined) {
    throw new CallbackError(callback, `${JSON.stringify(badLink.slice(0, 80))} is not the name of a task`);
  }
  if (links.length === 1) return { task_name: callback };
  if (new Set(links).size < links.length) {
    throw new CallbackError(callback, 'a link comes twice, so it would never end');
  }
  const next = links[links.indexOf(current) + 1];
  return next === undefined ? undefined : { task_name: next, callback };
}
