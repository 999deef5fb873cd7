import type { MiddlewareObj } from '@middy/core';
import { DeadlineError } from '../core/batch/deadline.ts';
import { isSnsRecord, messageIdOf, type SqsRecord, type TaskRecord } from '../core/batch/events.ts';
import { identityOf } from '../core/batch/identity.ts';
import { groupId } from '../core/batch/runBatch.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, either, finite, func, type OptionCheck, text, whole } from '../core/checkOptions.ts';
import { isFinal } from '../core/isFinal.ts';
import { askedSeconds, retryAfterSeconds } from '../core/RetryLaterError.ts';
import { DeadLetterError, deadLetterMessage } from './aws/deadLetterMessage.ts';
import { type AwsClient, awsClient } from './aws/optionChecks.ts';
import { sqsQueues } from './aws/sqsQueues.ts';
import { ErrorTaskNotToldError } from './callbacks/ErrorTaskNotToldError.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** How long a message that failed stays away. */
export interface Backoff {
  /** After the first failure, in seconds; each further failure doubles it. Default 2. */
  baseSeconds?: number;
  /** The longest, in seconds; at most 42,000. Default 900. */
  maxSeconds?: number;
  /** The random share, from 0 to 1, so that messages that failed together come back apart. Default 0.5. */
  jitter?: number;
}

/** Options of {@link failurePolicy}. */
export interface FailurePolicyOptions {
  /** An `SQSClient`. Default: a client that is made on first use and shared. */
  sqs?: AwsClient;
  /**
   * The URL of the dead-letter queue, or a function that finds it. Default: the one in the `RedrivePolicy` of the queue
   * that the message came from.
   */
  deadLetterQueue?:
    | string
    | ((record: SqsRecord, error: unknown) => string | undefined | Promise<string | undefined>);
  /**
   * How long a message that may succeed later stays away. A list has the seconds after the first failure, the second and so on;
   * its last item is for all further failures. False: as the queue's visibility timeout says. An error that says when to try
   * again, such as a `RetryLaterError`, overrides it.
   */
  backoff?: Backoff | readonly number[] | false;
  /** Whether an error is final; undefined leaves it to the default, which is {@link isFinal}. Asked once per failure. */
  isFinal?: (error: unknown, record: SqsRecord) => boolean | undefined | Promise<boolean | undefined>;
  /**
   * FIFO queues: on which receive a message that fails is dead-lettered, so that its group goes on. Default: the
   * `maxReceiveCount` of the queue's `RedrivePolicy`.
   */
  maxReceiveCount?: number;
}

const name = 'failurePolicy';

/**
 * Decides what happens to a message whose task failed, instead of leaving it to the queue's settings.
 *
 * A final failure (a message that is not JSON, a `NonRetryableError`) goes to the dead-letter queue at once, unchanged, with
 * the reason in message attributes. Its record then counts as done; if the dead-letter queue does not accept it, the record
 * fails with a `DeadLetterError` and comes back. Any other failure comes back after a time that doubles with each delivery,
 * with a random share; or after the time that its error asks for: that of a `RetryLaterError`, or the `Retry-After` of a
 * response with the status 429 or 503, at most 42,000 seconds.
 *
 * In a FIFO group, the messages after a failed one return to the queue with it. On its last allowed receive the failed message
 * is dead-lettered, and its group goes on: otherwise the messages that returned untried would reach the dead-letter queue too.
 * Direct invocations and SNS without a queue are not affected.
 *
 * The function's role needs `sqs:GetQueueUrl` and `sqs:ChangeMessageVisibility`; for dead letters `sqs:SendMessage`, and
 * `sqs:GetQueueAttributes` unless `deadLetterQueue` and, for FIFO queues, `maxReceiveCount` are given.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(failurePolicy({ backoff: { baseSeconds: 5, maxSeconds: 300 } }));
 */
