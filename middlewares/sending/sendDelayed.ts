import { randomUUID } from 'node:crypto';
import { AlgernonError } from '../../core/errors.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { isFinalFault } from '../aws/isFinalFault.ts';
import type { AwsClient } from '../aws/optionChecks.ts';
import { PublishError } from '../aws/PublishError.ts';
import { fitAttributes, isTracing, tooLarge } from '../aws/snsMessage.ts';
import type { Outcome } from '../aws/snsPublisher.ts';
import { type SqsQueues, sqsQueues } from '../aws/sqsQueues.ts';

/** A message that a queue holds back. Its topic appears in the envelope only. */
export interface DelayedMessage extends TaskMessage {
  /** The ARN or the URL of a standard queue. */
  queue: string;
  /** A whole number from 0 to {@link maxDelaySeconds}. */
  delaySeconds: number;
  /** The id in the envelope. Default: a new one. */
  messageId?: string;
}

export interface SendDelayedOptions {
  /** Default: a shared client, made on first use. */
  sqs?: AwsClient | undefined;
  /** The limit of a queue for one message, in bytes. Default 262,144. */
  maxMessageBytes?: number | undefined;
}

/** The longest delay of a message in SQS. */
export const maxDelaySeconds = 900;

/**
 * Sends messages straight to their queues, which hold them back. Each is in an envelope like that of SNS, so that a worker
 * sees no difference. Messages for one queue leave together, ten in a call.
 *
 * @returns the id or the error of each message, in their order. The errors are `FIFO_DELAY`, or a `PublishError`
 * @example
 * const [outcome] = await sendDelayed([{ queue, topicArn, message, attributes, delaySeconds: 60 }], { sqs });
 */
export function sendDelayed(
  messages: readonly DelayedMessage[],
  { sqs, maxMessageBytes = 262_144 }: SendDelayedOptions = {},
): Promise<Outcome[]> {
  const queues = queuesOf(sqs);
  const send = async (message: DelayedMessage): Promise<Outcome> => {
    const { queue, delaySeconds, messageId = randomUUID(), groupId } = message;
    try {
      assertStandard(message);
      const body = envelopeWithin(message, messageId, maxMessageBytes);
      const url = queue.startsWith('arn:') ? await queues.urlOf(queue) : queue;
      await queues.send(url, { body, attributes: {}, groupId, deduplicationId: messageId, delaySeconds });
      return { messageId };
    } catch (error) {
      return { error: error instanceof AlgernonError ? error : notSent(queue, error) };
    }
  };
  return Promise.all(messages.map(send));
}

/** One for each client, so that the URLs of queues are looked up once, and concurrent calls leave together. */
const opened = new WeakMap<object, SqsQueues>();
const defaultClient = {};

/** The queues, as a client reaches them. */
export function queuesOf(sqs: AwsClient | undefined): SqsQueues {
  const key = sqs ?? defaultClient;
  const queues = opened.get(key) ?? sqsQueues(sqs);
  opened.set(key, queues);
  return queues;
}

export function isFifo({ topicArn, queue }: Pick<DelayedMessage, 'topicArn' | 'queue'>): boolean {
  return topicArn.endsWith('.fifo') || queue.endsWith('.fifo');
}

/**
 * Refuses a FIFO queue.
 *
 * @throws AlgernonError `FIFO_DELAY`
 */
export function assertStandard(address: Pick<DelayedMessage, 'topicArn' | 'queue'>): void {
  if (!isFifo(address)) return;
  throw new AlgernonError(
    'FIFO_DELAY',
    `${address.queue} is a FIFO queue, which cannot delay single messages. Send the task more than ${maxDelaySeconds} ` +
      'seconds ahead, with the options at and schedule, or without a delay.',
  );
}

/** Whether the envelope of a message is within a limit, not counting tracing attributes, which may be dropped. */
export function fitsQueue(message: TaskMessage, maxBytes: number): boolean {
  const kept = Object.entries(message.attributes ?? {}).filter(([name]) => !isTracing(name));
  const envelope = envelopeOf({ ...message, attributes: Object.fromEntries(kept) }, randomUUID());
  return Buffer.byteLength(envelope) <= maxBytes;
}

/**
 * The envelope of a message, without its tracing attributes if it is too large with them.
 *
 * @throws PublishError `BAD_ATTRIBUTES` or `MESSAGE_TOO_LARGE`
 */
export function envelopeWithin(
  message: TaskMessage,
  messageId: string,
  maxBytes: number,
  sentAt?: Date,
): string {
  const attributes = fitAttributes(message.attributes ?? {});
  const envelope = envelopeOf({ ...message, attributes }, messageId, sentAt);
  if (Buffer.byteLength(envelope) <= maxBytes) return envelope;
  const kept = Object.entries(attributes).filter(([name]) => !isTracing(name));
  const smaller = envelopeOf({ ...message, attributes: Object.fromEntries(kept) }, messageId, sentAt);
  const bytes = Buffer.byteLength(smaller);
  if (bytes > maxBytes) throw tooLarge(bytes, maxBytes);
  return smaller;
}

/** A message as SNS delivers it to a queue, but without a signature. */
function envelopeOf(message: TaskMessage, messageId: string, sentAt = new Date()): string {
  const { topicArn, subject, message: body, attributes = {} } = message;
  const entries = Object.entries(attributes).map(([name, value]) => {
    const Type = typeof value === 'number' ? 'Number' : 'String';
    return [name, { Type, Value: String(value) }] as const;
  });
  const envelope = {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject && { Subject: subject }),
    Message: body,
    Timestamp: sentAt.toISOString(),
    ...(entries.length > 0 && { MessageAttributes: Object.fromEntries(entries) }),
  };
  return JSON.stringify(envelope);
}

function notSent(queue: string, cause: unknown): PublishError {
  return new PublishError('PUBLISH_FAILED', `${queue} did not accept the message: ${String(cause)}`, {
    cause,
    retryable: !isFinalFault(cause),
  });
}
