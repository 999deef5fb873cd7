import { AlgernonError } from '../../core/errors.ts';
import { bindQueue } from '../queueCalls.ts';
import type { OpenQueue } from '../queueMessages.ts';
import type { Target } from './openTarget.ts';

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
export async function findQueue(target: Target, task: string): Promise<OpenQueue> {
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
export async function findDeadLetters(target: Target, queue: OpenQueue): Promise<OpenQueue> {
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

async function openQueue({ sqs }: Target, url: string): Promise<OpenQueue> {
  const { GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(command);
  return { url, arn: Attributes?.QueueArn ?? '', calls: await bindQueue(sqs, url) };
}
