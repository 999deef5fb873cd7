import type { PublishBatchRequestEntry } from '@aws-sdk/client-sns';
import type { ErrorDetails } from '../../core/errors.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { PublishError } from './PublishError.ts';

type Attributes = Readonly<Record<string, string | number>>;

/** With more attributes, SNS discards a message silently where raw message delivery is on. */
export const maxAttributes = 10;

/** Attributes of tracing, in the order in which they are dropped when there are too many. */
const tracingNames = [
  /^(baggage|uberctx-.+|ot-baggage-.+)$/i,
  /^(tracestate|x-b3-(sampled|flags|parentspanid))$/i,
  /^(traceparent|b3|x-b3-(traceid|spanid)|uber-trace-id|ot-tracer-.+|x-amzn-trace-id|AWSTraceHeader)$/i,
];

/**
 * Fits attributes into a message: drops tracing attributes while there are more than ten attributes, or more than
 * `maxBytes`. Call it before a result is stored, so that a message that cannot be sent stores nothing.
 *
 * @param attributes message attributes, ours included
 * @param maxBytes the limit for all attributes together. Default: no limit
 * @throws PublishError `BAD_ATTRIBUTES`, with the attribute's name, when SNS or SQS would refuse or discard the message
 * @example
 * const attributes = fitAttributes({ ...own, ...carried });
 */
export function fitAttributes(
  attributes: Readonly<Record<string, unknown>>,
  maxBytes: number = Number.POSITIVE_INFINITY,
): Record<string, string | number> {
  // Without a prototype, an attribute named __proto__ is one like any other.
  const fitted: Record<string, string | number> = Object.create(null);
  for (const [name, value] of Object.entries(attributes)) {
    const problem = attributeProblem(name, value);
    if (problem === undefined) fitted[name] = value as string | number;
    else if (!isTracing(name)) throw badAttributes(`The attribute ${show(name)} ${problem}.`, name);
  }
  const isOver = () => Object.keys(fitted).length > maxAttributes || attributesBytes(fitted) > maxBytes;
  for (const names of tracingNames) {
    for (const name of Object.keys(fitted).reverse()) if (names.test(name) && isOver()) delete fitted[name];
  }
  const names = Object.keys(fitted);
  if (names.length > maxAttributes) {
    throw badAttributes(
      `A message carries at most ${maxAttributes} attributes, and this one has ${names.length}: ` +
        `${names.slice(0, 30).map(show).join(', ')}.`,
    );
  }
  return { ...fitted };
}

/** The reason why SNS or SQS would refuse an attribute, as the end of a sentence; undefined if they accept it. */
export function attributeProblem(name: string, value: unknown): string | undefined {
  if (!/^[\w.-]{1,256}$/.test(name)) return 'must have a name of 1 to 256 letters, digits, "_", "-" and "."';
  if (/^\.|\.\.|\.$|^(aws|amazon)\./i.test(name)) {
    return 'must not begin with "AWS." or "Amazon.", begin or end with ".", or have ".." in its name';
  }
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `must be a number, not ${value}`;
  if (typeof value !== 'string') return `must be a string, not ${value === null ? 'null' : typeof value}`;
  if (value === '') return 'must not be empty';
  return sendable.test(value) ? undefined : 'has a character that SNS and SQS do not accept';
}

/** SNS and SQS accept only XML characters. */
const sendable = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

/** Whether an attribute only carries a trace. */
export function isTracing(name: string): boolean {
  return tracingNames.some((names) => names.test(name));
}

/**
 * Whether a message is within the limit of its topic, not counting tracing attributes, which may be dropped.
 *
 * @example
 * if (!fitsMessage(message, 262_144)) await store(result);
 */
export function fitsMessage(message: TaskMessage, maxMessageBytes: number): boolean {
  const kept = Object.entries(message.attributes ?? {}).filter(([name]) => !isTracing(name));
  return messageBytes({ ...message, attributes: Object.fromEntries(kept) }) <= maxMessageBytes;
}

/** The bytes that count towards the limit of SNS: the body, the subject, and each attribute's name, type and value. */
export function messageBytes({ message, subject = '', attributes = {} }: TaskMessage): number {
  return Buffer.byteLength(message) + Buffer.byteLength(subject) + attributesBytes(attributes);
}

/**
 * A message as an entry of PublishBatch, and its size.
 *
 * @throws PublishError when it is too large or its attributes are not accepted
 */
export function entryOf(message: TaskMessage, id: string, maxMessageBytes: number): SizedEntry {
  const { message: body, subject, attributes = {}, topicArn, groupId, deduplicationId } = message;
  const bodyBytes = messageBytes({ ...message, attributes: {} });
  const fitted = fitAttributes(attributes, maxMessageBytes - bodyBytes);
  const bytes = bodyBytes + attributesBytes(fitted);
  if (bytes > maxMessageBytes) throw tooLarge(bytes, maxMessageBytes);
  const isFifo = topicArn.endsWith('.fifo');
  const group = groupId ?? (isFifo ? deduplicationId : undefined);
  const entry = {
    Id: id,
    Message: body,
    ...(subject && { Subject: subject }),
    MessageAttributes: Object.fromEntries(
      Object.entries(fitted).map(([name, value]) => [
        name,
        { DataType: typeOf(value), StringValue: String(value) },
      ]),
    ),
    // A standard topic passes the group to its queues, for fair queues.
    ...(group !== undefined && { MessageGroupId: group }),
    ...(isFifo && { MessageDeduplicationId: deduplicationId }),
  };
  return { entry, bytes };
}

export interface SizedEntry {
  readonly entry: PublishBatchRequestEntry;
  readonly bytes: number;
}

function attributesBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + typeOf(value).length + Buffer.byteLength(String(value));
  }
  return bytes;
}

function typeOf(value: string | number): 'Number' | 'String' {
  return typeof value === 'number' ? 'Number' : 'String';
}

function badAttributes(message: string, name?: string): PublishError {
  const details: ErrorDetails = name === undefined ? {} : { path: `attributes.${name.slice(0, 80)}` };
  return new PublishError('BAD_ATTRIBUTES', message, details);
}

/** The error for a message that is larger than its topic or queue accepts. */
export function tooLarge(bytes: number, maxBytes: number): PublishError {
  return new PublishError(
    'MESSAGE_TOO_LARGE',
    `The message has ${bytes} bytes; its topic or queue accepts ${maxBytes}. Lower inlineUnder, so that large values go ` +
      'through S3, or raise that limit and the option maxMessageBytes.',
  );
}

function show(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
