import { AlgernonError } from '../../core/errors.ts';

/** A task failed for good, but its chain's error task or its group could not be told: the task's message is retried. */
export class ErrorTaskNotToldError extends AlgernonError {
  override readonly name = 'ErrorTaskNotToldError';
  /** The error of the task. */
  readonly failure: unknown;

  constructor(failure: unknown, cause: unknown) {
    super(
      'ERROR_TASK_NOT_TOLD',
      `The task failed for good (${String(failure)}), and its error task or its group could not be told: ${String(cause)}`,
      { cause, retryable: true },
    );
    this.failure = failure;
  }
}