export function failurePolicy(options: FailurePolicyOptions = {}): MiddlewareObj {
  checkOptions(name, options, optionChecks);
  const { deadLetterQueue, maxReceiveCount } = options;
  const backoff = options.backoff === false ? undefined : readBackoff(options.backoff);
  const queues = sqsQueues(options.sqs);
  let isWarned = false;
  const warnOnce = (message: string, ...details: unknown[]) => {
    if (!isWarned) console.warn(`${name}: ${message}`, ...details);
    isWarned = true;
  };

  /** Resolves to the URL of the queue. */
  const deadLetter = async (run: TaskRun, record: SqsRecord, error: unknown): Promise<string> => {
    try {
      const given =
        typeof deadLetterQueue === 'function' ? await deadLetterQueue(record, error) : deadLetterQueue;
      const url = given ?? (await queues.redrivePolicy(record.eventSourceARN))?.deadLetterUrl;
      if (!url) {
        throw new Error('the queue has no RedrivePolicy, and the option deadLetterQueue is missing');
      }
      // The answer has left, and returns the message.
      if (run.cutoff.aborted) throw new DeadlineError();
      await queues.send(url, deadLetterMessage(record, error, identityOf(run).chainId));
      return url;
    } catch (cause) {
      throw new DeadLetterError(error, cause);
    }
  };

  const giveBack = async (records: readonly SqsRecord[], error: unknown, report: TaskRun['report']) => {
    const [record] = records;
    if (!record?.eventSourceARN) return;
    const seconds = retryAfterSeconds(error) ?? (backoff && delaySeconds(record, backoff));
    if (seconds === undefined) return;
    const handles = records.flatMap(({ receiptHandle }) => receiptHandle || []);
    const hiddenSeconds = Math.ceil(Math.min(seconds, maxHideSeconds));
    try {
      await queues.hide(record.eventSourceARN, handles, hiddenSeconds);
      report?.({ type: 'retried', delaySeconds: hiddenSeconds });
    } catch (fault) {
      // The message comes back all the same, and its own error is the one to throw.
      console.warn(`${name}: the visibility of ${record.messageId} could not be changed:`, fault);
    }
  };

  /** Whether a message of a FIFO queue is on its last receive. */
  const isLastReceive = async (record: SqsRecord): Promise<boolean> => {
    if (groupId(record) === undefined) return false;
    try {
      const most = maxReceiveCount ?? (await queues.redrivePolicy(record.eventSourceARN))?.maxReceiveCount;
      if (most !== undefined) return Number(record.attributes?.ApproximateReceiveCount) >= most;
      warnOnce(
        `${record.eventSourceARN} has no RedrivePolicy, so a message that keeps failing holds up its group. ` +
          'Set one, or give the options maxReceiveCount and deadLetterQueue.',
      );
    } catch (error) {
      warnOnce('give the option maxReceiveCount, or sqs:GetQueueAttributes:', error);
    }
    return false;
  };

  const isFinalFor = async (error: unknown, record: SqsRecord): Promise<boolean> => {
    // The error task must be told first.
    if (error instanceof ErrorTaskNotToldError) return false;
    // The task asked to be tried again.
    if (askedSeconds(error) !== undefined) return false;
    try {
      return (await options.isFinal?.(error, record)) ?? isFinal(error);
    } catch (thrown) {
      console.warn(`${name}: isFinal threw, and its default is used:`, thrown);
      return isFinal(error);
    }
  };

  return stageMiddleware({
    name,
    order: { at: 'policy' },
    open({ records }) {
      const started = new Set<string>();
      const around = async (run: TaskRun, next: () => Promise<void>): Promise<void> => {
        const { record, signal } = run;
        if (!record || isSnsRecord(record)) return next();
        started.add(messageIdOf(record));
        // A function of the user may decide, so that each stage must get the same answer.
        const decisions = new Map<unknown, Promise<boolean>>();
        const decide = async (error: unknown) => (await isFinalFor(error, record)) || isLastReceive(record);
        const isGone = (error: unknown) => {
          const decision = decisions.get(error) ?? decide(error);
          decisions.set(error, decision);
          return decision;
        };
        run.isFinal = isGone;
        try {
          await next();
        } catch (error) {
          const waiting = restOfGroup(record, records).filter(({ messageId }) => !started.has(messageId));
          try {
            // Near the end of the invocation only a last receive is left to decide.
            if (signal.aborted ? !(await isLastReceive(record)) : !(await isGone(error))) throw error;
            const queue = await deadLetter(run, record, error);
            run.report?.({ type: 'deadLettered', queue });
            run.failure = error ?? new Error('The task threw undefined.');
          } catch (failure) {
            if (!signal.aborted) await giveBack([record, ...waiting], failure, run.report);
            throw failure;
          }
        }
      };
      return { around };
    },
  });
}

/** The messages that must wait for one of a FIFO group. SQS gives out no message of a group while another is in flight. */
function restOfGroup(record: SqsRecord, records: readonly TaskRecord[]): SqsRecord[] {
  const group = groupId(record);
  if (group === undefined) return [];
  const after = records.slice(records.findIndex((other) => messageIdOf(other) === record.messageId) + 1);
  return (after as SqsRecord[]).filter((other) => groupId(other) === group);
}

/**
 * The longest time that a message is hidden, in seconds: SQS takes 12 hours since it was received, and by now a batching window
 * of 5 minutes and a run of 15 may have passed.
 */
const maxHideSeconds = 42_000;

const hideSeconds = finite('seconds', 0, maxHideSeconds);
const backoffChecks = {
  baseSeconds: finite('seconds', 0),
  maxSeconds: hideSeconds,
  jitter: finite('parts', 0, 1),
};

const optionChecks: Readonly<Record<keyof FailurePolicyOptions, OptionCheck>> = {
  sqs: awsClient('SQSClient'),
  deadLetterQueue: either(text('the URL of a queue', /^https?:\/\//), func),
  backoff: {
    expected: `an object such as { baseSeconds: 2 }, a list of seconds up to ${maxHideSeconds} such as [5, 30, 300], or false`,
    test: (value) =>
      Array.isArray(value)
        ? value.length > 0 && value.every(hideSeconds.test)
        : value === false || (typeof value === 'object' && value !== null),
  },
  isFinal: func,
  maxReceiveCount: whole(1),
};

type Delays = Required<Backoff> | readonly number[];

function readBackoff(given: Backoff | readonly number[] = {}): Delays {
  if (isList(given)) return [...given];
  const {
    baseSeconds = 2,
    maxSeconds = 900,
    jitter = 0.5,
  } = checkOptions(name, given, backoffChecks, 'backoff.');
  return { baseSeconds, maxSeconds, jitter };
}

function delaySeconds({ attributes }: SqsRecord, backoff: Delays): number {
  const failures = Number(attributes?.ApproximateReceiveCount) || 1;
  if (isList(backoff)) return backoff[Math.min(failures, backoff.length) - 1] as number;
  const { baseSeconds, maxSeconds, jitter } = backoff;
  const longest = Math.min(maxSeconds, baseSeconds * 2 ** (failures - 1));
  return Math.round(longest * (1 - jitter * Math.random()));
}

function isList(value: object): value is readonly number[] {
  return Array.isArray(value);
}
