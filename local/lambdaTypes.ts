/** A message attribute, in Lambda's shape. */
export interface SqsMessageAttribute {
  stringValue?: string;
  /** Base64. */
  binaryValue?: string;
  stringListValues: string[];
  binaryListValues: string[];
  dataType: string;
}

/** One message of an SQS event. */
export interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: {
    ApproximateReceiveCount: string;
    SentTimestamp: string;
    SenderId: string;
    ApproximateFirstReceiveTimestamp: string;
    AWSTraceHeader?: string;
    DeadLetterQueueSourceArn?: string;
    MessageDeduplicationId?: string;
    MessageGroupId?: string;
    SequenceNumber?: string;
  };
  messageAttributes: Record<string, SqsMessageAttribute>;
  md5OfMessageAttributes?: string;
  md5OfBody: string;
  eventSource: 'aws:sqs';
  eventSourceARN: string;
  awsRegion: string;
}

/** What Lambda hands to a function that an SQS queue triggers. */
export interface SqsEvent {
  Records: SqsRecord[];
}

/** Lambda's context. */
export interface LambdaContext {
  callbackWaitsForEmptyEventLoop: boolean;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  getRemainingTimeInMillis(): number;
  done(error?: Error, result?: unknown): void;
  fail(error: Error | string): void;
  succeed(result: unknown): void;
}

/**
 * A Lambda handler that returns a promise. The third parameter is there for the type alone, so that handlers
 * declared with a callback fit; like Lambda's Node.js 24 runtime, the worker passes none.
 */
export type LambdaHandler = (event: SqsEvent, context: LambdaContext, callback: never) => unknown;
