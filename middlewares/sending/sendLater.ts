import type { SQSClient } from '@aws-sdk/client-sqs';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { loadSqs } from '../aws/loadSqs.ts';

/** A message for a queue. Its envelope is that of SNS, so that a worker reads it as one from its topic. */
export interface LaterMessage extends TaskMessage {
  queueArn: string;
  messageId: string;
}

/** Sends a message to a queue after a delay of up to 900 seconds. */
export async function sendLater(
  given: SQSClient | undefined,
  { queueArn, messageId, topicArn, subject, message, attributes = {}, groupId }: LaterMessage,
  delaySeconds: number,
): Promise<void> {
  const { sdk, client } = await loadSqs(given);
  const [, , , , account, name] = queueArn.split(':');
  const getUrl = new sdk.GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
  const { QueueUrl } = await client.send(getUrl);
  const MessageBody = JSON.stringify({
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject && { Subject: subject }),
    Message: message,
    Timestamp: new Date().toISOString(),
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [
        key,
        { Type: typeof value === 'number' ? 'Number' : 'String', Value: String(value) },
      ]),
    ),
  });
  await client.send(
    new sdk.SendMessageCommand({
      QueueUrl,
      MessageBody,
      DelaySeconds: delaySeconds,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
    }),
  );
}
