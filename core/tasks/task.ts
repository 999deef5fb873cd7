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
