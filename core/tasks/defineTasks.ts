import { formatPath } from '../ajson/formatPath.ts';
import { checkOption, checkOptions, type OptionCheck, object } from '../checkOptions.ts';
import { AlgernonError } from '../errors.ts';
import { noteDefinedTasks } from './routedTasks.ts';
import type { SchemaIssue, StandardSchema } from './standardSchema.ts';

/** The arguments and the result of a task. */
export interface TaskDefinition {
  /** Checks the arguments: any Standard Schema, or {@link typed} for types without a check. Default: any object. */
  readonly kwargs?: StandardSchema<unknown> | undefined;
  /** The type of the result. Used by the compiler only: results are not checked at run time. */
  readonly result?: StandardSchema<unknown> | undefined;
}

/** Tasks by name. */
export type TaskDefinitions = Readonly<Record<string, TaskDefinition>>;

/** The arguments as a sender passes them. */
export type KwargsOf<D extends TaskDefinition> =
  NonNullable<D['kwargs']> extends StandardSchema<infer Input, unknown> ? Input : object;

/** The arguments as the task's function gets them: the output of the schema. */
export type CheckedKwargsOf<D extends TaskDefinition> =
  NonNullable<D['kwargs']> extends StandardSchema<unknown, infer Output> ? Output : object;

/** The result of a task's function. */
export type ResultOf<D extends TaskDefinition> =
  NonNullable<D['result']> extends StandardSchema<unknown, infer Output> ? Output : unknown;

/**
 * Defines tasks for both senders and workers. `routeTasks(functions, { tasks })` checks the arguments of each message.
 * `sendTask(task, { tasks })` compiles only if the arguments fit the task, and each result in a chain fits the next
 * task's arguments.
 *
 * @throws OptionError when a definition has an unknown property, or a schema is not a Standard Schema
 * @example
 * export const tasks = defineTasks({
 *   resize: { kwargs: z.object({ image: z.string(), width: z.number() }), result: typed<{ image: string }>() },
 *   describe: { kwargs: typed<{ image: string }>() },
 * });
 */
export function defineTasks<const T extends TaskDefinitions>(tasks: T): T {
  checkOption('defineTasks', 'tasks', tasks, object);
  for (const [name, definition] of Object.entries(tasks)) {
    checkOptions('defineTasks', definition, { kwargs: schema, result: schema }, `${name}.`);
  }
  noteDefinedTasks(tasks);
  return tasks;
}

const schema: OptionCheck = {
  expected: 'a Standard Schema, such as one of zod, valibot or arktype',
  test: (value) => typeof (value as Partial<StandardSchema> | null)?.['~standard']?.validate === 'function',
};

/**
 * Checks the arguments of a task with its schema.
 *
 * @returns the output of the schema
 * @throws TaskArgumentsError when the arguments do not fit the schema
 */
export async function checkKwargs(
  tasks: TaskDefinitions,
  taskName: string,
  kwargs: unknown,
): Promise<unknown> {
  const schema = Object.hasOwn(tasks, taskName) ? tasks[taskName]?.kwargs : undefined;
  if (!schema) return kwargs;
  const outcome = await schema['~standard'].validate(kwargs);
  if (!outcome.issues) return outcome.value;
  const [first] = outcome.issues;
  const problems = outcome.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`).join('; ');
  throw new TaskArgumentsError(taskName, problems, pathOf(first));
}

function pathOf(issue: SchemaIssue | undefined): string {
  const keys = (issue?.path ?? [])
    .map((part) => (typeof part === 'object' ? part.key : part))
    .map((key) => (typeof key === 'symbol' ? String(key) : key));
  return `$.task_kwargs${formatPath(keys).slice(1)}`;
}

/** The links of a chain. */
export type Links<C extends string> = C extends `${infer First}#${infer Rest}`
  ? [First, ...Links<Rest>]
  : [C];

/** The links after the current task; all links if the current task is not in the chain. */
export type Remaining<
  Chain extends readonly string[],
  Current,
  All extends readonly string[] = Chain,
> = Chain extends [infer First, ...infer Rest extends string[]]
  ? First extends Current
    ? Rest
    : Remaining<Rest, Current, All>
  : All;

/** A result of null or undefined is sent as `{}`. */
// biome-ignore lint/suspicious/noConfusingVoidType: the type of a function without a return
type Sent<R> = [R] extends [undefined | null | void] ? Record<never, never> : R;

/** A text about the first result in a path of tasks that does not fit the next task; never if all fit. */
export type Problem<T extends TaskDefinitions, Current extends string, Path> = Path extends [
  infer Next extends string,
  ...infer Rest,
]
  ? Next extends keyof T
    ? [Sent<ResultOf<T[Current]>>] extends [KwargsOf<T[Next]>]
      ? Problem<T, Next, Rest>
      : `the result of ${Current} does not fit the arguments of ${Next}`
    : `there is no task ${Next}`
  : never;

/** A callback in which each result fits the next task's arguments; otherwise a text about the problem, for the compiler to show. */
export type FittingCallback<T extends TaskDefinitions, Current extends string, C extends string> = [
  Problem<T, Current, Remaining<Links<C>, Current>>,
] extends [never]
  ? C
  : Problem<T, Current, Remaining<Links<C>, Current>>;

/** The arguments of a task do not fit its schema. */
export class TaskArgumentsError extends AlgernonError {
  override readonly name = 'TaskArgumentsError';

  constructor(taskName: string, problems: string, path: string) {
    super('BAD_ARGUMENTS', `The arguments of ${taskName} do not fit its schema: ${problems}`, { path });
  }
}
