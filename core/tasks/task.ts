/**
 * The smallest unit of work. The keys are in snake_case, since this is its form on the wire.
 *
 * @example
 * const task: Task = { task_name: 'resize', task_kwargs: { width: 200 }, callback: 'describe' };
 */
export interface Task<Kwargs = Record<string, unknown>> {
  /** The name of the function that runs it, and of its topic. */
  task_name: string;
  /** The arguments. Missing or null: none. */
  task_kwargs?: Kwargs | null | undefined;
  /** The task that gets the result, or a chain of tasks: `a#b#c`. */
  callback?: string | null | undefined;
}

/** Whether a value has the shape of a {@link Task}: an object with a `task_name` that is a string. */
export function isTask(value: unknown): value is Task {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Task>).task_name === 'string'
  );
}

/** The message of a task, around arguments that are already ajson. */
export function taskMessage(taskName: string, kwargs: string, callback?: string | null): string {
  const chain = callback ? `,"callback":${JSON.stringify(callback)}` : '';
  const message = `{"task_name":${JSON.stringify(taskName)},"task_kwargs":${kwargs}${chain}}`;
  return message.replace(noncharacters, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** SQS refuses these characters. */
const noncharacters = /[\uFFFE\uFFFF]/g;
