import { raw } from '../ajson/raw.ts';
import { AlgernonError } from '../errors.ts';
import { isTask } from '../tasks/task.ts';

/** One message of an SQS batch, as Lambda gives it. */
export interface SqsRecord {
  /** The id that SQS gave the message. A redrive changes it. */
  messageId: string;
  /** Identifies this receive of the message, for deleting it. */
  receiptHandle: string;
  /** The text of the message. */
  body: string;
  /** The attributes that SQS adds. */
  attributes: SqsRecordAttributes;
  /** The attributes that the sender has added. */
  messageAttributes: Record<string, SqsMessageAttribute>;
  /** The MD5 digest of the body. */
  md5OfBody: string;
  /** The MD5 digest of the message attributes. */
  md5OfMessageAttributes?: string;
  /** `aws:sqs`. */
  eventSource: string;
  /** The ARN of the queue. */
  eventSourceARN: string;
  /** The region of the queue. */
  awsRegion: string;
}

/** The attributes that SQS adds to a message. Times are in milliseconds since 1970. */
export interface SqsRecordAttributes {
  /** How often the message was received, this time included. */
  ApproximateReceiveCount: string;
  /** When the message was sent to the queue. */
  SentTimestamp: string;
  /** The id of the sender. */
  SenderId: string;
  /** When the message was received for the first time. */
  ApproximateFirstReceiveTimestamp: string;
  /** The position in the order of a FIFO queue. */
  SequenceNumber?: string | undefined;
  /** The message group. */
  MessageGroupId?: string | undefined;
  /** The deduplication id, on a FIFO queue. */
  MessageDeduplicationId?: string | undefined;
  /** The trace of X-Ray. */
  AWSTraceHeader?: string | undefined;
  /** The queue from which SQS moved the message. */
  DeadLetterQueueSourceArn?: string | undefined;
}

/** A message attribute of an SQS message. */
export interface SqsMessageAttribute {
  /** The value of an attribute of a text or a number. */
  stringValue?: string | undefined;
  /** The value of an attribute of bytes, in base64. */
  binaryValue?: string | undefined;
  /** Not used by SQS so far. */
  stringListValues?: string[] | undefined;
  /** Not used by SQS so far. */
  binaryListValues?: string[] | undefined;
  /** The type of the value. It may have a suffix, such as `Number.int`. */
  dataType: 'String' | 'Number' | 'Binary' | (string & {});
}

/** A batch of messages from an SQS queue. */
export interface SqsEvent {
  /** The messages. */
  Records: SqsRecord[];
}

/** One notification that SNS gave to Lambda with no queue between. */
export interface SnsRecord {
  /** `aws:sns`. */
  EventSource: string;
  /** The version of the record's format. */
  EventVersion: string;
  /** The ARN of the subscription. */
  EventSubscriptionArn: string;
  /** The notification. */
  Sns: { MessageId: string; TopicArn: string; Message: string; Timestamp: string };
}

/** A notification from SNS straight to Lambda. */
export interface SnsEvent {
  /** The notifications: one. */
  Records: SnsRecord[];
}

/** One message, by whichever way it came. */
export type TaskRecord = SqsRecord | SnsRecord;

/** The part of Lambda's context that tasks need; Lambda's own context is one. */
export interface LambdaContext {
  /** The id of the invocation. */
  readonly awsRequestId: string;
  /** The name of the function. */
  readonly functionName: string;
  /** The version of the function. */
  readonly functionVersion: string;
  /** The ARN by which the function was called. */
  readonly invokedFunctionArn: string;
  /** The memory of the function. */
  readonly memoryLimitInMB: string;
  /** The log group of the function. */
  readonly logGroupName: string;
  /** The log stream of the instance. */
  readonly logStreamName: string;
  /** Of handlers with a callback. */
  callbackWaitsForEmptyEventLoop: boolean;
  /** How many milliseconds are left until the function's time-out. */
  getRemainingTimeInMillis(): number;
}

/**
 * How an event came: as an SQS batch, from SNS without a queue, or as a task in a direct invocation. `other` is none of
 * these, such as a batch of a stream or a request of an API.
 */
export type EventKind = 'sqs' | 'sns' | 'direct' | 'other';

/**
 * Tells how an event came. The bare array of SQS records that EventBridge Pipes sends is a batch too.
 *
 * @example
 * if (eventKind(event) === 'sqs') console.info(recordsOf(event).length);
 */
export function eventKind(event: unknown): EventKind {
  const isNamed = isTask(event);
  if (isStateEvent(event)) return 'direct';
  const records = recordsOf(event);
  if (!records) return isNamed ? 'direct' : 'other';
  if (records.length === 0) {
    if (isNamed) return 'direct';
    return Array.isArray(event) ? 'other' : 'sqs';
  }
  const kind = records.every(isSqsRecord) ? 'sqs' : records.every(isCompleteSnsRecord) ? 'sns' : 'other';
  // A task whose field Records holds messages: running either would leave the other undone.
  if (isNamed && kind !== 'other') return 'other';
  return isNamed ? 'direct' : kind;
}

