import { AlgernonError } from '../../core/errors.ts';

/** The same task is running elsewhere, or was killed there: its message comes back when the lease has ended. */
export class TaskInProgressError extends AlgernonError {
  override readonly name = 'TaskInProgressError';
  /** When the lease of the other run ends, in seconds from now. */
  readonly retryAfterSeconds: number;

  constructor(leaseUntil: number, reason: string) {
    super('TASK_IN_PROGRESS', reason, { retryable: true });
    // One second more, since clocks differ.
    this.retryAfterSeconds = Math.max(0, Math.ceil((leaseUntil - Date.now()) / 1000)) + 1;
  }
}
