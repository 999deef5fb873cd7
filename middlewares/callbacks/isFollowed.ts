import type { Unwrapped } from '../../core/batch/unwrapTask.ts';

/** The message attributes for extra callbacks. Python workers ignore them. */
export const alsoName = 'also_callbacks';
export const onErrorName = 'on_error';

/** Whether a message says that other tasks follow: a callback, a group or an error task. */
export function isFollowed({ content, attributes }: Unwrapped): boolean {
  const { callback } = Object(content) as { callback?: unknown };
  return (callback ?? attributes[alsoName] ?? attributes[onErrorName]) !== undefined;
}
