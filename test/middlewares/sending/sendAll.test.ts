import type { PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { describe, expect, test } from '@jest/globals';
import { type CurrentTask, runAs } from '../../../middlewares/events/currentTask.ts';
import type { SendTaskOptions } from '../../../middlewares/index.ts';
import { sendAll } from '../../../middlewares/sending/sendAll.ts';
import { inScope } from '../../../middlewares/tracing/scope.ts';

const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
type Entry = { Id: string; Message: string; MessageAttributes?: Record<string, { StringValue: string }> };

/** Sends one task, and returns its outcome, its message and what was stored. */
async function send(task: object = {}, options: Partial<SendTaskOptions> = {}) {
  const entries: Entry[] = [];
  const stored: Record<string, string> = {};
  let puts = 0;
  const sns = {
    async send({ input }: PublishBatchCommand) {
      const sent = (input.PublishBatchRequestEntries ?? []) as Entry[];
      entries.push(...sent);
      return { Successful: sent.map(({ Id }) => ({ Id, MessageId: `m-${Id}` })) };
    },
  };
  const s3 = {
    async send({ input: { Key, Body } }: PutObjectCommand) {
      puts += 1;
      stored[String(Key)] = String(Body);
      return {};
    },
  };
  const given = { sns, s3, bucket: 'b', topics: topicArn, ...options } as unknown as SendTaskOptions;
  const [outcome] = await sendAll([{ task_name: 'work', ...task }], given);
  const { Message = '', MessageAttributes = {} } = entries[0] ?? {};
  const attributes = Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
  );
  return { outcome, message: Message, attributes, stored, puts };
}

const within = <T>(outgoingAttributes: Record<string, string> | undefined, work: () => T) =>
  inScope(
    {
      invocation: { tracing: undefined, ended: false },
      task: outgoingAttributes && { outgoingAttributes, trace: undefined },
      isRoot: false,
    },
    work,
  );
const nine = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`key${n}`, 'v']));

describe('an extended payload', () => {
  const task = { task_name: 'work', task_kwargs: { text: 'é' }, callback: 'next' };
  const body = JSON.stringify(task);
  const bytes = Buffer.byteLength(body);

  test('stays in the message up to inlineUnder bytes', async () => {
    const { message, stored, attributes } = await send(task, { extendedPayload: true, inlineUnder: bytes });
    expect([message, stored, Object.keys(attributes)]).toEqual([body, {}, ['chain_id']]);
    expect((await send(task, { extendedPayload: true })).message).toBe(body);
  });

  test('goes through S3 as a whole beyond that, with its size', async () => {
    const options = { extendedPayload: true, inlineUnder: bytes - 1, attributes: { tenant: 'blue' } };
    const { message, stored, attributes } = await send(task, options);
    const [s3Key] = Object.keys(stored);
    expect(stored).toEqual({ [String(s3Key)]: body });
    expect(JSON.parse(message)).toEqual([
      'software.amazon.payloadoffloading.PayloadS3Pointer',
      { s3BucketName: 'b', s3Key },
    ]);
    expect(attributes).toEqual({
      tenant: 'blue',
      ExtendedPayloadSize: String(bytes),
      chain_id: expect.any(String),
    });
  });

  test('is not stored if its size is one attribute too many', async () => {
    const options = { extendedPayload: true, inlineUnder: 0, attributes: nine };
    const { outcome, stored } = await send(task, options);
    expect(outcome).toMatchObject({ error: { code: 'BAD_ATTRIBUTES' } });
    expect(stored).toEqual({});
    const { key0: _, ...eight } = nine;
    expect((await send(task, { ...options, attributes: eight })).outcome).toHaveProperty('sent');
    const carried = await within({ tenant: 'blue' }, () => send(task, { ...options, attributes: eight }));
    expect([carried.outcome, carried.stored]).toEqual([
      { error: expect.objectContaining({ code: 'BAD_ATTRIBUTES' }) },
      {},
    ]);
  });

  test('may be sent outside of tasks in an invocation', async () => {
    const { outcome } = await within(undefined, () => send(task, { extendedPayload: true, inlineUnder: 0 }));
    expect(outcome).toHaveProperty('sent');
  });
});

describe('a task that is sent within a task', () => {
  const running: CurrentTask = { chainId: 'running', messageId: 'm', writers: [], hasEnded: false };

  test.each<[string, Partial<SendTaskOptions>, Record<string, string> | undefined]>([
    ['option', { chainId: 'option' }, { chain_id: 'carried' }],
    ['attribute', { attributes: { chain_id: 'attribute' } }, { chain_id: 'carried' }],
    ['carried', {}, { chain_id: 'carried' }],
    ['running', {}, {}],
    ['running', {}, undefined],
  ])('has the chain of the %s', async (chain, options, carried) => {
    const { outcome, attributes } = await runAs(running, () => within(carried, () => send({}, options)));
    expect(outcome?.sent?.chainId).toBe(chain);
    expect(attributes).toMatchObject({ chain_id: chain });
  });

  test('has the attributes of that one, and its own in their place', async () => {
    const carried = { tenant: 'blue', region: 'north' };
    const { attributes } = await within(carried, () => send({}, { attributes: { tenant: 'red' } }));
    expect(attributes).toEqual({ tenant: 'red', region: 'north', chain_id: expect.any(String) });
  });

  test('is refused if there are too many with its own, and nothing is stored', async () => {
    const { outcome, stored } = await within({ tenant: 'blue' }, () =>
      send({ task_kwargs: { a: 1 } }, { attributes: nine, inlineUnder: 0 }),
    );
    expect(outcome).toMatchObject({ error: { code: 'BAD_ATTRIBUTES' } });
    expect(stored).toEqual({});
  });
});

test.each<[object, number, number]>([
  [{}, 1000, 0],
  [{ task_kwargs: {} }, 1000, 0],
  [{ task_kwargs: { a: 1 } }, 1000, 1],
  [{ task_kwargs: { a: 1 } }, 0, 1],
])(
  'the arguments of %j with inlineUnder %i are stored %i times if the message never fits',
  async (task, inlineUnder, expected) => {
    const { outcome, puts } = await send(task, { maxMessageBytes: 10, inlineUnder });
    expect(outcome).toMatchObject({ error: { code: 'MESSAGE_TOO_LARGE' } });
    expect(puts).toBe(expected);
  },
);

test('tasks for several topics have outcomes in their order', async () => {
  const sns = {
    async send({ input }: PublishBatchCommand) {
      const sent = (input.PublishBatchRequestEntries ?? []) as Entry[];
      if (input.TopicArn === topicArn('b')) throw new Error('down');
      return { Successful: sent.map(({ Id }) => ({ Id, MessageId: `${input.TopicArn}-${Id}` })) };
    },
  };
  const tasks = ['a', 'b', 'c', 'a'].map((task_name) => ({ task_name }));
  const outcomes = await sendAll(tasks, { sns: sns as never, topics: topicArn });
  expect(outcomes.map(({ sent, error }) => sent?.messageId ?? (error as { code: string }).code)).toEqual([
    `${topicArn('a')}-0`,
    'PUBLISH_FAILED',
    `${topicArn('c')}-0`,
    `${topicArn('a')}-1`,
  ]);
});
