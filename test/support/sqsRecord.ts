import type { SQSRecord } from 'aws-lambda';

let number = 0;

/** An SQS record for Lambda: the message in an SNS envelope, or raw. */
export function sqsRecord(
  message: unknown,
  { raw = false, ...over }: { raw?: boolean } & Partial<SQSRecord> = {},
): SQSRecord {
  number += 1;
  const messageId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  const envelope = {
    Type: 'Notification',
    MessageId: `22b80b92-fdea-4c2c-8f9d-${String(number).padStart(12, '0')}`,
    TopicArn: 'arn:aws:sns:us-east-1:123456789012:work',
    Subject: 'callback',
    Message: text,
    Timestamp: '2019-08-05T14:20:56.440Z',
  };
  return {
    messageId,
    receiptHandle: `receipt-${number}`,
    body: raw ? text : JSON.stringify(envelope),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1565012856447',
      SenderId: 'AIDAIENQZJOLO23YVJ4VO',
      ApproximateFirstReceiveTimestamp: '1565012856457',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:work',
    awsRegion: 'us-east-1',
    ...over,
  };
}
