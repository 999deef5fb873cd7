import { assertOption } from '../assertOption.ts';
import type { TaskExtras } from '../batch/runTask.ts';
import { AlgernonError } from '../errors.ts';
import { type CheckedKwargsOf, checkKwargs, type ResultOf, type TaskDefinitions } from './defineTasks.ts';
import type { ChainEnd } from './endChain.ts';
import type { Task } from './task.ts';

/** What a task's function gets beside its arguments and the context. */
export interface RoutedExtras extends TaskExtras {
  task: Task;
}

/** The function of one task. */
// biome-ignore lint/suspicious/noExplicitAny: each function names the arguments and the context that it takes
export type TaskFunction = (kwargs: any, context: any, extras: RoutedExtras) => unknown;

/** What a table of functions takes as context, and what it returns. */
export type RoutedHandler<F extends Record<string, TaskFunction>> = (
  task: Task,
  context: RoutedContext<F>,
  extras: TaskExtras,
) => Promise<Awaited<ReturnType<F[keyof F]>>>;

/** All that the functions ask of the context, together. */
type RoutedContext<F extends Record<string, TaskFunction>> = {
  [K in keyof F]: (context: ContextArgument<F[K]>) => void;
}[keyof F] extends (context: infer C) => void
  ? C
  : never;

type ContextArgument<F> = F extends (kwargs: never, context: infer C, ...rest: never[]) => unknown
  ? C
  : unknown;

/** The functions of tasks that were defined: each takes what its schema hands on, and gives what is defined. */
export type DefinedFunctions<T extends TaskDefinitions, C> = {
  readonly [K in keyof T]?: (
    kwargs: CheckedKwargsOf<T[K]>,
    context: C,
    extras: RoutedExtras,
  ) => ResultOf<T[K]> | ChainEnd | PromiseLike<ResultOf<T[K]> | ChainEnd>;
};

/**
 * Serves many tasks with one Lambda: calls the function named as the task with its `task_kwargs`.
 *
 * @param functions a function for each task
 * @param options `tasks`: definitions by {@link defineTasks}, whose schemas check the arguments. Default: unchecked
 * @throws UnknownTaskError from the handler, for a task whose name is not in the table
 * @throws TaskArgumentsError from the handler, for arguments that the task's schema refuses
 * @throws OptionError when something in the table is not a function, or is not among the defined tasks
 * @example
 * const worker = routeTasks({
 *   resize: async ({ image, width }: { image: string; width: number }) => resize(image, width),
 *   describe: async ({ image }: { image: string }) => describe(image),
 * });
 * export const handler = middy(queued(worker)).use(sqsSnsUnwrap());
 */
export function routeTasks<const T extends TaskDefinitions, C = unknown>(
  functions: DefinedFunctions<T, C>,
  options: { tasks: T },
): (task: Task, context: C, extras: TaskExtras) => Promise<ResultOf<T[keyof T]>>;
export function routeTasks<F extends Record<string, TaskFunction>>(functions: F): RoutedHandler<F>;
export function routeTasks(
  functions: object,
  { tasks }: { tasks?: TaskDefinitions } = {},
): RoutedHandler<Record<string, TaskFunction>> {
  // A Map, so that a task named as something every object has finds nothing.
  const routes = new Map<string, TaskFunction>(Object.entries(functions));
  for (const [name, route] of routes) {
    assertOption(typeof route === 'function', 'routeTasks', name, 'a function');
    assertOption(!tasks || Object.hasOwn(tasks, name), 'routeTasks', name, 'one of the defined tasks');
  }
  return async (task, context, { record, signal }) => {
    const route = routes.get(task.task_name);
    if (!route) throw new UnknownTaskError(task.task_name, [...routes.keys()]);
    const kwargs = task.task_kwargs ?? {};
    const checked = tasks ? await checkKwargs(tasks, task.task_name, kwargs) : kwargs;
    return route(checked, context, { task, record, signal });
  };
}

/** A task came for which the worker has no function. */
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
