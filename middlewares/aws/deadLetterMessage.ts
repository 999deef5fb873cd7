import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { SqsMessageAttribute, SqsRecord } from '../../core/batch/events.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { QueueMessage } from './sqsQueues.ts';

/** What SQS takes. */
const maxAttributes = 10;
const maxReasonLength = 1000;

/**
 * The message that a dead-letter queue gets: body and attributes as they came, and the reason in attributes of its own,
 * as many as there is room for beside those that came.
 */
export function deadLetterMessage(record: SqsRecord, error: unknown): QueueMessage {
  const { body, messageId, eventSourceARN, messageAttributes = {}, attributes } = record;
  const came = Object.entries(messageAttributes).map(([name, one]) => [name, asSent(one)] as const);
  const reason = Object.entries({
    failure_reason: reasonOf(error),
    failure_code: error instanceof AlgernonError ? error.code : nameOf(error),
    failed_message_id: messageId,
    failed_queue: eventSourceARN,
  }).map(([name, text]) => [name, { DataType: 'String', StringValue: sendable(text) }] as const);
  const ours = reason.filter(([name]) => !Object.hasOwn(messageAttributes, name));
  return {
    body: asText(body),
    attributes: Object.fromEntries([...came, ...ours].slice(0, Math.max(maxAttributes, came.length))),
    groupId: attributes?.MessageGroupId ?? messageId,
    deduplicationId: messageId,
    traceHeader: attributes?.AWSTraceHeader,
  };
}

/** event-normalizer parses the body, and the message in an envelope of SNS too. */
function asText(body: unknown): string {
  if (typeof body === 'string') return body;
  const { Type, Message } = Object(body) as { Type?: unknown; Message?: unknown };
  const isParsed = Type === 'Notification' && typeof Message === 'object';
  return JSON.stringify(isParsed ? { ...(body as object), Message: JSON.stringify(Message) } : body);
}

function asSent({ dataType, stringValue, binaryValue }: SqsMessageAttribute): MessageAttributeValue {
  return {
    DataType: dataType,
    ...(stringValue !== undefined && { StringValue: stringValue }),
    ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${nameOf(error)}: ${message}`.slice(0, maxReasonLength);
}

/** SQS takes the characters that XML takes, and no empty text. */
function sendable(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD') || '-';
}
