import { randomUUID } from 'node:crypto';
import type { SqsMessageAttribute } from '../../../core/batch/events.ts';
import { AlgernonError } from '../../../core/errors.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { editMessage, findEditor } from '../editMessage.ts';
import type { Target } from '../openTarget.ts';
import { plain } from '../output.ts';
import { type FoundMessage, type FoundQueue, findDeadLetters, findQueue, readMessages } from '../queues.ts';

/** Sends dead letters to their queue again. */
export const redrive: Command = defineCommand({
  name: 'redrive',
  usage: 'TASK',
  args: [1, 1],
  summary: 'send dead letters to the queue of their task again',
  description:
    'Sends messages of the dead-letter queue of a task to the queue of the task again, with their attributes, less the\n' +
    'reason of the failure. A message is deleted only after it was sent, so none is lost; if the command is stopped in\n' +
    'between, it is in both queues, and its task may run twice.',
  options: {
    id: {
      type: 'string',
      multiple: true,
      value: 'ID',
      help: 'the id of a message, as dead-letters shows it',
    },
    all: { type: 'boolean', help: 'all messages' },
    edit: {
      type: 'boolean',
      help: 'edit each task in $VISUAL or $EDITOR first; an empty text leaves the message',
    },
  },
  examples: [
    ['algernon-middy redrive resize --id 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d', 'one message'],
    ['algernon-middy redrive resize --all --profile prod', 'all messages, on AWS'],
    [
      'EDITOR="code --wait" algernon-middy redrive resize --edit --id 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d',
      'repair a task',
    ],
  ],
  async run({ values, args: [task = ''], out, target }) {
    const ids = values.id ?? [];
    if (ids.length > 0 === (values.all ?? false)) {
      throw new UsageError('give either --all, or --id ID for each message (see dead-letters).');
    }
    const editor = values.edit ? findEditor() : undefined;
    const aws = await target();
    const queue = await findQueue(aws, task);
    const dead = await findDeadLetters(aws, queue);
    // Messages that come back meanwhile wait for the next time.
    const { waiting } = await dead.calls.count();
    const { messages, release } = await readMessages(dead, {
      limit: waiting + 10,
      // A person may take a while to edit.
      hiddenSeconds: values.edit ? 3600 : Math.min(3600, 60 + waiting),
      ...(ids.length > 0 && { ids }),
    });
    const results: { messageId: string; outcome: string; error?: string }[] = [];
    try {
      const chosen = messages.filter(({ record }) => ids.length === 0 || ids.includes(record.messageId));
      for (const message of chosen) {
        const { messageId } = message.record;
        try {
          const body = editor ? await editMessage(message, editor) : message.record.body;
          if (body === undefined) {
            results.push({ messageId, outcome: 'left' });
            continue;
          }
          await sendAgain(aws, queue, message, body);
          await remove(dead, message);
          results.push({ messageId, outcome: 'sent' });
        } catch (error) {
          results.push({ messageId, outcome: 'failed', error: (error as Error).message });
        }
      }
      for (const id of ids) {
        if (results.some(({ messageId }) => messageId === id)) continue;
        results.push({
          messageId: id,
          outcome: 'failed',
          error: `is not in the dead-letter queue of ${task}`,
        });
      }
    } finally {
      await release();
    }
    out.json({ queue: queue.url, messages: results });
    for (const { messageId, outcome, error } of results) {
      const line = { sent: 'sent again', left: 'left in the dead-letter queue', failed: plain(error) }[
        outcome
      ];
      (error === undefined ? out.say : out.remark)(`${messageId}  ${line}`);
    }
    const sent = results.filter(({ outcome }) => outcome === 'sent').length;
    out.say(`${sent} of ${results.length} messages sent to ${queue.url}`);
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  },
});

/** The attributes that failurePolicy adds. */
const reasons = new Set(['failure_reason', 'failure_code', 'failed_message_id', 'failed_queue']);

async function sendAgain(
  { sqs }: Target,
  { url }: FoundQueue,
  { record }: FoundMessage,
  body: string,
): Promise<void> {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
  const { MessageGroupId, AWSTraceHeader } = record.attributes;
  const kept = Object.entries(record.messageAttributes).filter(([name]) => !reasons.has(name));
  const isFifo = url.endsWith('.fifo');
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: body,
      MessageAttributes: Object.fromEntries(kept.map(([name, attribute]) => [name, asSent(attribute)])),
      ...(MessageGroupId !== undefined && { MessageGroupId }),
      // With the id of the first message, SQS would drop this one within five minutes.
      ...(isFifo && { MessageDeduplicationId: randomUUID() }),
      ...(AWSTraceHeader && {
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
      }),
    }),
  );
}

function asSent({ dataType, stringValue, binaryValue }: SqsMessageAttribute) {
  return {
    DataType: dataType,
    ...(stringValue !== undefined && { StringValue: stringValue }),
    ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
  };
}

async function remove({ calls }: FoundQueue, { handle }: FoundMessage): Promise<void> {
  const refused = await calls.remove([handle]).catch((error: Error) => [error.message]);
  if (refused.length === 0) return;
  throw new AlgernonError(
    'NOT_DELETED',
    'was sent again, but SQS did not delete it from the dead-letter queue: it is in both queues.',
  );
}
