import type { KwargsOf, Links, Problem, Remaining, ResultOf, TaskDefinitions } from '../tasks/defineTasks.ts';
import type { Task } from '../tasks/task.ts';
import type { Failures, ResultForm } from './plan.ts';
import type { FailedBranch } from './slot.ts';

/** A branch whose arguments fit its definition; without definitions, any task. */
export type DefinedBranch<T extends TaskDefinitions> = string extends keyof T
  ? Task<object>
  : {
      [N in keyof T & string]: {
        readonly task_name: N;
        readonly task_kwargs: KwargsOf<T[N]>;
        readonly callback?: string | null | undefined;
      };
    }[keyof T & string];

type Branch = { readonly task_name: string; readonly callback?: string | null | undefined };
type CallbackOf<B> = B extends { readonly callback: infer C extends string } ? C : never;

/** The problems in the chains of the branches; never if there are none. */
type ChainProblems<T extends TaskDefinitions, B extends Branch> = string extends keyof T
  ? never
  : B extends Branch
    ? [CallbackOf<B>] extends [never]
      ? never
      : Problem<T, B['task_name'], Remaining<Links<CallbackOf<B>>, B['task_name']>>
    : never;

type Last<L extends readonly string[], Otherwise extends string> = L extends readonly [
  ...string[],
  infer End extends string,
]
  ? End
  : Otherwise;

/** The task of a branch whose result goes into the group: the last one of its chain. */
type LastTask<B extends Branch> = [CallbackOf<B>] extends [never]
  ? B['task_name']
  : Last<Links<CallbackOf<B>>, B['task_name']>;

// biome-ignore lint/suspicious/noConfusingVoidType: the type of a function without a return
type Joined<R> = [R] extends [undefined | null | void] ? null : R;

/** The result of a branch. */
type BranchResult<T extends TaskDefinitions, B extends Branch> = B extends Branch
  ? LastTask<B> extends keyof T
    ? Joined<ResultOf<T[LastTask<B>]>>
    : unknown
  : never;

/** An item of `results`. */
type GroupResult<R, F extends Failures, D, P extends ResultForm> = P extends 'pointers'
  ? string
  : F extends 'collect'
    ? { value: R } | FailedBranch
    : D extends number
      ? R | FailedBranch
      : R;

/** Branches whose chains fit; otherwise a text about the problem, for the compiler to show. */
export type FittingBranches<T extends TaskDefinitions, B extends Branch> = [ChainProblems<T, B>] extends [
  never,
]
  ? unknown
  : ChainProblems<T, B>;

/** A `then` whose arguments fit the results; otherwise a text about the problem. */
type FittingThen<T extends TaskDefinitions, Name extends keyof T & string, Item> = string extends keyof T
  ? Name
  : [{ results: Item[] }] extends [KwargsOf<T[Name]>]
    ? Name
    : `the results of the branches do not fit the arguments of ${Name}`;

/** The options of a group whose tasks are defined: `then` must take the results, whose types depend on three options. */
export type DefinedGroup<
  Options,
  T extends TaskDefinitions,
  B extends Branch,
  Name extends keyof T & string,
  F extends Failures,
  D,
  P extends ResultForm,
> = Omit<Options, 'then' | 'failures' | 'deadlineSeconds' | 'results'> & {
  /** The definitions of the tasks, which check the branches and `then`. Default: any task can be sent. */
  readonly tasks?: T | undefined;
  /** The task that gets the results of all branches, as `{ results }` in the order of the branches. */
  readonly then: FittingThen<T, Name, GroupResult<BranchResult<T, B>, F, D, P>>;
  /**
   * The treatment of a branch that has failed for good. `wait`: the group stays open, and a redrive of the branch closes it.
   * `collect`: each result is `{ value }` or `{ error }`. `fail`: `onError` is called instead of `then`. Default `wait`.
   */
  readonly failures?: F | undefined;
  /** After how many seconds missing results are replaced by `{ error }`, from 1 to 900. Default: never. */
  readonly deadlineSeconds?: D | undefined;
  /** Whether `then` gets the results, or pointers that `readData` reads one by one. Default `values`. */
  readonly results?: P | undefined;
};
