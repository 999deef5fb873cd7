import { checkOptions, finite, type OptionCheck, object, oneOf, text, whole } from '../checkOptions.ts';
import { OptionError } from '../errors.ts';
import type { TaskDefinitions } from '../tasks/defineTasks.ts';
import { isTask, type Task } from '../tasks/task.ts';
import { FanOut } from './FanOutResult.ts';
import type { DefinedBranch, DefinedGroup, FittingBranches } from './groupTypes.ts';
import type { Failures, ResultForm } from './plan.ts';
import { assertBranch, assertTaskName, maxBranches } from './ticket.ts';

/** How the branches of a group are joined. */
export interface GroupOptions {
  /** The task that gets the results of all branches, as `{ results }` in the order of the branches. */
  readonly then: string;
  /**
   * The treatment of a branch that has failed for good. `wait`: the group stays open, and a redrive of the branch closes it.
   * `collect`: each result is `{ value }` or `{ error }`. `fail`: `onError` is called instead of `then`. Default `wait`.
   */
  readonly failures?: Failures | undefined;
  /**
   * The task that is told that a branch has failed for good: with `wait` of each one, with `fail` of the first one. Default:
   * the error task of the chain.
   */
  readonly onError?: string | undefined;
  /** After how many seconds missing results are replaced by `{ error }`, from 1 to 1,209,600, which is 14 days. Default: never. */
  readonly deadlineSeconds?: number | undefined;
  /** Whether `then` gets the results, or pointers that `readData` reads one by one. Default `values`. */
  readonly results?: ResultForm | undefined;
  /** Results of more bytes in total are sent as `pointers`. Default 64 MiB, as in `storedDataHydrate`. */
  readonly maxBytes?: number | undefined;
}

/** 14 days: for no longer does SQS keep the message of a branch. */
const maxDeadlineSeconds = 1_209_600;

// Pure, so that a bundle without groups leaves them out.
export const groupOptionChecks: Readonly<Record<keyof GroupOptions, OptionCheck>> = {
  then: /* @__PURE__ */ text('the name of a task'),
  failures: /* @__PURE__ */ oneOf('wait', 'collect', 'fail'),
  onError: /* @__PURE__ */ text('the name of a task'),
  deadlineSeconds: /* @__PURE__ */ finite('seconds', 1, maxDeadlineSeconds),
  results: /* @__PURE__ */ oneOf('values', 'pointers'),
  maxBytes: /* @__PURE__ */ whole(1),
};

/**
 * Checks the tasks and options of a group.
 *
 * @throws OptionError, CallbackError
 */
export function checkGroup(owner: string, tasks: unknown, options: GroupOptions): void {
  if (!Array.isArray(tasks)) throw new OptionError(`${owner}: the tasks must be a list.`);
  if (tasks.length > maxBranches) {
    throw new OptionError(`${owner}: a group has at most ${maxBranches} branches, not ${tasks.length}.`);
  }
  if (options.then === undefined) throw new OptionError(`${owner}: then is missing, the name of a task.`);
  assertTaskName(options.then);
  if (options.onError !== undefined) assertTaskName(options.onError);
  for (const [index, task] of tasks.entries()) {
    if (!isTask(task)) throw new OptionError(`${owner}: tasks[${index}] must be a task with a task_name.`);
    assertBranch(task);
  }
}

/**
 * Sends a group of tasks side by side, and the task `then` once all are done. Return it from a task's function, or throw it
 * from any depth. `callbackPublisher` sends it; the rest of the chain follows on `then`.
 *
 * The plan of the group is stored before the first branch is sent. A redelivery goes on with it, whatever it returns. A group
 * without branches sends `then` at once.
 *
 * With `tasks` of `defineTasks`, a call compiles only if the arguments fit the branches, and the results fit `then`.
 *
 * @param tasks the branches, at most 100,000. Each may have a `callback`: the result of its last task counts
 * @throws OptionError when there are too many, or an option is unknown or has a bad value
 * @throws CallbackError when a branch has a bad callback, or one is named `gather`
 * @example
 * const worker = routeTasks({
 *   split: ({ images }) => fanOut(images.map((image) => ({ task_name: 'thumb', task_kwargs: { image } })), { then: 'album' }),
 *   thumb: ({ image }) => shrink(image),
 *   album: ({ results }) => bind(results),
 * });
 */
export function fanOut<
  const T extends TaskDefinitions,
  const B extends DefinedBranch<T>,
  const Name extends keyof T & string,
  const F extends Failures = 'wait',
  const D extends number | undefined = undefined,
  const P extends ResultForm = 'values',
>(
  tasks: readonly B[] & FittingBranches<T, B>,
  options: DefinedGroup<GroupOptions, T, B, Name, F, D, P>,
): FanOut;
export function fanOut(
  tasks: readonly Task<object>[],
  options: GroupOptions & { readonly tasks?: undefined },
): FanOut;
export function fanOut(
  tasks: readonly Task<unknown>[],
  options: GroupOptions & { readonly tasks?: TaskDefinitions | undefined },
): FanOut {
  checkOptions('fanOut', options, { ...groupOptionChecks, tasks: object });
  checkGroup('fanOut', tasks, options);
  if (options.failures === 'collect' && options.onError !== undefined) {
    throw new OptionError(
      'fanOut: with failures "collect" the errors are in the results, so onError is never called.',
    );
  }
  return new FanOut([...tasks], options);
}
