import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { missingPeer } from '../middlewares/aws/missingPeer.ts';

/** The SQS calls of an event source mapping for one queue. */
export interface QueueCalls {
  /** Receives up to `most` messages, at most ten. Waits up to `waitSeconds` for the first one. */
  receive(most: number, waitSeconds: number, options?: ReceiveOptions): Promise<Message[]>;
  /** Acknowledges messages by receipt handle. Returns the handles that SQS refused. */
  remove(handles: readonly string[]): Promise<string[]>;
  /** Hides messages for a number of seconds from now; 0 makes them visible. */
  hide(handles: readonly string[], seconds: number): Promise<void>;
  /** How many messages wait, are hidden, or are delayed. */
  count(): Promise<QueueCount>;
}

export interface QueueCount {
  waiting: number;
  hidden: number;
  delayed: number;
}

interface ReceiveOptions {
  visibilityTimeout?: number;
  signal?: AbortSignal;
}

/** The limit of SQS for messages in one call. */
export const maxPerCall = 10;

/** Binds the calls to a client and a queue. */
export async function bindQueue(sqs: SQSClient, url: string): Promise<QueueCalls> {
  const sdk = await import('@aws-sdk/client-sqs').catch(
    missingPeer('@aws-sdk/client-sqs', 'algernon-middy/local'),
  );
  const QueueUrl = url;

  return {
    async receive(most, waitSeconds, { visibilityTimeout, signal } = {}) {
      const command = new sdk.ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: Math.min(most, maxPerCall),
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: visibilityTimeout,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      });
      const { Messages = [] } = await sqs.send(command, signal === undefined ? {} : { abortSignal: signal });
      return Messages;
    },

    async remove(handles) {
      const refused: string[] = [];
      for (const part of cut(handles)) {
        const Entries = part.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
        const { Failed = [] } = await sqs.send(new sdk.DeleteMessageBatchCommand({ QueueUrl, Entries }));
        refused.push(...Failed.map(({ Id }) => part[Number(Id)] ?? ''));
      }
      return refused;
    },

    async hide(handles, seconds) {
      for (const part of cut(handles)) {
        const Entries = part.map((ReceiptHandle, index) => ({
          Id: String(index),
          ReceiptHandle,
          VisibilityTimeout: seconds,
        }));
        await sqs.send(new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      }
    },

    async count() {
      const { Attributes = {} } = await sqs.send(
        new sdk.GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        }),
      );
      return {
        waiting: Number(Attributes.ApproximateNumberOfMessages),
        hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
        delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
      };
    },
  };
}

function cut(handles: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < handles.length; start += maxPerCall) {
    parts.push(handles.slice(start, start + maxPerCall));
  }
  return parts;
}
