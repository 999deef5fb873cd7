import { AlgernonError } from '../../core/errors.ts';

/** A task failed for good, and its chain's error task could not be told for now: the message comes back. */
export class ErrorTaskNotToldError extends AlgernonError {
  override readonly name = 'ErrorTaskNotToldError';
  /** The error of the task. */
  readonly failure: unknown;

  constructor(failure: unknown, cause: unknown) {
    super(
      'ERROR_TASK_NOT_TOLD',
      `The task failed for good (${String(failure)}), and its error task could not be told for now: ${String(cause)}`,
      { cause, retryable: true },
    );
    this.failure = failure;
  }
}
