import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { SqsMessageAttribute, SqsRecord } from '../core/batch/events.ts';

/** Converts an SQS message to a record of a Lambda event. */
export function toLambdaRecord(message: Message, queueArn: string): SqsRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {});
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.Attributes as SqsRecord['attributes'],
    messageAttributes: Object.fromEntries(
      attributes.map(([name, value]) => [name, toLambdaAttribute(value)]),
    ),
    ...(message.MD5OfMessageAttributes === undefined
      ? {}
      : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
}

function toLambdaAttribute({
  StringValue,
  BinaryValue,
  DataType,
}: MessageAttributeValue): SqsMessageAttribute {
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    // SQS does not support lists yet; Lambda sends empty ones.
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType ?? '',
  };
}