/** The records of an event: those in `Records`, or the event itself where it is an array. */
export function recordsOf(event: unknown): readonly unknown[] | undefined {
  if (Array.isArray(event)) return event;
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  return Array.isArray(records) ? records : undefined;
}

/** Whether SNS gave a record to the function, with no queue between. */
export function isSnsRecord(record: TaskRecord): record is SnsRecord {
  return 'Sns' in record;
}

/** The id of a message, which stays the same when it is delivered again. */
export function messageIdOf(record: TaskRecord): string {
  return isSnsRecord(record) ? record.Sns.MessageId : record.messageId;
}

function isSqsRecord(record: unknown): record is SqsRecord {
  const { messageId, body } = Object(record) as Partial<SqsRecord>;
  return typeof messageId === 'string' && messageId !== '' && body !== undefined;
}

function isCompleteSnsRecord(record: unknown): record is SnsRecord {
  const { MessageId, Message } = Object(Object(record).Sns) as Partial<SnsRecord['Sns']>;
  return typeof MessageId === 'string' && Message !== undefined;
}

/** An event is neither a batch of tasks nor a task. */
export class EventError extends AlgernonError {
  override readonly name = 'EventError';

  constructor(event: unknown) {
    super(
      'BAD_EVENT',
      `Expected an SQS batch, an SNS notification, or a task { task_name, task_kwargs }; got ${describeEvent(event)}.`,
      { path: '$' },
    );
  }
}

/** Names an event, without its values: they may be secrets. */
export function describeEvent(event: unknown): string {
  if (typeof event !== 'object' || event === null) return event === null ? 'null' : `a ${typeof event}`;
  const fields = event as Record<string, unknown>;
  const records = recordsOf(event);
  if (records) return describeRecords(records, isTask(event));
  if ('requestContext' in fields || 'httpMethod' in fields) return 'an API request';
  if ('detail-type' in fields && 'source' in fields) return 'an EventBridge event';
  if (fields.source === 'serverless-plugin-warmup') {
    return 'a warm-up event: put the middleware that answers it before those of algernon-middy';
  }
  if (fields.Event === 's3:TestEvent') return 'the test event that S3 sends when notifications are set up';
  if ('awslogs' in fields) return 'a CloudWatch Logs event';
  if ('triggerSource' in fields) return 'a Cognito event';
  if ('deliveryStreamArn' in fields) return 'a Firehose event';
  if (typeof fields.eventSource === 'string') return `an event of ${quote(fields.eventSource)}`;
  const keys = Object.keys(fields);
  if ('task_name' in fields) return 'an object whose task_name is not a string';
  if (keys.length === 0) return 'an empty object';
  const names = keys.slice(0, 5).map(quote);
  return `an object with the keys ${names.join(', ')}${keys.length > names.length ? ', …' : ''}`;
}

function describeRecords(records: readonly unknown[], isNamed: boolean): string {
  if (records.length === 0) return 'an empty array';
  if (isNamed) return 'a task that has records too';
  const { eventSource, EventSource, messageId, body } = Object(records[0]) as Record<string, unknown>;
  const source = typeof eventSource === 'string' ? eventSource : EventSource;
  if (source === 'aws:sqs' || messageId !== undefined || body !== undefined) {
    return 'SQS records of which some have no messageId or no body, so that failures could not be reported';
  }
  return `records of ${typeof source === 'string' ? quote(source) : 'an unknown source'}`;
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}

const durableKey: unique symbol = Symbol.for('@aws/durable-execution-sdk-js/durable-context');

/**
 * Refuses a durable function. It runs its handler again from the start on each replay, so that tasks that are done would
 * run again, and their callbacks would be sent again.
 *
 * @throws AlgernonError with the code `DURABLE_FUNCTION`
 */
export function assertNotDurable(context: unknown): void {
  const { [durableKey]: isMarked, step, lambdaContext } = Object(context) as Record<PropertyKey, unknown>;
  // Older versions of the SDK have no mark.
  if (!isMarked && !(typeof step === 'function' && lambdaContext)) return;
  throw new AlgernonError(
    'DURABLE_FUNCTION',
    'A durable function replays its handler, which would run finished tasks again: use an ordinary function, or start the durable function from a task.',
    { retryable: true },
  );
}

/** The event of a Step Functions state that calls the function directly. */
export interface StateEvent {
  sfn_context: { State: { Name: string } };
  task_name?: string;
  payload?: unknown;
}

export function isStateEvent(event: unknown): event is StateEvent {
  return typeof (Object(event) as Partial<StateEvent>).sfn_context?.State?.Name === 'string';
}

/**
 * The task in a direct invocation. Of a state's event the name is `task_name`, else the name of the state; the arguments are
 * `payload` parsed, else all other keys.
 */
export function taskOfEvent(event: unknown): unknown {
  if (!isStateEvent(event)) return event;
  const { sfn_context, task_name = sfn_context.State.Name, payload, ...others } = event;
  if (typeof payload === 'string' && payload !== '') return { task_name, task_kwargs: raw(payload) };
  const isGiven = payload !== undefined && payload !== null && payload !== '';
  return { task_name, task_kwargs: isGiven ? payload : others };
}
