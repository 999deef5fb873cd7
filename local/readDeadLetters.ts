import type { Message } from '@aws-sdk/client-sqs';
import type { SqsRecord } from '../core/batch/events.ts';
import { toLambdaRecord } from './lambdaRecord.ts';
import type { QueueCalls } from './queueCalls.ts';

// Long enough to read all messages once; short in case this process dies meanwhile.
const hiddenSeconds = 30;

/** Reads all visible messages of a queue, and makes them visible again afterwards. */
export async function readDeadLetters(calls: QueueCalls, queueArn: string): Promise<SqsRecord[]> {
  const messages: Message[] = [];
  try {
    for (;;) {
      const more = await calls.receive(10, 0, { visibilityTimeout: hiddenSeconds });
      if (more.length === 0) break;
      messages.push(...more);
    }
  } finally {
    await calls.hide(
      messages.map(({ ReceiptHandle }) => ReceiptHandle ?? ''),
      0,
    );
  }
  return messages.map((message) => toLambdaRecord(message, queueArn));
}
