import { AjsonError } from '../ajson/AjsonError.ts';
import { raw } from '../ajson/raw.ts';
import { AlgernonError } from '../errors.ts';
import { isTask, type Task } from '../tasks/task.ts';
import { describeEvent, isSnsRecord, messageIdOf, type SqsRecord, type TaskRecord } from './events.ts';

/** A parsed message. */
export interface Unwrapped {
  /** The parsed content: a task, if the message is what it should be. */
  content: unknown;
  /** The message attributes, as text. */
  attributes: Readonly<Record<string, string>>;
  /** The SNS notification around the content; undefined with raw message delivery. */
  notification?: Notification;
}

/** The SNS notification around a message. */
export interface Notification {
  readonly messageId: string | undefined;
  /** When SNS got the message, as a text: few tasks need it, and parsing it takes as long as running a stage. */
  readonly timestamp: string | undefined;
}

/** The parsed message of a run. One that cannot be parsed is empty: its own stage reports that. */
export function readMessage({ unwrap }: { unwrap(): Unwrapped }): Unwrapped {
  try {
    return unwrap();
  } catch {
    return { content: undefined, attributes: {} };
  }
}

/**
 * Takes the task out of a record: out of the SNS envelope in the body of an SQS message, out of the body itself with raw
 * message delivery, or out of an SNS notification without a queue.
 *
 * The task is parsed JSON in which tags stay tags; integers past 2^53 are bigint. The record is not changed.
 *
 * @throws MessageNotJsonError when the text is not JSON
 * @throws NotATaskError when the content is not a task
 * @example
 * const task = unwrapTask(event.Records[0]);
 */
export function unwrapTask(record: TaskRecord): Task {
  return checkTask(unwrap(record).content, messageIdOf(record));
}

/**
 * The content of a message as a task.
 *
 * @throws NotATaskError
 */
export function checkTask(content: unknown, messageId?: string): Task {
  if (!isTask(content)) throw new NotATaskError(describeContent(content), messageId);
  const { task_kwargs = null } = content as { task_kwargs?: unknown };
  if (typeof task_kwargs !== 'object' || Array.isArray(task_kwargs)) {
    const found = Array.isArray(task_kwargs) ? 'an array' : `a ${typeof task_kwargs}`;
    throw new NotATaskError(`task_kwargs must be an object, not ${found}`, messageId, '$.task_kwargs');
  }
  return content;
}

function describeContent(content: unknown): string {
  const { Type, Service, Event } = Object(content) as Record<string, unknown>;
  if (Type === 'SubscriptionConfirmation' || Type === 'UnsubscribeConfirmation') {
    return `it is the ${Type} of an SNS topic; confirm the subscription by its SubscribeURL, or set it up from the account of the queue`;
  }
  if (Service === 'Amazon S3' && Event === 's3:TestEvent') {
    return 'it is the test event that S3 sends when notifications are set up; delete it';
  }
  if (typeof content === 'object' && content !== null && 'task_name' in content)
    return 'task_name must be a string';
  return `it is ${describeEvent(content)}, and task_name is missing`;
}

/** Parses a message, with its attributes. The content need not be a task. */
export function unwrap(record: TaskRecord): Unwrapped {
  const messageId = messageIdOf(record);
  const outer = isSnsRecord(record) ? record.Sns : parseBody(record.body as unknown, messageId);
  if (!isSnsRecord(record) && !isEnvelope(outer)) {
    return { content: outer, attributes: textsOf((record as SqsRecord).messageAttributes, 'stringValue') };
  }
  const { Message, MessageAttributes, MessageId, Timestamp } = outer as Envelope;
  return {
    content: parseMessage(Message, messageId),
    attributes: textsOf(MessageAttributes, 'Value'),
    notification: {
      messageId: typeof MessageId === 'string' ? MessageId : undefined,
      timestamp: typeof Timestamp === 'string' ? Timestamp : undefined,
    },
  };
}

interface Envelope {
  Message: unknown;
  MessageAttributes?: unknown;
  MessageId?: unknown;
  Timestamp?: unknown;
}

/** The start of SNS's envelope, which has no number that could lose digits. */
const envelopeStart = /^\s*\{\s*"Type"\s*:\s*"Notification"/;

function parseBody(body: unknown, messageId: string): unknown {
  if (typeof body === 'string' && envelopeStart.test(body)) {
    try {
      const envelope = JSON.parse(body);
      if (isEnvelope(envelope) && typeof envelope.Message === 'string') return envelope;
    } catch {
      // Parsed again below, for an error with the position.
    }
  }
  return parseMessage(body, messageId);
}

/**
 * Parses the text of a message. A value that is not text is returned as it is: another middleware may have parsed it.
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

/** Whether a body is the envelope of SNS. */
export function isEnvelope(message: unknown): message is Envelope {
  if (typeof message !== 'object' || message === null) return false;
  const { Type, TopicArn, Message } = message as Record<string, unknown>;
  // event-normalizer parses the message inside the envelope too, so it may be an object by now.
  return (
    Type === 'Notification' &&
    typeof TopicArn === 'string' &&
    (typeof Message === 'string' || Object(Message) === Message)
  );
}

/** SNS and SQS name the text of an attribute differently. */
function textsOf(attributes: unknown, field: 'Value' | 'stringValue'): Record<string, string> {
  if (!attributes) return {};
  const entries = Object.entries(attributes).map(([name, attribute]) => [name, attribute?.[field]] as const);
  return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string'));
}

/** The text of a message is not JSON. */
export class MessageNotJsonError extends AlgernonError {
  override readonly name = 'MessageNotJsonError';

  constructor(messageId: string, cause: Error) {
    super('MESSAGE_NOT_JSON', `The message is not JSON: ${cause.message}`, { messageId, cause, path: '$' });
  }
}

/** A message is JSON, but not a task. */
export class NotATaskError extends AlgernonError {
  override readonly name = 'NotATaskError';

  constructor(reason: string, messageId?: string, path = '$') {
    super('NOT_A_TASK', `Not a task: ${reason}.`, { messageId, path });
  }
}
