import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { ajson } from '../core/ajson/index.ts';
import { markRaw } from '../core/ajson/markRaw.ts';
import { raw } from '../core/ajson/raw.ts';
import type { SqsMessageAttribute } from '../core/batch/events.ts';
import { checkTask, isEnvelope } from '../core/batch/unwrapTask.ts';
import { AlgernonError } from '../core/errors.ts';
import type { FoundMessage, OpenQueue } from './queueMessages.ts';

/** The attributes that failurePolicy adds. */
const reasons = new Set(['failure_reason', 'failure_code', 'failed_message_id', 'failed_queue']);

/** Sends a dead letter to a queue, with its attributes, less the reason of the failure. */
export async function sendAgain(
  sqs: SQSClient,
  url: string,
  { record }: FoundMessage,
  body: string = record.body,
): Promise<void> {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
  const { MessageGroupId, AWSTraceHeader } = record.attributes;
  const kept = Object.entries(record.messageAttributes).filter(([name]) => !reasons.has(name));
  const isFifo = url.endsWith('.fifo');
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: body,
      MessageAttributes: Object.fromEntries(kept.map(([name, attribute]) => [name, asSent(attribute)])),
      ...(MessageGroupId !== undefined && { MessageGroupId }),
      // With the id of the first message, SQS would drop this one within five minutes.
      ...(isFifo && { MessageDeduplicationId: randomUUID() }),
      ...(AWSTraceHeader && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
      }),
    }),
  );
}

function asSent({ dataType, stringValue, binaryValue }: SqsMessageAttribute) {
  return {
    DataType: dataType,
    ...(stringValue !== undefined && { StringValue: stringValue }),
    ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
  };
}

/**
 * Deletes a message that was sent again.
 *
 * @throws AlgernonError `NOT_DELETED`
 */
export async function removeSent({ calls }: OpenQueue, { handle, record }: FoundMessage): Promise<void> {
  const refused = await calls.remove([handle]).catch((error: Error) => [error.message]);
  if (refused.length === 0) return;
  throw new AlgernonError(
    'NOT_DELETED',
    `The message ${record.messageId} was sent again, but SQS did not delete it from the dead-letter queue: it is in both queues.`,
  );
}

/**
 * The body of a message with another task in the same envelope, so that the chain goes on.
 *
 * @throws AjsonError when the text is not JSON
 * @throws NotATaskError when it is not a task
 */
export function replaceTask({ record }: FoundMessage, text: string): string {
  const task = ajson.dumps(markRaw(checkTask(raw(text)) as object));
  const envelope = parseEnvelope(record.body);
  return envelope ? JSON.stringify({ ...envelope, Message: task }) : task;
}

function parseEnvelope(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isEnvelope(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
