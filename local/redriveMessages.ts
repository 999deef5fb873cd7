import type { SQSClient } from '@aws-sdk/client-sqs';
import { AlgernonError } from '../core/errors.ts';
import type { RedriveOutcome } from './dev/protocol.ts';
import { type FoundMessage, type OpenQueue, readMessages } from './queueMessages.ts';
import { removeSent, sendAgain } from './redriveMessage.ts';

export interface RedriveOptions {
  readonly sqs: SQSClient;
  readonly taskName: string;
  /** The queue that the messages are sent to. */
  readonly queueUrl: string;
  readonly deadLetters: OpenQueue;
  /** The ids of the messages. Default: all. */
  readonly ids?: readonly string[] | undefined;
  /** The longest that the messages are hidden from others, in seconds. Default: a minute, and a second for each message. */
  readonly hiddenSeconds?: number | undefined;
  /** Makes the body to send. Undefined leaves the message. Default: its own body. */
  bodyOf?(message: FoundMessage): string | undefined | Promise<string | undefined>;
}

/** Sends dead letters to their queue again. The failure of one does not stop the others. */
export async function redriveMessages(options: RedriveOptions): Promise<RedriveOutcome[]> {
  const { taskName, deadLetters, ids } = options;
  const { waiting } = await deadLetters.calls.count();
  const { messages, release } = await readMessages(deadLetters, {
    // Messages that come back meanwhile wait for the next time.
    limit: waiting + 10,
    hiddenSeconds: options.hiddenSeconds ?? Math.min(3600, 60 + waiting),
    ...(ids && { ids }),
  });
  const outcomes: RedriveOutcome[] = [];
  try {
    for (const message of messages) {
      if (ids && !ids.includes(message.record.messageId)) continue;
      outcomes.push(await redriveOne(message, options));
    }
  } finally {
    // Without this, they are visible after `hiddenSeconds`.
    await release().catch(() => {});
  }
  for (const messageId of new Set(ids)) {
    if (outcomes.some((outcome) => outcome.messageId === messageId)) continue;
    const error = `The message is not in the dead-letter queue of ${taskName}.`;
    outcomes.push({ messageId, outcome: 'failed', code: 'MESSAGE_NOT_FOUND', error });
  }
  return outcomes;
}

async function redriveOne(
  message: FoundMessage,
  { sqs, queueUrl, deadLetters, bodyOf = ({ record }) => record.body }: RedriveOptions,
): Promise<RedriveOutcome> {
  const { messageId } = message.record;
  try {
    const body = await bodyOf(message);
    if (body === undefined) return { messageId, outcome: 'left' };
    await sendAgain(sqs, queueUrl, message, body);
    await removeSent(deadLetters, message);
    return { messageId, outcome: 'sent' };
  } catch (error) {
    const code = error instanceof AlgernonError ? { code: error.code } : {};
    return { messageId, outcome: 'failed', ...code, error: (error as Error).message };
  }
}
