import type { Message } from '@aws-sdk/client-sqs';
import type { SqsRecord } from '../../core/batch/events.ts';
import { unwrap } from '../../core/batch/unwrapTask.ts';
import { AlgernonError } from '../../core/errors.ts';
import { chainIdOf } from '../../core/tasks/chainId.ts';
import { isTask } from '../../core/tasks/task.ts';
import { toLambdaRecord } from '../lambdaRecord.ts';
import { bindQueue, type QueueCalls } from '../queueCalls.ts';
import type { Target } from './openTarget.ts';

/** A queue, and the calls to it. */
export interface FoundQueue {
  readonly url: string;
  readonly arn: string;
  readonly calls: QueueCalls;
}

/** How many names an error lists. */
const maxNames = 30;

function list(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, maxNames).join(', ');
  return names.length > maxNames ? `${shown} and ${names.length - maxNames} more` : shown;
}

/**
 * Finds the topic of a task by its name.
 *
 * @throws AlgernonError `TOPIC_NOT_FOUND` with the topics that exist
 */
export async function findTopic({ sns, name }: Target, task: string): Promise<string> {
  const { ListTopicsCommand } = await import('@aws-sdk/client-sns');
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await sns.send(new ListTopicsCommand({ NextToken }));
    for (const { TopicArn = '' } of page.Topics ?? []) {
      const topic = TopicArn.split(':').at(-1) ?? '';
      if (topic === task || topic === `${task}.fifo`) return TopicArn;
      names.push(topic);
    }
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  throw new AlgernonError(
    'TOPIC_NOT_FOUND',
    `There is no topic ${task} at ${name}. The topics are: ${list(names.sort())}.`,
  );
}

/**
 * Finds the queue of a task by its name.
 *
 * @throws AlgernonError `QUEUE_NOT_FOUND` with the queues that exist
 */
export async function findQueue(target: Target, task: string): Promise<FoundQueue> {
  const url = (await queueUrl(target, task)) ?? (await queueUrl(target, `${task}.fifo`));
  if (url !== undefined) return openQueue(target, url);
  const { ListQueuesCommand } = await import('@aws-sdk/client-sqs');
  const { QueueUrls = [] } = await target.sqs.send(new ListQueuesCommand({ MaxResults: 1000 }));
  const names = QueueUrls.map((each) => each.split('/').at(-1) ?? '').sort();
  throw new AlgernonError(
    'QUEUE_NOT_FOUND',
    `There is no queue ${task} at ${target.name}. The queues are: ${list(names)}.`,
  );
}

/**
 * Finds the dead-letter queue of a task: that of the queue's RedrivePolicy.
 *
 * @throws AlgernonError `QUEUE_NOT_FOUND`
 */
export async function findDeadLetters(target: Target, queue: FoundQueue): Promise<FoundQueue> {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const { Attributes } = await target.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['RedrivePolicy'] }),
  );
  const { deadLetterTargetArn = '' } = JSON.parse(Attributes?.RedrivePolicy || '{}') as Record<
    string,
    string
  >;
  const [, , , , account, name = ''] = deadLetterTargetArn.split(':');
  const url = name === '' ? undefined : await queueUrl(target, name, account);
  if (url !== undefined) return openQueue(target, url);
  throw new AlgernonError(
    'QUEUE_NOT_FOUND',
    name === ''
      ? `The queue ${queue.url} has no RedrivePolicy, and so no dead-letter queue.`
      : `The dead-letter queue ${deadLetterTargetArn} does not exist.`,
  );
}

async function queueUrl({ sqs }: Target, name: string, account?: string): Promise<string | undefined> {
  const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
  const owner = account === undefined ? {} : { QueueOwnerAWSAccountId: account };
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName: name, ...owner }))).QueueUrl;
  } catch (error) {
    const { name: code } = error as Error;
    if (code === 'QueueDoesNotExist' || code === 'InvalidParameterValue') return undefined;
    throw error;
  }
}

async function openQueue({ sqs }: Target, url: string): Promise<FoundQueue> {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(command);
  return { url, arn: Attributes?.QueueArn ?? '', calls: await bindQueue(sqs, url) };
}

/** A message, and what is known of its task. */
export interface FoundMessage {
  readonly record: SqsRecord;
  readonly handle: string;
  readonly taskName: string | undefined;
  /** The parsed content; undefined when it is not JSON. */
  readonly content: unknown;
  readonly chainId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReadOptions {
  /** The most messages to read. */
  readonly limit: number;
  /** How long the messages are hidden from others meanwhile, in seconds. */
  readonly hiddenSeconds: number;
  /** The ids to look for. Reading stops when all are found. */
  readonly ids?: readonly string[];
}

/**
 * Receives the messages of a queue. They are hidden from others until `release`, or for `hiddenSeconds`.
 *
 * @returns the messages, and a function that shows those of them again that are still in the queue
 */
export async function readMessages(
  { calls, arn }: FoundQueue,
  { limit, hiddenSeconds, ids }: ReadOptions,
): Promise<{ messages: FoundMessage[]; release(): Promise<void> }> {
  const found = new Map<string, Message>();
  // SQS ignores those that were deleted.
  const release = () => {
    const handles = [...found.values()].map(({ ReceiptHandle = '' }) => ReceiptHandle);
    return calls.hide(handles, 0);
  };
  const missing = new Set(ids);
  try {
    while (found.size < limit && (ids === undefined || missing.size > 0)) {
      const received = await calls.receive(limit - found.size, await waitSeconds(calls), {
        visibilityTimeout: hiddenSeconds,
      });
      if (received.length === 0) break;
      for (const message of received) {
        found.set(message.MessageId ?? '', message);
        missing.delete(message.MessageId ?? '');
      }
    }
  } catch (error) {
    await release().catch(() => {});
    throw error;
  }
  const messages = [...found.values()].map((message) => openMessage(toLambdaRecord(message, arn)));
  return { messages, release };
}

/** A poll that does not wait asks only some servers of SQS, and may find nothing. */
async function waitSeconds(calls: QueueCalls): Promise<number> {
  const { waiting } = await calls.count();
  return waiting > 0 ? 1 : 0;
}

/** Parses a message as far as it can be. */
export function openMessage(record: SqsRecord): FoundMessage {
  const own = Object.entries(record.messageAttributes).map(([name, { stringValue = '' }]) => [
    name,
    stringValue,
  ]);
  const handle = record.receiptHandle;
  try {
    const { content, attributes, notification } = unwrap(record);
    return {
      record,
      handle,
      content,
      taskName: isTask(content) ? content.task_name : undefined,
      chainId: chainIdOf(attributes, notification?.messageId ?? record.messageId),
      attributes: { ...attributes, ...Object.fromEntries(own) },
    };
  } catch {
    const attributes = Object.fromEntries(own);
    return { record, handle, content: undefined, taskName: undefined, chainId: record.messageId, attributes };
  }
}
