import { redriveMessages } from '../../redriveMessages.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { editMessage, findEditor } from '../editMessage.ts';
import { plain } from '../output.ts';
import { findDeadLetters, findQueue } from '../queues.ts';

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
    const results = await redriveMessages({
      sqs: aws.sqs,
      taskName: task,
      queueUrl: queue.url,
      deadLetters: dead,
      ...(ids.length > 0 && { ids }),
      // A person may take a while to edit.
      ...(editor && { hiddenSeconds: 3600, bodyOf: (message) => editMessage(message, editor) }),
    });
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
