import { AlgernonError } from '../errors.ts';
import { isTopicName } from './isTopicName.ts';

/** Where a result goes: the next task, and the callback that its message carries. */
export interface NextTask {
  task_name: string;
  /** The whole chain, where the callback is one. */
  callback?: string;
}

/**
 * Finds the task that comes after the current one.
 *
 * A callback without `#` is the next task's name. With `#` it is a chain that is passed on whole: from outside the
 * chain the next task is its first link, from inside it is the link after the current one, and after the last
 * link there is none.
 *
 * @returns the next task, or undefined where the chain ends
 * @throws CallbackError when a link is not a name that a topic can have, or when the chain comes back to a link
 *   it has been at, since then it would never end
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
  const places = firstPlaces(links);
  const place = (places.get(current) ?? -1) + 1;
  for (let ahead = place; ahead < links.length; ahead += 1) {
    if (places.get(links[ahead] as string) !== ahead) {
      throw new CallbackError(callback, `it comes back to ${links[ahead]}, so it would never end`);
    }
  }
  const next = links[place];
  return next === undefined ? undefined : { task_name: next, callback };
}

/** A Map, since a task may be named as something that every object has. */
function firstPlaces(links: readonly string[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  links.forEach((link, place) => {
    if (!places.has(link)) places.set(link, place);
  });
  return places;
}

/** A callback does not lead to a task. */
export class CallbackError extends AlgernonError {
  override readonly name = 'CallbackError';

  constructor(callback: string, reason: string) {
    const shown = callback.length > 80 ? `${callback.slice(0, 80)}…` : callback;
    super('BAD_CALLBACK', `The callback ${JSON.stringify(shown)} cannot be followed: ${reason}.`, {
      path: '$.callback',
    });
  }
}
