import {
  PublishBatchCommand,
  type PublishBatchRequestEntry,
  type PublishBatchResultEntry,
  SNSClient,
} from '@aws-sdk/client-sns';
import { MessageTooLargeError, PublishError } from '../../core/errors.ts';
import type { TaskMessage, TaskPublisher } from '../../core/tasks/taskPublisher.ts';

let shared: SNSClient | undefined;

export interface SnsPublisherOptions {
  /** Default: one made at the first need, shared by all that give none. */
  sns?: SNSClient | undefined;
  /** What a topic takes in one message, and in one batch, in bytes. Default 262,144. */
  maxMessageBytes?: number | undefined;
}

/** What SNS takes in one batch, besides its bytes. */
const maxEntries = 10;

/** Sends messages to SNS topics, up to ten a call. */
export function snsPublisher({ sns, maxMessageBytes = 262_144 }: SnsPublisherOptions = {}): TaskPublisher {
  const client = () => {
    if (!sns) shared ??= new SNSClient();
    return sns ?? (shared as SNSClient);
  };

  const send = async (batch: Batch, outcomes: (Error | undefined)[], signal?: AbortSignal) => {
    const fail = (index: number, cause: unknown, final: boolean) => {
      outcomes[index] = new PublishError(batch.topicArn, cause, !final);
    };
    try {
      const command = new PublishBatchCommand({
        TopicArn: batch.topicArn,
        PublishBatchRequestEntries: batch.entries,
      });
      const { Successful = [], Failed = [] } = await client().send(
        command,
        signal && { abortSignal: signal },
      );
      for (const { Id, Code, Message, SenderFault } of Failed) {
        fail(Number(Id), new Error(`${Code}: ${Message}`), SenderFault ?? false);
      }
      const answered = new Set([...Successful, ...Failed].map(({ Id }: PublishBatchResultEntry) => Id));
      for (const { Id } of batch.entries) {
        if (!answered.has(Id)) fail(Number(Id), new Error('SNS did not say whether it was sent'), false);
      }
    } catch (error) {
      for (const { Id } of batch.entries) fail(Number(Id), error, isFinal(error));
    }
  };

  return {
    async publish(messages, signal) {
      const outcomes: (Error | undefined)[] = messages.map(() => undefined);
      const batches: Batch[] = [];
      messages.forEach((message, index) => {
        const bytes = bytesOf(message);
        if (bytes > maxMessageBytes) outcomes[index] = new MessageTooLargeError(bytes, maxMessageBytes);
        else addTo(batches, message, String(index), bytes, maxMessageBytes);
      });
      await Promise.all(batches.map((batch) => send(batch, outcomes, signal)));
      return outcomes;
    },
  };
}

interface Batch {
  topicArn: string;
  entries: PublishBatchRequestEntry[];
  bytes: number;
}

/** Only the last batch of a topic is added to, so that messages leave in the order they came. */
function addTo(batches: Batch[], message: TaskMessage, id: string, bytes: number, maxBytes: number): void {
  const { topicArn } = message;
  let batch = batches.findLast((one) => one.topicArn === topicArn);
  if (!batch || batch.entries.length === maxEntries || batch.bytes + bytes > maxBytes) {
    batch = { topicArn, entries: [], bytes: 0 };
    batches.push(batch);
  }
  batch.bytes += bytes;
  batch.entries.push({
    Id: id,
    Message: message.message,
    ...(message.subject && { Subject: message.subject }),
    MessageAttributes: Object.fromEntries(
      attributesOf(message).map(([name, text]) => [name, { DataType: attributeType, StringValue: text }]),
    ),
    ...(topicArn.endsWith('.fifo') && {
      MessageGroupId: message.groupId,
      MessageDeduplicationId: message.deduplicationId,
    }),
  });
}

const attributeType = 'String';

/** SNS refuses an attribute without a text. */
function attributesOf({ attributes = {} }: TaskMessage): [string, string][] {
  return Object.entries(attributes).filter(([, text]) => text !== '');
}

/** What counts towards SNS's limit: the body, and of each attribute its name, its type and its text. */
function bytesOf(message: TaskMessage): number {
  const texts = attributesOf(message).map(([name, text]) => name + attributeType + text);
  return [message.message, message.subject ?? '', ...texts].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
}

/** Whether trying again would end the same: the topic is not there, or the worker may not use it. */
function isFinal(error: unknown): boolean {
  const { $fault, $retryable, $metadata } = Object(error) as {
    $fault?: string;
    $retryable?: object;
    $metadata?: { httpStatusCode?: number };
  };
  const throttled = $retryable !== undefined || $metadata?.httpStatusCode === 429;
  return $fault === 'client' && !throttled;
}
