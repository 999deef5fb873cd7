/** One message of an SQS batch, as Lambda gives it. */
export interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: SqsRecordAttributes;
  messageAttributes: Record<string, SqsMessageAttribute>;
  md5OfBody: string;
  md5OfMessageAttributes?: string;
  eventSource: string;
  eventSourceARN: string;
  awsRegion: string;
}

export interface SqsRecordAttributes {
  ApproximateReceiveCount: string;
  SentTimestamp: string;
  SenderId: string;
  ApproximateFirstReceiveTimestamp: string;
  SequenceNumber?: string | undefined;
  MessageGroupId?: string | undefined;
  MessageDeduplicationId?: string | undefined;
  AWSTraceHeader?: string | undefined;
  DeadLetterQueueSourceArn?: string | undefined;
}

export interface SqsMessageAttribute {
  stringValue?: string | undefined;
  binaryValue?: string | undefined;
  stringListValues?: string[] | undefined;
  binaryListValues?: string[] | undefined;
  dataType: 'String' | 'Number' | 'Binary' | (string & {});
}

/** A batch of messages from an SQS queue. */
export interface SqsEvent {
  Records: SqsRecord[];
}

/** One notification that SNS gave to Lambda with no queue between. */
export interface SnsRecord {
  EventSource: string;
  EventVersion: string;
  EventSubscriptionArn: string;
  Sns: { MessageId: string; TopicArn: string; Message: string; Timestamp: string };
}

/** A notification from SNS straight to Lambda. */
export interface SnsEvent {
  Records: SnsRecord[];
}

/** One message, by whichever way it came. */
export type TaskRecord = SqsRecord | SnsRecord;

/** The part of Lambda's context that tasks need; Lambda's own context is one. */
export interface LambdaContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  callbackWaitsForEmptyEventLoop: boolean;
  getRemainingTimeInMillis(): number;
}

export type EventKind = 'sqs' | 'sns' | 'direct';

/** How an event came: as an SQS batch, from SNS straight to Lambda, or by a direct invocation. */
export function eventKind(event: unknown): EventKind {
  const records = recordsOf(event);
  if (!records) return 'direct';
  const first = records[0] as Partial<SqsRecord & SnsRecord> | undefined;
  if (first === undefined) return 'sqs';
  if (typeof first.Sns === 'object' && first.Sns !== null) return 'sns';
  return typeof first.messageId === 'string' && first.body !== undefined ? 'sqs' : 'direct';
}

/** The records of an event that has some, whatever they are. */
export function recordsOf(event: unknown): readonly unknown[] | undefined {
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  return Array.isArray(records) ? records : undefined;
}

/** Whether a record came from SNS with no queue between. */
export function isSnsRecord(record: TaskRecord): record is SnsRecord {
  return 'Sns' in record;
}

/** The id that a message keeps when it is delivered again. */
export function messageIdOf(record: TaskRecord): string {
  return isSnsRecord(record) ? record.Sns.MessageId : record.messageId;
}
