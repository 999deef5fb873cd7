import type { SQSClient } from '@aws-sdk/client-sqs';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { isFinalFault } from '../aws/isFinalFault.ts';
import { loadSqs } from '../aws/loadSqs.ts';
import { PublishError } from '../aws/snsMessage.ts';

/** A message for a queue. Its envelope is that of SNS, so that a worker reads it as one from its topic. */
export interface LaterMessage extends TaskMessage {
  queueArn: string;
  messageId: string;
}

/**
 * Sends a message to a queue after a delay of up to 900 seconds.
 *
 * @throws PublishError `PUBLISH_FAILED`
 */
export async function sendLater(
  given: SQSClient | undefined,
  message: LaterMessage,
  delaySeconds: number,
): Promise<void> {
  const { queueArn, groupId } = message;
  const [, , , , account, name] = queueArn.split(':');
  const { sdk, client } = await loadSqs(given);
  try {
    const getUrl = new sdk.GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
    const { QueueUrl } = await client.send(getUrl);
    await client.send(
      new sdk.SendMessageCommand({
        QueueUrl,
        MessageBody: envelopeOf(message),
        DelaySeconds: delaySeconds,
        ...(groupId !== undefined && { MessageGroupId: groupId }),
      }),
    );
  } catch (cause) {
    throw new PublishError('PUBLISH_FAILED', `${queueArn} did not accept the message: ${String(cause)}`, {
      cause,
      retryable: !isFinalFault(cause),
    });
  }
}

function envelopeOf({ messageId, topicArn, subject, message, attributes = {} }: LaterMessage): string {
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    { Type: typeof value === 'number' ? 'Number' : 'String', Value: String(value) },
  ]);
  return JSON.stringify({
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject && { Subject: subject }),
    Message: message,
    Timestamp: new Date().toISOString(),
    MessageAttributes: Object.fromEntries(entries),
  });
}
