import { AlgernonError } from '../errors.ts';
import type { TaskDefinitions } from '../tasks/defineTasks.ts';
import type { Task } from '../tasks/task.ts';
import type { GroupOptions } from './fanOut.ts';

const brand: unique symbol = Symbol.for('algernon-middy.FanOut');

/** A result that sends a group of tasks. See `fanOut`. */
export class FanOut {
  /** The branches. */
  readonly tasks: readonly Task<unknown>[];
  /** How the branches are joined. */
  readonly options: GroupOptions & { readonly tasks?: TaskDefinitions | undefined };

  constructor(tasks: FanOut['tasks'], options: FanOut['options']) {
    this.tasks = tasks;
    this.options = options;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Fails, since a group that was not sent would be lost silently. */
  toJSON(): never {
    throw fanOutNotSent();
  }

  /** Recognises an instance of another copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (value as { [brand]?: true } | null | undefined)?.[brand] === true;
  }
}

/** The error for a group that nothing has sent. */
export function fanOutNotSent(): AlgernonError {
  return new AlgernonError(
    'FAN_OUT_NOT_SENT',
    'The task returned fanOut(), and nothing has sent its branches: add callbackPublisher() to the stack.',
    { retryable: true },
  );
}
