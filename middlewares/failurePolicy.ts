import type { SQSClient } from '@aws-sdk/client-sqs';
import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import { isFinal } from '../core/isFinal.ts';
import { isSnsRecord, messageIdOf, type SqsEvent, type SqsRecord } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { assertPipelineRan, declareStage, stageRanks } from '../core/tasks/pipeline.ts';
import { DeadLetterError, deadLetterMessage } from './aws/deadLetterMessage.ts';
import { sqsQueues } from './aws/sqsQueues.ts';

/** How long a message that failed stays away. */
export interface Backoff {
  /** After the first failure, in seconds; each further one doubles it. Default 2. */
  baseSeconds?: number;
  /** The longest, in seconds; at most 42,000. Default 900. */
  maxSeconds?: number;
  /** How much of it is left to chance, from 0 to 1, so that what failed together does not come back together. Default 0.5. */
  jitter?: number;
}

export interface FailurePolicyOptions {
  /** An `SQSClient`. Default: one made at the first need, shared by all that give none. */
  sqs?: Pick<SQSClient, 'send'>;
  /**
   * The URL of the dead-letter queue, or a function that finds it. Default: the one in the `RedrivePolicy` of the queue
   * that the message came from.
   */
  deadLetterQueue?:
    | string
    | ((record: SqsRecord, error: unknown) => string | undefined | Promise<string | undefined>);
  /** How long a message that may succeed later stays away. False: as long as the queue's visibility timeout says. */
  backoff?: Backoff | false;
  /** Whether an error is final; undefined leaves it to the default, which is {@link isFinal}. */
  isFinal?: (error: unknown, record: SqsRecord) => boolean | undefined;
}

const name = 'failurePolicy';

/**
 * Decides what becomes of a message whose task failed, instead of leaving all to the queue's settings.
 *
 * A final failure (a message that is not JSON, a `NonRetryableError`) goes to the dead-letter queue at once, as it came,
 * with the reason in message attributes. Once it is there its record counts as done; when it cannot be put there, the
 * record fails with a `DeadLetterError` and comes back. Any other failure comes back after a time that doubles with
 * each delivery, partly left to chance.
 *
 * In a FIFO group, what comes after a failed message comes back together with it, and what comes after a dead letter
 * goes on, as SQS itself has it. Direct invocations and SNS without a queue are left alone.
 *
 * The function's role needs `sqs:GetQueueUrl` and `sqs:ChangeMessageVisibility`; for dead letters `sqs:SendMessage`, and
 * `sqs:GetQueueAttributes` where no `deadLetterQueue` is given.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(failurePolicy({ backoff: { baseSeconds: 5, maxSeconds: 300 } }));
 */
export function failurePolicy(options: FailurePolicyOptions = {}): MiddlewareObj {
  const { sqs, deadLetterQueue, isFinal: decide } = options;
  const backoff = options.backoff === false ? undefined : readBackoff(options.backoff);
  assertOption(
    deadLetterQueue === undefined ||
      typeof deadLetterQueue === 'function' ||
      /^https?:\/\//.test(deadLetterQueue),
    name,
    'deadLetterQueue',
    'the URL of a queue, or a function',
  );
  const queues = sqsQueues(sqs as SQSClient | undefined);

  const deadLetter = async (record: SqsRecord, error: unknown) => {
    try {
      const given =
        typeof deadLetterQueue === 'function' ? await deadLetterQueue(record, error) : deadLetterQueue;
      const url = given ?? (await queues.deadLetterUrl(record.eventSourceARN));
      if (!url)
        throw new Error('the queue has no RedrivePolicy, and the option deadLetterQueue is not given');
      await queues.send(url, deadLetterMessage(record, error));
    } catch (cause) {
      throw new DeadLetterError(error, cause);
    }
  };

  const giveBack = async (records: readonly SqsRecord[]) => {
    const [record] = records;
    if (!backoff || !record) return;
    const handles = records.map(({ receiptHandle }) => receiptHandle);
    try {
      await queues.hide(record.eventSourceARN, handles, delaySeconds(record, backoff));
    } catch (error) {
      // It still comes back, when the queue says so; and what failed the task is the error to throw.
      console.warn(`${name}: the visibility of ${record.messageId} could not be changed:`, error);
    }
  };

  return {
    before(request) {
      keepResponse(request);
      const started = new Set<string>();
      declareStage(request, {
        name,
        rank: stageRanks.fail,
        async around({ record, signal }, next) {
          started.add(messageIdOf(record));
          try {
            await next();
          } catch (error) {
            // Near the end of the invocation the message is on its way back already.
            if (isSnsRecord(record) || signal.aborted) throw error;
            const { Records } = request.event as SqsEvent;
            const waiting = restOfGroup(record, Records).filter(({ messageId }) => !started.has(messageId));
            try {
              if (!(decide?.(error, record) ?? isFinal(error))) throw error;
              await deadLetter(record, error);
            } catch (failure) {
              await giveBack([record, ...waiting]);
              throw failure;
            }
          }
        },
      });
    },
    after: (request) => assertPipelineRan(request, name),
    onError: keepResponse,
  };
}

/** What has to wait for a message of a FIFO queue. SQS gives out nothing of a group while any of it is out. */
function restOfGroup(record: SqsRecord, records: readonly SqsRecord[]): SqsRecord[] {
  if (!record.eventSourceARN.endsWith('.fifo')) return [];
  const group = record.attributes.MessageGroupId;
  const after = records.slice(records.findIndex(({ messageId }) => messageId === record.messageId) + 1);
  return after.filter(({ attributes }) => attributes.MessageGroupId === group);
}

function readBackoff({ baseSeconds = 2, maxSeconds = 900, jitter = 0.5 }: Backoff = {}): Required<Backoff> {
  assertOption(baseSeconds >= 0, name, 'backoff.baseSeconds', 'a number of seconds from 0');
  // SQS takes 12 hours since a message was received, and a task may have run for 15 minutes.
  assertOption(
    maxSeconds >= 0 && maxSeconds <= 42_000,
    name,
    'backoff.maxSeconds',
    'from 0 to 42,000 seconds',
  );
  assertOption(jitter >= 0 && jitter <= 1, name, 'backoff.jitter', 'a part, from 0 to 1');
  return { baseSeconds, maxSeconds, jitter };
}

function delaySeconds(
  { attributes }: SqsRecord,
  { baseSeconds, maxSeconds, jitter }: Required<Backoff>,
): number {
  const failures = Number(attributes?.ApproximateReceiveCount) || 1;
  const longest = Math.min(maxSeconds, baseSeconds * 2 ** (failures - 1));
  return Math.round(longest * (1 - jitter * Math.random()));
}
