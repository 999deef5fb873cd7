import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { Ajson } from '../core/ajson/index.ts';
import {
  checkOptions,
  either,
  flag,
  func,
  listOf,
  object,
  text,
  whole,
  withMethod,
} from '../core/checkOptions.ts';
import { AlgernonError, OptionError } from '../core/errors.ts';
import { isFinal } from '../core/isFinal.ts';
import { chainIdPattern } from '../core/tasks/chainId.ts';
import type { FittingCallback, KwargsOf, TaskDefinitions } from '../core/tasks/defineTasks.ts';
import type { Task } from '../core/tasks/task.ts';
import { type AwsClient, awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import type { Queues } from './aws/queues.ts';
import type { Topics } from './aws/topics.ts';
import type { ExtraCallbacks } from './callbacks/extraCallbacks.ts';
import { type EventTarget, eventTargets } from './events/eventWriter.ts';
import { delayOf } from './sending/carrierOf.ts';
import { checkAttributes } from './sending/checkAttributes.ts';
import { reportSent } from './sending/reportSent.ts';
import type { ScheduleSettings } from './sending/scheduleMessage.ts';
import { type Outcome, sendAll } from './sending/sendAll.ts';
import { maxDelaySeconds } from './sending/sendDelayed.ts';
import type { Tracing } from './tracing/tracing.ts';

/** Options of {@link sendTask}. */
export interface SendTaskOptions extends ExtraCallbacks {
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** Default: a client that is made on first use and shared. */
  sns?: SNSClient;
  /** The bucket for large arguments. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** The folder for large arguments. Default: `CACHE_FOLDER_NAME`, else `cache`. */
  folder?: string;
  /** A canned ACL for large arguments. Default: none. */
  acl?: ObjectCannedACL;
  /** The ARNs of the topics. Default: each topic has the name of its task, in the region and account of `functionArn`. */
  topics?: Topics;
  /** An ARN in the region and account of the topics: in a Lambda function, `context.invokedFunctionArn`. */
  functionArn?: string;
  /** Arguments of more bytes than this go through S3. Default 131,072. */
  inlineUnder?: number;
  /** The limit of a topic for one message, in bytes. Default 262,144. */
  maxMessageBytes?: number;
  /**
   * Whether a large message goes through S3 as a whole, for receivers that use AWS's extended clients. The
   * object's key is a UUID, without a folder. Default false: only the arguments go through S3, as a StoredData.
   */
  extendedPayload?: boolean;
  /**
   * Identifies the chain: 1 to 128 letters, digits and `_.:-`. Default: that of the running task, which needs `lambdaLogged` or
   * `chainEvents`; else a new UUID.
   */
  chainId?: string;
  /** Message attributes to send with the task, as strings. A message has at most ten, ours included. Default: none. */
  attributes?: Readonly<Record<string, string>>;
  /** Traces the sending. Default: the tracing of the running task, if any. */
  tracing?: Tracing;
  /**
   * The message group: a fair queue divides its throughput among groups, a FIFO queue keeps the order within each. Default:
   * none; on FIFO, a new group.
   */
  groupId?: string;
  /** For a FIFO topic: a message with the id of an earlier message is not delivered. Default: a new id. */
  deduplicationId?: string;
  /** The registry that writes the arguments. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
  /** Holds the task back, in whole seconds from 0 to 900. It goes straight to its queue then, not through its topic. Default 0. */
  delaySeconds?: number;
  /** Holds the task back until a time. Up to 900 seconds ahead it is a delay; later times need `schedule`. Default: now. */
  at?: Date;
  /**
   * The queues of tasks that are held back, as ARNs or URLs. Default: each has the name of its task, in the region and account
   * of its topic.
   */
  queues?: Queues;
  /** Default: a client that is made on first use and shared. Needs `@aws-sdk/client-sqs`. */
  sqs?: AwsClient;
  /** How EventBridge Scheduler sends a task that is held back for more than 900 seconds. Default: such times are refused. */
  schedule?: ScheduleSettings;
  /** Default: a client that is made on first use and shared. Needs `@aws-sdk/client-scheduler`. */
  scheduler?: AwsClient;
  /** Where a chain event of each task goes: `s3Sink()`, for example. Default: the sinks of the running task, if any. */
  events?: EventTarget | readonly EventTarget[];
}

/** Options of {@link sendTasks}. There is no `deduplicationId`: it would deduplicate the tasks of one call. */
export type SendTasksOptions = Omit<SendTaskOptions, 'deduplicationId'>;

/** The ids of a task that was sent. */
export interface SentTask {
  /** Identifies the chain. It travels with the task and all tasks after it, as the message attribute `chain_id`. */
  readonly chainId: string;
  /** The id that SNS gave the message. A task that is held back gets it here. */
  readonly messageId: string;
  /** Identifies the schedule of the task, for `cancelTask`. Set only if the task is held back by a schedule. */
  readonly scheduleId?: string;
}

/** Some tasks of {@link sendTasks} were not sent. */
export class SendTasksError extends AlgernonError {
  override readonly name = 'SendTasksError';
  /** The ids of each task, in the order of the tasks; undefined for a task that was not sent. */
  readonly sent: readonly (SentTask | undefined)[];
  /** The index and the error of each task that failed. */
  readonly failures: readonly { readonly index: number; readonly error: unknown }[];

  constructor(outcomes: readonly Outcome[]) {
    const sent = outcomes.map((outcome) => outcome.sent);
    const failures = outcomes.flatMap((outcome, index) =>
      'error' in outcome ? [{ index, error: outcome.error }] : [],
    );
    const [first] = failures;
    const count = sent.filter(Boolean).length;
    const reason = first?.error instanceof Error ? first.error.message : String(first?.error);
    super(
      'SEND_TASKS_FAILED',
      `${count} of ${sent.length} tasks were sent, ${failures.length} failed. The first, tasks[${first?.index}]: ${reason}`,
      { cause: first?.error, retryable: failures.every(({ error }) => !isFinal(error)) },
    );
    this.sent = sent;
    this.failures = failures;
  }
}

/** A task that fits its definition: its arguments, and the result of each task in the chain, which the next task takes. */
export interface DefinedTask<T extends TaskDefinitions, N extends keyof T & string, C extends string> {
  /** The name of the task. */
  task_name: N;
  /** The arguments. */
  task_kwargs: KwargsOf<T[N]>;
  /** The task that gets the result, or a chain of tasks: `a#b#c`. */
  callback?: FittingCallback<T, N, C> | null | undefined;
}

/** A task that fits its definition; without definitions, any task. */
export type SendableTask<
  T extends TaskDefinitions,
  N extends keyof T & string,
  C extends string,
> = string extends keyof T ? Task<object> : DefinedTask<T, N, C>;

/**
 * Sends a task to its topic, which starts a chain. Large arguments go through S3.
 *
 * With `tasks` of `defineTasks`, a call compiles only if the arguments fit the task, and each result in the chain fits the
 * next task's arguments. Arguments that fail their schema are not sent.
 *
 * @returns the ids of the chain and of the message; also the id of the schedule, if there is one
 * @throws OptionError, NotATaskError, CallbackError, TaskArgumentsError, AjsonError, StoredDataError, PublishError
 * @throws AlgernonError `TOPIC_NOT_FOUND`, `QUEUE_NOT_FOUND`, `FIFO_DELAY` or `SCHEDULE_FAILED`
 * @example
 * const { chainId } = await sendTask(
 *   { task_name: 'load', task_kwargs: { symbol: 'IBM' }, callback: 'load#analyse#report' },
 *   { functionArn: context.invokedFunctionArn },
 * );
 */
export async function sendTask<
  const T extends TaskDefinitions = TaskDefinitions,
  N extends keyof T & string = keyof T & string,
  const C extends string = never,
>(
  task: SendableTask<T, N, C>,
  options: SendTaskOptions & {
    /** The definitions of the tasks, which check the arguments and the chain. Default: any task can be sent. */
    tasks?: T | undefined;
  } = {},
): Promise<SentTask> {
  checkSending('sendTask', options);
  const outcomes = await sendAll([task], options);
  await reportSent([task], outcomes, options);
  const [outcome] = outcomes;
  if (!outcome?.sent) throw outcome?.error;
  return outcome.sent;
}

/**
 * Sends many tasks to their topics, ten in a call. The options are those of {@link sendTask}, and apply to all tasks.
 * Each task starts a chain, unless `chainId` is given.
 *
 * All tasks are checked first. If a callback, arguments or attributes are bad, nothing is stored or sent. After that, a task
 * that fails does not stop the others.
 *
 * @returns the ids of each task, in the order of the tasks
 * @throws OptionError, or SendTasksError with the ids of the tasks that were sent and the errors of those that failed
 * @example
 * const sent = await sendTasks(
 *   symbols.map((symbol) => ({ task_name: 'load', task_kwargs: { symbol } })),
 *   { functionArn: context.invokedFunctionArn },
 * );
 */
export async function sendTasks(
  tasks: readonly Task<object>[],
  options: SendTasksOptions & { tasks?: TaskDefinitions | undefined } = {},
): Promise<SentTask[]> {
  const { deduplicationId: _, ...checks } = optionChecks;
  checkOptions('sendTasks', options, checks);
  checkAttributes('sendTasks', options);
  checkTime('sendTasks', options);
  if (!Array.isArray(tasks)) throw new OptionError('sendTasks: the tasks must be a list.');
  const outcomes = await sendAll(tasks, options);
  await reportSent(tasks, outcomes, options);
  const sent = outcomes.flatMap((outcome) => outcome.sent ?? []);
  if (sent.length < outcomes.length) throw new SendTasksError(outcomes);
  return sent;
}

const fifoId = text('1 to 128 letters, digits and punctuation characters', /^[!-~]{1,128}$/);

const optionChecks = {
  s3: awsClient('S3Client'),
  sns: awsClient('SNSClient'),
  bucket: bucketName,
  folder: folderName,
  acl: text('a canned ACL'),
  topics: either(func, object),
  functionArn: text('an ARN', /^arn:/),
  delaySeconds: whole(0, maxDelaySeconds),
  at: {
    expected: 'a Date of a year up to 9999',
    test: (value: unknown) => value instanceof Date && value.getTime() < Date.UTC(10_000, 0),
  },
  queues: either(func, object),
  sqs: awsClient('SQSClient'),
  schedule: object,
  scheduler: awsClient('SchedulerClient'),
  inlineUnder: whole(0),
  maxMessageBytes: whole(1),
  extendedPayload: flag,
  chainId: text('1 to 128 letters, digits and "_.:-"', chainIdPattern),
  attributes: object,
  tracing: withMethod('send', 'a tracing'),
  groupId: fifoId,
  deduplicationId: fifoId,
  ajson: withMethod('dumps', 'a registry'),
  events: eventTargets,
  alsoCallbacks: listOf(text('the name of a task, or a chain')),
  onError: text('the name of a task'),
  tasks: object,
} as const;

function checkSending(
  owner: string,
  options: SendTaskOptions & { tasks?: TaskDefinitions | undefined },
): void {
  checkOptions(owner, options, optionChecks);
  checkAttributes(owner, options);
  checkTime(owner, options);
}

/** A task has one time. A time that SQS cannot wait for needs a schedule. */
function checkTime(owner: string, options: SendTaskOptions): void {
  const { delaySeconds, at, schedule } = options;
  if (schedule !== undefined) {
    checkOptions(owner, schedule, scheduleChecks, 'schedule.');
    if (!schedule.roleArn) throw new OptionError(`${owner}: schedule.roleArn is missing.`);
  }
  if (delaySeconds !== undefined && at !== undefined) {
    throw new OptionError(`${owner}: delaySeconds and at exclude each other.`);
  }
  if (delayOf(options) > maxDelaySeconds && schedule === undefined) {
    throw new OptionError(
      `${owner}: at is more than ${maxDelaySeconds} seconds ahead, which needs the option schedule.`,
    );
  }
}

const arn = /^arn:/;
const scheduleChecks = {
  roleArn: text('the ARN of a role', arn),
  groupName: text('the name of a schedule group', /^[\w.-]{1,64}$/),
  deadLetterQueue: text('the ARN of a queue', arn),
};
