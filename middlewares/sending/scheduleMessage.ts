import { randomUUID } from 'node:crypto';
import { AlgernonError } from '../../core/errors.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { isFinalFault } from '../aws/isFinalFault.ts';
import { loadScheduler } from '../aws/loadScheduler.ts';
import type { AwsClient } from '../aws/optionChecks.ts';
import { tooLarge } from '../aws/snsMessage.ts';
import { envelopeWithin, isFifo, queuesOf } from './sendDelayed.ts';

/** How EventBridge Scheduler sends a task at its time. */
export interface ScheduleSettings {
  /** The ARN of the role that Scheduler assumes. It needs `sqs:SendMessage` on the queues of the tasks. */
  roleArn: string;
  /** The schedule group, which must exist. Default: `default`. */
  groupName?: string;
  /** The ARN of the standard queue for tasks that Scheduler could not send in 24 hours. Default: they are lost. */
  deadLetterQueue?: string;
}

/** A message that Scheduler puts into a queue. */
export interface ScheduledMessage extends TaskMessage {
  /** The ARN or the URL of a queue. */
  queue: string;
  at: Date;
  /** The id in the envelope. */
  messageId: string;
}

export interface ScheduleOptions {
  schedule: ScheduleSettings;
  scheduler?: AwsClient | undefined;
  /** For the URL of a FIFO queue. */
  sqs?: AwsClient | undefined;
  /** The limit of a queue for one message, in bytes. */
  maxMessageBytes: number;
}

/** The limit of Scheduler for the input of a target, in bytes. */
export const maxInputBytes = 262_144;

const defaultGroup = 'default';

/**
 * Makes a schedule that puts a message into a queue once, and then deletes itself.
 *
 * @returns the id of the schedule: its group and its name
 * @throws PublishError `MESSAGE_TOO_LARGE` or `BAD_ATTRIBUTES`
 * @throws AlgernonError `SCHEDULE_FAILED`, or `MISSING_PACKAGE` without `@aws-sdk/client-scheduler`
 */
export async function scheduleMessage(message: ScheduledMessage, options: ScheduleOptions): Promise<string> {
  const { scheduler, schedule } = options;
  const { roleArn, groupName = defaultGroup, deadLetterQueue } = schedule;
  const { at } = message;
  const target = await targetOf(message, options);
  const name = randomUUID();
  const { sdk, client } = await loadScheduler(scheduler);
  const command = new sdk.CreateScheduleCommand({
    Name: name,
    GroupName: groupName,
    ScheduleExpression: `at(${secondsOf(at)})`,
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: {
      RoleArn: roleArn,
      ...target,
      ...(deadLetterQueue !== undefined && { DeadLetterConfig: { Arn: deadLetterQueue } }),
    },
  });
  try {
    await client.send(command);
  } catch (error) {
    throw scheduleFailed('create', `${groupName}/${name}`, error);
  }
  return `${groupName}/${name}`;
}

/**
 * Deletes a schedule.
 *
 * @returns whether there was one
 * @throws AlgernonError `SCHEDULE_FAILED`
 */
export async function deleteSchedule(scheduleId: string, scheduler?: AwsClient): Promise<boolean> {
  const [GroupName, Name] = scheduleId.split('/');
  const { sdk, client } = await loadScheduler(scheduler);
  try {
    await client.send(new sdk.DeleteScheduleCommand({ GroupName, Name }));
    return true;
  } catch (error) {
    if (Object(error).name === 'ResourceNotFoundException') return false;
    throw scheduleFailed('delete', scheduleId, error);
  }
}

/** The queue as a target. Only a call of the API can give a message of a FIFO queue its deduplication id. */
async function targetOf(
  message: ScheduledMessage,
  { sqs, maxMessageBytes }: ScheduleOptions,
): Promise<{ Arn: string; Input: string }> {
  const { queue, topicArn, messageId, at, groupId, deduplicationId } = message;
  const body = literal(envelopeWithin(message, messageId, Math.min(maxMessageBytes, maxInputBytes), at));
  if (!isFifo(message)) return { Arn: arnOf(queue, topicArn), Input: within(body) };
  const [, partition] = topicArn.split(':');
  const call = {
    QueueUrl: queue.startsWith('arn:') ? await queuesOf(sqs).urlOf(queue) : queue,
    MessageBody: body,
    MessageGroupId: groupId ?? messageId,
    MessageDeduplicationId: deduplicationId ?? messageId,
  };
  return { Arn: `arn:${partition}:scheduler:::aws-sdk:sqs:sendMessage`, Input: within(JSON.stringify(call)) };
}

function within(input: string): string {
  const bytes = Buffer.byteLength(input);
  if (bytes > maxInputBytes) throw tooLarge(bytes, maxInputBytes);
  return input;
}

/** Scheduler replaces keywords such as `<aws.scheduler.schedule-arn>` in an input, and this one holds values of a user. */
function literal(json: string): string {
  return json.replaceAll('<aws.scheduler.', '\\u003caws.scheduler.');
}

/** The ARN of a queue that is given as a URL: the URL has its account and name. */
function arnOf(queue: string, topicArn: string): string {
  if (queue.startsWith('arn:')) return queue;
  const [account, name] = new URL(queue).pathname.split('/').slice(-2);
  const [, partition, , region] = topicArn.split(':');
  return `arn:${partition}:sqs:${region}:${account}:${name}`;
}

/** A time in the form of Scheduler, which has no fractions of a second: never earlier than asked for. */
function secondsOf(at: Date): string {
  return new Date(Math.ceil(at.getTime() / 1000) * 1000).toISOString().slice(0, 19);
}

function scheduleFailed(action: 'create' | 'delete', id: string, cause: unknown): AlgernonError {
  return new AlgernonError('SCHEDULE_FAILED', `Could not ${action} the schedule ${id}: ${String(cause)}`, {
    cause,
    retryable: !isFinalFault(cause),
  });
}
