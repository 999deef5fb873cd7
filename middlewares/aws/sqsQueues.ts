import type { MessageAttributeValue, SQSClient } from '@aws-sdk/client-sqs';
import { missingPeer } from './missingPeer.ts';
import { remember } from './remember.ts';

/** A message for a queue. */
export interface QueueMessage {
  body: string;
  attributes: Record<string, MessageAttributeValue>;
  /** For a FIFO queue. */
  groupId: string;
  /** For a FIFO queue. */
  deduplicationId: string;
  traceHeader?: string | undefined;
}

/** What is done with queues beside what Lambda does. Queues are known by ARN, since that is what a record tells. */
export interface SqsQueues {
  /** Hides messages from now on for so many seconds. */
  hide(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
  /** The URL of a queue's dead-letter queue; undefined when it has none. */
  deadLetterUrl(queueArn: string): Promise<string | undefined>;
  redrivePolicy(queueArn: string): Promise<{ deadLetterUrl: string; maxReceiveCount: number } | undefined>;
  send(url: string, message: QueueMessage): Promise<void>;
}

let shared: Promise<SQSClient> | undefined;

/** Makes the calls, with a client that is made at the first need and shared where none is given. */
export function sqsQueues(given: SQSClient | undefined, neededBy: string): SqsQueues {
  const load = () => import('@aws-sdk/client-sqs').catch(missingPeer('@aws-sdk/client-sqs', neededBy));
  const client = async () => {
    // A queue's URL may name a host that is not where the endpoint in the environment is.
    if (!given) shared ??= load().then(({ SQSClient }) => new SQSClient({ useQueueUrlAsEndpoint: false }));
    return given ?? (shared as Promise<SQSClient>);
  };
  const urlOf = remember(async (arn) => {
    const [, , , , account, name] = arn.split(':');
    const { GetQueueUrlCommand } = await load();
    const command = new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    return (await (await client()).send(command)).QueueUrl;
  }, Number.POSITIVE_INFINITY);

  return {
    async hide(queueArn, receiptHandles, seconds) {
      const { ChangeMessageVisibilityBatchCommand } = await load();
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: seconds,
      }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: await urlOf(queueArn), Entries });
      const { Failed = [] } = await (await client()).send(command);
      if (Failed[0]) throw new Error(`${Failed[0].Code}: ${Failed[0].Message}`);
    },

    deadLetterUrl: remember(async (queueArn) => {
      const { GetQueueAttributesCommand } = await load();
      const command = new GetQueueAttributesCommand({
        QueueUrl: await urlOf(queueArn),
        AttributeNames: ['RedrivePolicy'],
      });
      const { Attributes } = await (await client()).send(command);
      const { deadLetterTargetArn } = JSON.parse(Attributes?.RedrivePolicy ?? '{}');
      return typeof deadLetterTargetArn === 'string' ? urlOf(deadLetterTargetArn) : undefined;
    }, Number.POSITIVE_INFINITY),

    redrivePolicy: remember(async (queueArn) => {
      const { GetQueueAttributesCommand } = await load();
      const command = new GetQueueAttributesCommand({
        QueueUrl: await urlOf(queueArn),
        AttributeNames: ['RedrivePolicy'],
      });
      const { Attributes } = await (await client()).send(command);
      const { maxReceiveCount } = JSON.parse(Attributes?.RedrivePolicy ?? '{}');
      return maxReceiveCount ? { deadLetterUrl: '', maxReceiveCount: Number(maxReceiveCount) } : undefined;
    }, Number.POSITIVE_INFINITY),

    async send(url, { body, attributes, groupId, deduplicationId, traceHeader }) {
      const { SendMessageCommand } = await load();
      const command = new SendMessageCommand({
        QueueUrl: url,
        MessageBody: body,
        MessageAttributes: attributes,
        ...(url.endsWith('.fifo') && { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId }),
        ...(traceHeader && {
          MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } },
        }),
      });
      await (await client()).send(command);
    },
  };
}
