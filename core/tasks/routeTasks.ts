import type { TaskExtras } from '../batch/runTask.ts';
import { checkOption, checkOptions, func, object } from '../checkOptions.ts';
import { AlgernonError, OptionError } from '../errors.ts';
import type { FanOut } from '../groups/FanOutResult.ts';
import {
  type CheckedKwargsOf,
  checkKwargs,
  type ResultOf,
  type TaskDefinition,
  type TaskDefinitions,
} from './defineTasks.ts';
import type { ChainEnd } from './endChain.ts';
import { noteRoutedTasks } from './routedTasks.ts';
import type { Task } from './task.ts';

/** The third argument of a task's function. */
export interface RoutedExtras extends TaskExtras {
  /** The task, with its name and callback. */
  task: Task;
}

/** The function of one task. */
// biome-ignore lint/suspicious/noExplicitAny: each function has its own types of arguments and context
export type TaskFunction = (kwargs: any, context: any, extras: RoutedExtras) => unknown;

/** The handler of a table of functions: its context has everything that the functions use. */
export type RoutedHandler<F extends Record<string, TaskFunction>> = (
  task: Task,
  context: RoutedContext<F>,
  extras: TaskExtras,
) => Promise<Awaited<ReturnType<F[keyof F]>>>;

/** The intersection of the contexts of all functions. */
type RoutedContext<F extends Record<string, TaskFunction>> = {
  [K in keyof F]: (context: ContextArgument<F[K]>) => void;
}[keyof F] extends (context: infer C) => void
  ? C
  : never;

type ContextArgument<F> = F extends (kwargs: never, context: infer C, ...rest: never[]) => unknown
  ? C
  : unknown;

/** The values that the function of a defined task may return. */
type Returned<D extends TaskDefinition> = ResultOf<D> | ChainEnd | FanOut;

/** The functions of defined tasks: each takes the output of its schema, and returns the defined result. */
export type DefinedFunctions<T extends TaskDefinitions, C> = {
  readonly [K in keyof T]?: (
    kwargs: CheckedKwargsOf<T[K]>,
    context: C,
    extras: RoutedExtras,
  ) => Returned<T[K]> | Promise<Returned<T[K]>> | PromiseLike<Returned<T[K]>>;
};

/**
 * Makes one handler for many tasks: it calls the function that has the task's name with its `task_kwargs`.
 *
 * @param functions the functions, by task name
 * @param options `tasks`: definitions by {@link defineTasks}, whose schemas check the arguments. Default: no check
 * @throws UnknownTaskError from the handler, for a task without a function
 * @throws TaskArgumentsError from the handler, for arguments that do not fit the task's schema
 * @throws OptionError when a value of the table is not a function, or its task is not defined
 * @example
 * const worker = routeTasks({
 *   resize: async ({ image, width }: { image: string; width: number }) => resize(image, width),
 *   describe: async ({ image }: { image: string }) => describe(image),
 * });
 * await queued(worker)(event, context);
 */
export function routeTasks<const T extends TaskDefinitions, C = unknown>(
  functions: DefinedFunctions<T, C>,
  options: { tasks: T },
): (task: Task, context: C, extras: TaskExtras) => Promise<ResultOf<T[keyof T]>>;
export function routeTasks<F extends Record<string, TaskFunction>>(functions: F): RoutedHandler<F>;
export function routeTasks(
  functions: object,
  options: { tasks?: TaskDefinitions } = {},
): RoutedHandler<Record<string, TaskFunction>> {
  const { tasks } = checkOptions('routeTasks', options, { tasks: object });
  checkOption('routeTasks', 'functions', functions, object);
  // A Map, so that a task named "constructor" is unknown.
  const routes = new Map<string, TaskFunction>(Object.entries(functions));
  for (const [name, route] of routes) {
    checkOption('routeTasks', name, route, func);
    if (tasks && !Object.hasOwn(tasks, name)) {
      throw new OptionError(
        `routeTasks: the task ${name} is not defined. Defined are: ${Object.keys(tasks).join(', ') || 'none'}.`,
      );
    }
  }
  noteRoutedTasks(routes.keys());
  return async (task, context, { record, signal }) => {
    const route = routes.get(task.task_name);
    if (!route) throw new UnknownTaskError(task.task_name, [...routes.keys()]);
    const kwargs = task.task_kwargs ?? {};
    const checked = tasks ? await checkKwargs(tasks, task.task_name, kwargs) : kwargs;
    return route(checked, context, { task, record, signal });
  };
}

/** The worker has no function for a task. */
export class UnknownTaskError extends AlgernonError {
  override readonly name = 'UnknownTaskError';

  constructor(taskName: string, registered: readonly string[]) {
    const names = registered.join(', ') || 'none';
    super(
      'UNKNOWN_TASK',
      `task: ${taskName.slice(0, 256)} is not registered with the system; registered are: ${names}`,
      {
        path: '$.task_name',
      },
    );
  }
}
