import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  SetSubscriptionAttributesCommand,
  type SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { missingPeer } from '../middlewares/aws/missingPeer.ts';
import type { WorkerSettings } from './workerOptions.ts';

/** A queue of SQS. */
export interface QueueAddress {
  /** The URL of the queue. */
  readonly url: string;
  /** The ARN of the queue. */
  readonly arn: string;
}

/** The topic and the queues of one task. */
export interface TaskQueue extends QueueAddress {
  readonly task: string;
  readonly topicArn: string;
  readonly deadLetter: QueueAddress;
}

const deadLetterRetentionSeconds = 14 * 24 * 60 * 60;

/**
 * Creates the topic, queue, dead-letter queue and subscription of a task. Existing ones are kept, with their messages, and
 * get these settings.
 *
 * A task `load` has the topic and the queue `load` and the dead-letter queue `load-dlq`; as FIFO, they are
 * `load.fifo` and `load-dlq.fifo`.
 */
export async function createTaskQueue(task: string, settings: WorkerSettings): Promise<TaskQueue> {
  const { sns, sqs } = settings.aws;
  const suffix = settings.fifo ? '.fifo' : '';
  const [topicArn, queue, deadLetter] = await Promise.all([
    createTopic(sns, `${task}${suffix}`, settings.fifo),
    createQueue(sqs, `${task}${suffix}`, settings.fifo),
    createQueue(sqs, `${task}-dlq${suffix}`, settings.fifo),
  ]);
  await setAttributes(sqs, deadLetter, { MessageRetentionPeriod: String(deadLetterRetentionSeconds) });
  await setAttributes(sqs, queue, {
    VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: deadLetter.arn,
      maxReceiveCount: settings.maxReceiveCount,
    }),
    Policy: JSON.stringify(allowTopic(topicArn, queue.arn)),
  });
  await subscribe(sns, topicArn, queue.arn, settings.rawMessageDelivery);
  return { task, topicArn, ...queue, deadLetter };
}

async function createTopic(sns: SNSClient, name: string, fifo: boolean): Promise<string> {
  // No content-based deduplication: the same task sent twice is two tasks, unless both have the same id.
  const attributes = fifo ? { FifoTopic: 'true' } : undefined;
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name, Attributes: attributes }));
  return TopicArn ?? '';
}

async function createQueue(sqs: SQSClient, name: string, fifo: boolean): Promise<QueueAddress> {
  const { CreateQueueCommand, GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs').catch(
    missingPeer('@aws-sdk/client-sqs', 'algernon-middy/local'),
  );
  // Only the attribute that never changes: SQS refuses to create a queue that exists with different attributes.
  const attributes = fifo ? { FifoQueue: 'true' } : undefined;
  const { QueueUrl: url = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { url, arn: Attributes?.QueueArn ?? '' };
}

async function setAttributes(
  sqs: SQSClient,
  queue: QueueAddress,
  attributes: Record<string, string>,
): Promise<void> {
  const { SetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: attributes }));
}

function allowTopic(topicArn: string, queueArn: string): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
      },
    ],
  };
}

async function subscribe(sns: SNSClient, topicArn: string, queueArn: string, raw: boolean): Promise<void> {
  const existing = await findSubscription(sns, topicArn, queueArn);
  if (existing === undefined) {
    await sns.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: 'sqs',
        Endpoint: queueArn,
        Attributes: { RawMessageDelivery: String(raw) },
      }),
    );
    return;
  }
  // SNS refuses to subscribe again with a different attribute.
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: existing,
      AttributeName: 'RawMessageDelivery',
      AttributeValue: String(raw),
    }),
  );
}

async function findSubscription(
  sns: SNSClient,
  topicArn: string,
  queueArn: string,
): Promise<string | undefined> {
  let nextToken: string | undefined;
  do {
    const page = await sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: topicArn, NextToken: nextToken }),
    );
    const found = page.Subscriptions?.find(
      ({ Protocol, Endpoint }) => Protocol === 'sqs' && Endpoint === queueArn,
    );
    if (found !== undefined) return found.SubscriptionArn;
    nextToken = page.NextToken;
  } while (nextToken !== undefined && nextToken !== '');
  return undefined;
}
