import type { TaskRun } from '../../core/batch/stage.ts';
import { AlgernonError } from '../../core/errors.ts';

/**
 * Fails a record whose task nothing has taken out of it.
 *
 * @throws AlgernonError with the code `NOT_UNWRAPPED`
 */
export function assertUnwrapped(run: TaskRun, stage: string): void {
  if (!run.record || run.task !== run.record) return;
  throw new AlgernonError(
    'NOT_UNWRAPPED',
    `${stage} needs a task, and got the record as it came: add sqsSnsUnwrap() to the stack.`,
    { retryable: true },
  );
}
