import { AjsonError } from '../ajson/AjsonError.ts';
import { raw } from '../ajson/raw.ts';
import { MessageNotJsonError, NotATaskError } from '../errors.ts';
import { isSnsRecord, messageIdOf, type SqsRecord, type TaskRecord } from './events.ts';
import { isTask, type Task } from './task.ts';

/** A message, taken apart. */
export interface Unwrapped {
  /** What is in it, parsed: a task, if it is what it should be. */
  content: unknown;
  /** The message attributes that travelled with it, as text. */
  attributes: Readonly<Record<string, string>>;
}

/**
 * Takes the task out of a record: out of the SNS envelope in the body of an SQS message, out of the body itself
 * with raw message delivery, or out of a notification that SNS gave straight to Lambda.
 *
 * The task is parsed JSON whose tags are still tags; integers past 2^53 are bigint. The record is left as it is.
 *
 * @throws MessageNotJsonError when the text is not JSON
 * @throws NotATaskError when there is no `task_name` in it
 * @example
 * const task = unwrapTask(event.Records[0]);
 */
export function unwrapTask(record: TaskRecord): Task {
  const { content } = unwrap(record);
  if (!isTask(content)) throw new NotATaskError(messageIdOf(record));
  return content;
}

/** What is in a message, with its attributes. Whether that is a task is not asked yet. */
export function unwrap(record: TaskRecord): Unwrapped {
  const messageId = messageIdOf(record);
  const outer = isSnsRecord(record) ? record.Sns : parseBody(record.body as unknown, messageId);
  const inEnvelope = isSnsRecord(record) || isEnvelope(outer);
  const content = inEnvelope ? parseMessage((outer as Envelope).Message, messageId) : outer;
  const attributes = inEnvelope
    ? textsOf((outer as Envelope).MessageAttributes, 'Value')
    : textsOf((record as SqsRecord).messageAttributes, 'stringValue');
  return { content, attributes };
}

interface Envelope {
  Message: unknown;
  MessageAttributes?: unknown;
}

/** How SNS begins its envelope, in which there is no number whose digits could be lost. */
const envelopeStart = /^\s*\{\s*"Type"\s*:\s*"Notification"/;

function parseBody(body: unknown, messageId: string): unknown {
  if (typeof body === 'string' && envelopeStart.test(body)) {
    try {
      const envelope = JSON.parse(body);
      if (isEnvelope(envelope) && typeof envelope.Message === 'string') return envelope;
    } catch {
      // Read once more below, for an error that says where.
    }
  }
  return parseMessage(body, messageId);
}

/**
 * Parses the text of a message. Another middleware may have done so already: what is not text is taken as it is.
 *
 * @throws MessageNotJsonError when the text is not JSON
 */
export function parseMessage(message: unknown, messageId: string): unknown {
  if (typeof message !== 'string') return message;
  try {
    return raw(message);
  } catch (error) {
    if (!(error instanceof AjsonError)) throw error;
    throw new MessageNotJsonError(messageId, error);
  }
}

/** Whether a body is what SNS puts around a message. */
export function isEnvelope(message: unknown): message is Envelope {
  if (typeof message !== 'object' || message === null) return false;
  const { Type, TopicArn, Message } = message as Record<string, unknown>;
  // event-normalizer parses the message inside the envelope too, so it may be an object by now.
  return (
    Type === 'Notification' &&
    typeof TopicArn === 'string' &&
    (typeof Message === 'string' || isTask(Message))
  );
}

/** SNS and SQS spell an attribute each in its own way. */
function textsOf(attributes: unknown, field: 'Value' | 'stringValue'): Record<string, string> {
  if (!attributes) return {};
  const entries = Object.entries(attributes).map(([name, attribute]) => [name, attribute?.[field]] as const);
  return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string'));
}
