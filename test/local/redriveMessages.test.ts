import type { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import type { QueueCalls } from '../../local/queueCalls.ts';
import { redriveMessages } from '../../local/redriveMessages.ts';

/** A dead-letter queue whose sends and deletions fail as told. */
function queueOf(
  bodies: readonly string[],
  { send, remove, hide }: { send?: string; remove?: string; hide?: boolean } = {},
) {
  const sent: string[] = [];
  const messages = bodies.map((Body) => ({
    MessageId: `id-${Body}`,
    ReceiptHandle: Body,
    Body,
    Attributes: {},
  }));
  const calls = {
    count: async () => ({ waiting: messages.length, hidden: 0, delayed: 0 }),
    receive: async () => messages.splice(0),
    remove: async ([handle]: string[]) => (handle === remove ? ['refused'] : []),
    hide: async () => {
      if (hide) throw new Error('no answer');
    },
  } as unknown as QueueCalls;
  const sqs = {
    async send({ input }: { input: { MessageBody: string } }) {
      if (input.MessageBody === send) throw new Error('throttled');
      sent.push(input.MessageBody);
    },
  } as unknown as SQSClient;
  const deadLetters = { url: 'https://sqs/dead', arn: '', calls };
  return { sent, options: { sqs, taskName: 'resize', queueUrl: 'https://sqs/resize', deadLetters } };
}

test('reports each message, and goes on after a failure', async () => {
  const { sent, options } = queueOf(['a', 'b', 'c', 'd'], { send: 'a', remove: 'b' });
  const bodyOf = ({ record }: { record: { body: string } }) =>
    record.body === 'c' ? undefined : record.body;
  expect(await redriveMessages({ ...options, bodyOf })).toEqual([
    { messageId: 'id-a', outcome: 'failed', error: 'throttled' },
    {
      messageId: 'id-b',
      outcome: 'failed',
      code: 'NOT_DELETED',
      error: expect.stringMatching(/^The message id-b was sent again, but SQS did not delete it/),
    },
    { messageId: 'id-c', outcome: 'left' },
    { messageId: 'id-d', outcome: 'sent' },
  ]);
  expect(sent).toEqual(['b', 'd']);
});

test('sends only the messages with the ids, and names each that is missing once', async () => {
  const { sent, options } = queueOf(['a', 'b']);
  expect(await redriveMessages({ ...options, ids: ['id-b', 'lost', 'lost'] })).toEqual([
    { messageId: 'id-b', outcome: 'sent' },
    {
      messageId: 'lost',
      outcome: 'failed',
      code: 'MESSAGE_NOT_FOUND',
      error: 'The message is not in the dead-letter queue of resize.',
    },
  ]);
  expect(sent).toEqual(['b']);
});

test('reports the outcomes even if the other messages cannot be shown again', async () => {
  const { options } = queueOf(['a'], { hide: true });
  expect(await redriveMessages(options)).toEqual([{ messageId: 'id-a', outcome: 'sent' }]);
});
