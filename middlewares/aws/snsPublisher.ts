import { PublishBatchCommand, type PublishBatchRequestEntry, type SNSClient } from '@aws-sdk/client-sns';
import { MessageTooLargeError, PublishError } from '../../core/errors.ts';
import type { TaskMessage, TaskPublisher } from '../../core/tasks/taskPublisher.ts';
import { captureClient } from '../tracing/carrying.ts';
import { isFinalFault } from './isFinalFault.ts';
import { snsClient } from './snsClient.ts';

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
  const client = () => captureClient(snsClient(sns));

  const send = async (batch: Batch, outcomes: (Error | undefined)[], signal?: AbortSignal): Promise<void> => {
    const { topicArn, entries } = batch;
    const fail = (id: string | undefined, cause: unknown, final: boolean) => {
      outcomes[Number(id)] = new PublishError(topicArn, cause, !final);
    };
    try {
      const command = new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries: entries });
      const sent = await client().send(command, signal && { abortSignal: signal });
      const unanswered = new Set(entries.map(({ Id }) => Id));
      for (const { Id } of sent.Successful ?? []) unanswered.delete(Id);
      for (const { Id, Code = '', Message, SenderFault } of sent.Failed ?? []) {
        unanswered.delete(Id);
        const asked = { name: Code, $metadata: { httpStatusCode: SenderFault ? 400 : 500 } };
        fail(Id, new Error(`${Code}: ${Message}`), isFinalFault(asked));
      }
      for (const id of unanswered) fail(id, new Error('SNS did not say whether it was sent'), false);
    } catch (error) {
      const final = isFinalFault(error);
      if (!final || entries.length === 1) for (const { Id } of entries) fail(Id, error, final);
      // What SNS has against one message must not take the others with it.
      else for (const entry of entries) await send({ ...batch, entries: [entry] }, outcomes, signal);
    }
  };

  return {
    async publish(messages, signal) {
      const outcomes: (Error | undefined)[] = messages.map(() => undefined);
      const batches: Batch[] = [];
      // Only the last batch of a topic is added to, so that messages leave in the order they came.
      const last = new Map<string, Batch>();
      messages.forEach((message, index) => {
        const { topicArn } = message;
        const bytes = bytesOf(message);
        if (bytes > maxMessageBytes) {
          outcomes[index] = new MessageTooLargeError(bytes, maxMessageBytes);
          return;
        }
        let batch = last.get(topicArn);
        if (!batch || batch.entries.length === maxEntries || batch.bytes + bytes > maxMessageBytes) {
          batch = { topicArn, entries: [], bytes: 0 };
          batches.push(batch);
          last.set(topicArn, batch);
        }
        batch.bytes += bytes;
        batch.entries.push(entryOf(message, String(index)));
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

function entryOf(message: TaskMessage, id: string): PublishBatchRequestEntry {
  return {
    Id: id,
    Message: message.message,
    ...(message.subject && { Subject: message.subject }),
    MessageAttributes: Object.fromEntries(
      attributesOf(message).map(([name, DataType, StringValue]) => [name, { DataType, StringValue }]),
    ),
    ...(message.topicArn.endsWith('.fifo') && {
      MessageGroupId: message.groupId,
      MessageDeduplicationId: message.deduplicationId,
    }),
  };
}

/** SNS refuses an attribute without a text. */
function attributesOf({ attributes = {} }: TaskMessage): [name: string, type: string, text: string][] {
  return Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, typeof value === 'number' ? 'Number' : 'String', String(value)]);
}

/** What counts towards SNS's limit: the body, and of each attribute its name, its type and its text. */
function bytesOf(message: TaskMessage): number {
  const texts = attributesOf(message).map((parts) => parts.join(''));
  return [message.message, message.subject ?? '', ...texts].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
}
