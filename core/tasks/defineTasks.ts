import { assertOption } from '../assertOption.ts';
import { AlgernonError } from '../errors.ts';
import type { SchemaIssue, StandardSchema } from './standardSchema.ts';

/** What a task takes and gives. */
export interface TaskDefinition {
  /** Checks the arguments: any Standard Schema, or {@link type} where types are enough. Default: any object. */
  readonly kwargs?: StandardSchema<unknown> | undefined;
  /** The type of the result. It is not checked when a task ends. */
  readonly result?: StandardSchema<unknown> | undefined;
}

/** Tasks by name. */
export type TaskDefinitions = Readonly<Record<string, TaskDefinition>>;

/** What a sender gives a task. */
export type KwargsOf<D extends TaskDefinition> =
  NonNullable<D['kwargs']> extends StandardSchema<infer Input, unknown> ? Input : object;

/** What a task's function gets: the arguments as the schema hands them on. */
export type CheckedKwargsOf<D extends TaskDefinition> =
  NonNullable<D['kwargs']> extends StandardSchema<unknown, infer Output> ? Output : object;

/** What a task's function gives. */
export type ResultOf<D extends TaskDefinition> =
  NonNullable<D['result']> extends StandardSchema<unknown, infer Output> ? Output : unknown;

/**
 * Defines tasks once, for those who send them and those who run them: `routeTasks(functions, { tasks })` checks the
 * arguments of each message, and `sendTask(task, { tasks })` compiles only where arguments fit, and where in a chain
 * each result fits the next task's arguments.
 *
 * @throws OptionError when a schema is none
 * @example
 * export const tasks = defineTasks({
 *   resize: { kwargs: z.object({ image: z.string(), width: z.number() }), result: type<{ image: string }>() },
 *   describe: { kwargs: type<{ image: string }>() },
 * });
 */
export function defineTasks<const T extends TaskDefinitions>(tasks: T): T {
  for (const [name, { kwargs, result }] of Object.entries(tasks)) {
    for (const schema of [kwargs, result]) {
      const ok = schema === undefined || typeof schema?.['~standard']?.validate === 'function';
      assertOption(
        ok,
        'defineTasks',
        name,
        'given Standard Schemas, such as those of zod, valibot or arktype',
      );
    }
  }
  return tasks;
}

/**
 * The arguments of a task as its schema hands them on.
 *
 * @throws TaskArgumentsError when they are not what the schema wants
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
  const words = outcome.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`).join('; ');
  throw new TaskArgumentsError(taskName, words, pathOf(first));
}

function pathOf(issue: SchemaIssue | undefined): string {
  const keys = (issue?.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  return `$.task_kwargs${keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}`;
}

type Links<C extends string> = C extends `${infer First}#${infer Rest}` ? [First, ...Links<Rest>] : [C];

/** What is left of a chain for a task: all of it from outside, else what comes after the task. */
type Remaining<
  Chain extends readonly string[],
  Current,
  All extends readonly string[] = Chain,
> = Chain extends [infer First, ...infer Rest extends string[]]
  ? First extends Current
    ? Rest
    : Remaining<Rest, Current, All>
  : All;

/** A result of null or undefined is sent as `{}`. */
// biome-ignore lint/suspicious/noConfusingVoidType: what a function without a return gives
type Sent<R> = [R] extends [undefined | null | void] ? Record<never, never> : R;

type Problem<T extends TaskDefinitions, Current extends string, Path> = Path extends [
  infer Next extends string,
  ...infer Rest,
]
  ? Next extends keyof T
    ? [Sent<ResultOf<T[Current]>>] extends [KwargsOf<T[Next]>]
      ? Problem<T, Next, Rest>
      : { problem: `the result of ${Current} does not fit the arguments of ${Next}` }
    : { problem: `there is no task ${Next}` }
  : unknown;

/** A callback whose every result fits the next task's arguments; else a type that says where it does not. */
export type FittingCallback<T extends TaskDefinitions, Current extends string, C extends string> = C &
  Problem<T, Current, Remaining<Links<C>, Current>>;

/** The arguments of a task do not fit its schema. */
export class TaskArgumentsError extends AlgernonError {
  override readonly name = 'TaskArgumentsError';

  constructor(taskName: string, problems: string, path: string) {
    super('BAD_ARGUMENTS', `The arguments of ${taskName} do not fit its schema: ${problems}`, { path });
  }
}
