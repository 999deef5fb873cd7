import { TaskArgumentsError } from '../../core/tasks/defineTasks.ts';
import type { Task } from '../../core/tasks/task.ts';

/**
 * The arguments of a task in ajson. They must be an object.
 *
 * @throws TaskArgumentsError
 */
export function kwargsText(
  { task_name, task_kwargs }: Task<unknown>,
  dumps: (value: unknown) => string,
): string {
  if (task_kwargs === undefined || task_kwargs === null) return '{}';
  const text = dumps(task_kwargs);
  const tag = /^\{"_alg_class":"([^"]*)","value":/.exec(text)?.[1];
  if (text.startsWith('{') && tag === undefined) return text;
  const kind = tag ?? (Array.isArray(task_kwargs) ? 'list' : typeof task_kwargs);
  throw new TaskArgumentsError(task_name, `task_kwargs must be an object, not a ${kind}`, '$.task_kwargs');
}
