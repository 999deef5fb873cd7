import { checkOption, checkOptions, text } from '../core/checkOptions.ts';
import { type AwsClient, awsClient } from './aws/optionChecks.ts';
import { deleteSchedule } from './sending/scheduleMessage.ts';

/** Options of {@link cancelTask}. */
export interface CancelTaskOptions {
  /** Default: a client that is made on first use and shared. Needs `@aws-sdk/client-scheduler`. */
  scheduler?: AwsClient;
}

/**
 * Cancels a task that `sendTask` has scheduled with `at`. The caller's role needs `scheduler:DeleteSchedule`.
 *
 * @param scheduleId the `scheduleId` that `sendTask` resolved to
 * @returns whether it was cancelled: false if it has been sent or cancelled before
 * @throws OptionError
 * @throws AlgernonError `SCHEDULE_FAILED` when Scheduler did not delete it
 * @example
 * const { scheduleId } = await sendTask(task, { at, schedule: { roleArn } });
 * if (scheduleId) await cancelTask(scheduleId);
 */
export async function cancelTask(scheduleId: string, options: CancelTaskOptions = {}): Promise<boolean> {
  checkOption('cancelTask', 'scheduleId', scheduleId, scheduleIdCheck);
  const { scheduler } = checkOptions('cancelTask', options, { scheduler: awsClient('SchedulerClient') });
  return deleteSchedule(scheduleId, scheduler);
}

const scheduleIdCheck = text('the scheduleId that sendTask resolved to', /^\w[\w.-]{0,63}\/\w[\w.-]{0,63}$/);
