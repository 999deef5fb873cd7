/**
 * The smallest unit of work, as it stands on the wire: hence the keys in snake_case.
 *
 * @example
 * const task: Task = { task_name: 'resize', task_kwargs: { width: 200 }, callback: 'describe' };
 */
export interface Task<Kwargs = Record<string, unknown>> {
  /** The name that says which function runs it, and which topic listens for it. */
  task_name: string;
  /** The arguments. Missing and null mean none. */
  task_kwargs?: Kwargs | null | undefined;
  /** The task that gets the result, or a chain of them: `a#b#c`. */
  callback?: string | null | undefined;
}

/** Whether a value has the shape of a {@link Task}: an object with a `task_name` that is a string. */
export function isTask(value: unknown): value is Task {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Task>).task_name === 'string'
  );
}
