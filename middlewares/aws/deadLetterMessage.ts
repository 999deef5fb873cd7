import type { SqsMessageAttribute, SqsRecord } from '../../core/batch/events.ts';
import { AlgernonError } from '../../core/errors.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import { isTracing, maxAttributes } from './snsMessage.ts';
import type { QueueAttribute, QueueMessage } from './sqsQueues.ts';

/** A task failed for good, and its message could not be put in the dead-letter queue: it returns to its queue. */
export class DeadLetterError extends AlgernonError {
  override readonly name = 'DeadLetterError';
  /** The error of the task. */
  readonly failure: unknown;

  constructor(failure: unknown, cause: unknown) {
    super(
      'DEAD_LETTER',
      `The task failed for good (${textOf(failure)}), and its message could not be sent to the dead-letter queue: ${textOf(cause)}`,
      { cause, retryable: true },
    );
    this.failure = failure;
  }
}

const maxReasonLength = 1000;

/**
 * The message for a dead-letter queue: the body and the attributes of the record, and new attributes with the reason.
 * These replace the reason of an earlier failure. If there are more than ten attributes, tracing attributes are dropped.
 *
 * @param chainId added if the record does not have it: without an SNS envelope, a redrive would start another chain
 *
 * An incomplete record does not throw, since that would hide the error of the task.
 */
export function deadLetterMessage(record: SqsRecord, error: unknown, chainId?: string): QueueMessage {
  const { body, messageId, eventSourceARN, messageAttributes, attributes } = record as Partial<SqsRecord>;
  const reason = {
    failure_reason: reasonOf(error),
    ...(!messageAttributes?.[chainIdName] && { [chainIdName]: chainId }),
    failure_code: error instanceof AlgernonError ? error.code : nameOf(error),
    failed_message_id: messageId,
    failed_queue: eventSourceARN,
  };
  const kept = Object.entries(messageAttributes ?? {})
    .filter(([name, attribute]) => !Object.hasOwn(reason, name) && attribute?.dataType)
    .map(([name, attribute]) => [name, asSent(attribute)] as const);
  const ours = Object.entries(reason)
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => [name, { DataType: 'String', StringValue: sendable(String(text)) }] as const);
  return {
    body: asText(body),
    attributes: Object.fromEntries(fitBoth(kept, ours)),
    groupId: attributes?.MessageGroupId,
    deduplicationId: String(messageId),
    traceHeader: attributes?.AWSTraceHeader,
  };
}

type Named = readonly [name: string, value: QueueAttribute];

function fitBoth(kept: readonly Named[], ours: readonly Named[]): Named[] {
  let excess = kept.length + ours.length - maxAttributes;
  const rest = kept.filter(([name]) => {
    if (excess <= 0 || !isTracing(name)) return true;
    excess -= 1;
    return false;
  });
  return [...rest, ...ours].slice(0, maxAttributes);
}

/** event-normalizer parses the body, and the message in an SNS envelope too. */
function asText(body: unknown): string {
  if (typeof body === 'string') return body;
  const { Type, Message } = Object(body) as { Type?: unknown; Message?: unknown };
  const isParsed = Type === 'Notification' && typeof Message === 'object';
  const whole = isParsed ? { ...(body as object), Message: JSON.stringify(Message) } : body;
  return JSON.stringify(whole) ?? 'null';
}

function asSent({ dataType, stringValue, binaryValue }: SqsMessageAttribute): QueueAttribute {
  return {
    DataType: dataType,
    ...(typeof stringValue === 'string' && { StringValue: stringValue }),
    ...(typeof binaryValue === 'string' && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? textOf(error.name) : typeof error;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? textOf(error.message) : textOf(error);
  return `${nameOf(error)}: ${message}`.slice(0, maxReasonLength);
}

/** Anything can be thrown, including an object that cannot be converted to a string. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** SQS accepts only XML characters, and no empty strings. */
function sendable(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD') || '-';
}
