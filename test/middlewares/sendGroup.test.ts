import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { hashOf } from '../../core/groups/ticket.ts';
import {
  AlgObject,
  type ChainEvent,
  createAjson,
  defineTasks,
  type StandardSchema,
} from '../../core/index.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { openBatchTasks, runAs } from '../../middlewares/events/currentTask.ts';
import { type SendGroupOptions, sendGroup } from '../../middlewares/index.ts';

interface Sent {
  TopicArn: string;
  Message: string;
  MessageAttributes: Record<string, { StringValue: string }>;
  MessageGroupId?: string;
}

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

let sent: Sent[] = [];
beforeEach(() => {
  sent = [];
});

const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
const sns = {
  async send({
    input,
  }: {
    input: { TopicArn: string; PublishBatchRequestEntries: (Sent & { Id: string })[] };
  }) {
    const { TopicArn, PublishBatchRequestEntries: entries } = input;
    sent.push(...entries.map((entry) => ({ ...entry, TopicArn })));
    return { Successful: entries.map(({ Id }) => ({ Id, MessageId: `message-${Id}` })) };
  },
};
const optionsWith = (options: Partial<SendGroupOptions> = {}): SendGroupOptions => ({
  then: 'album',
  s3: aws.s3,
  sns: sns as never,
  bucket: aws.bucket,
  topics: topicArn,
  ...options,
});
const thumbs = (kwargs: object = { n: 1 }) => [{ task_name: 'thumb', task_kwargs: kwargs }];

/** The message attributes of the only branch. */
const attributes = () =>
  Object.fromEntries(
    Object.entries(sent[0]?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
  );
const kwargs = () => JSON.parse(sent[0]?.Message ?? '').task_kwargs;

async function objectsOf(prefix: string): Promise<Record<string, unknown>[]> {
  const { Contents = [] } = await aws.s3.send(
    new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: prefix }),
  );
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '');
    }),
  );
}

/** The stored plan of a group. */
async function planOf(group: string) {
  const [plan] = await objectsOf(`groups/${hashOf(group)}/plan`);
  return plan as Record<string, unknown>;
}

test('a group is one chain, with its ids on the branches and on the task after them', async () => {
  const { groupId, chainId } = await sendGroup(thumbs(), optionsWith({ attributes: { tenant: 'a' } }));
  expect(sent.map(({ TopicArn }) => TopicArn)).toEqual([topicArn('thumb')]);
  expect(attributes()).toEqual({ chain_id: chainId, tenant: 'a' });
  expect(await planOf(groupId)).toMatchObject({
    then: { taskName: 'album', topicArn: topicArn('album') },
    attributes: { chain_id: chainId, tenant: 'a', group_id: groupId },
  });
  const other = await sendGroup(thumbs(), optionsWith());
  expect(other.groupId).not.toBe(groupId);
  expect(other.chainId).not.toBe(chainId);
});

test('the id of the chain is that of the option, of the attributes, or of the running task', async () => {
  const running = openBatchTasks([]).start({ chainId: 'running', messageId: 'm' });
  const sendWith = async (options: Partial<SendGroupOptions>) =>
    (await runAs(running, () => sendGroup(thumbs(), optionsWith(options)))).chainId;
  expect(await sendWith({ chainId: 'option', attributes: { tenant: 'a' } })).toBe('option');
  expect(await sendWith({ attributes: { chain_id: 'attribute' } })).toBe('attribute');
  expect(await sendWith({})).toBe('running');
  expect(attributes().chain_id).toBe('option');
});

test.each<[SendGroupOptions['failures'], object, object | undefined]>([
  // Each branch that has failed tells the error task itself.
  [undefined, { on_error: 'cleanup' }, undefined],
  ['wait', { on_error: 'cleanup' }, undefined],
  // The group does.
  ['fail', {}, { taskName: 'cleanup', topicArn: topicArn('cleanup') }],
])('with failures %j the error task is told by the attributes %j', async (failures, branch, onError) => {
  const options = { onError: 'cleanup', ...(failures && { failures }) };
  const { groupId, chainId } = await sendGroup(thumbs(), optionsWith(options));
  expect(attributes()).toEqual({ chain_id: chainId, ...branch });
  const plan = await planOf(groupId);
  expect(plan.onError).toEqual(onError);
  expect(plan.attributes).toEqual({ chain_id: chainId, group_id: groupId, on_error: 'cleanup' });
});

test('arguments are written by the registry of the option, and large ones go through S3', async () => {
  class Size extends AlgObject {
    px = 5;
    static parseJson() {
      return new Size();
    }
  }
  const ajson = createAjson({ classes: [{ class: Size, module: 'shop', name: 'Size' }] });
  await sendGroup(thumbs({ size: new Size() }), optionsWith({ ajson }));
  expect(kwargs().size).toEqual({ _alg_class: 'Size', _alg_module: 'shop', value: { px: 5 } });
  sent = [];
  const options = { ajson, inlineUnder: 10, folder: 'large-arguments' };
  await sendGroup(thumbs({ size: new Size(), text: 'x'.repeat(20) }), optionsWith(options));
  expect(kwargs().value.pointer).toContain(`${aws.bucket}#large-arguments/`);
  expect(JSON.stringify(await objectsOf('large-arguments/'))).toContain('Size');
});

/** A schema that refuses one task. */
const kwargsSchema: StandardSchema<{ bad?: boolean }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      (value as { bad?: boolean }).bad ? { issues: [{ message: 'no', path: ['bad'] }] } : { value: {} },
  },
};
const definitions = defineTasks({ thumb: { kwargs: kwargsSchema } });

test.each<[string, object, Partial<SendGroupOptions>, object]>([
  ['arguments that are not an object', { task_kwargs: 5 }, {}, { code: 'BAD_ARGUMENTS' }],
  ['arguments that ajson cannot write', { task_kwargs: { f: () => 1 } }, {}, { code: 'AJSON_VALUE' }],
  [
    'a task without a topic',
    { task_name: 'nobody' },
    { topics: { thumb: topicArn('thumb'), album: topicArn('album') } },
    { code: 'TOPIC_NOT_FOUND' },
  ],
  [
    'arguments that do not fit their definition',
    { task_kwargs: { bad: true } },
    { tasks: definitions } as never,
    { code: 'BAD_ARGUMENTS', path: '$.task_kwargs.bad' },
  ],
])('%s: the group is refused before anything is stored', async (kind, bad, options, expected) => {
  const folder = `refused-${kind.length}`;
  const tasks = [...thumbs({ text: 'x'.repeat(20) }), { ...thumbs()[0], ...bad }] as never;
  const sending = sendGroup(tasks, optionsWith({ folder, inlineUnder: 10, ...options }) as never);
  await expect(sending).rejects.toMatchObject(expected);
  expect([sent, await objectsOf(`${folder}/`)]).toEqual([[], []]);
});

describe('a deadline', () => {
  const sqsWith = (fails: boolean) => {
    const bodies: { TopicArn: string; Message: string }[] = [];
    const send = async ({ input }: { input: { Entries: { Id: string; MessageBody: string }[] } }) => {
      bodies.push(...input.Entries.map(({ MessageBody }) => JSON.parse(MessageBody)));
      const failed = input.Entries.map(({ Id }) => ({ Id, Code: 'AccessDenied', SenderFault: true }));
      return fails ? { Failed: failed } : { Successful: input.Entries };
    };
    return { sqs: { send }, bodies };
  };
  const queues = { gather: 'https://sqs.us-east-1.amazonaws.com/123456789012/joins' };

  test('goes to the queue of gather, as if its topic had sent it', async () => {
    const { sqs, bodies } = sqsWith(false);
    const { groupId } = await sendGroup(thumbs(), optionsWith({ deadlineSeconds: 60, sqs, queues }));
    expect(bodies).toMatchObject([{ TopicArn: topicArn('gather') }]);
    expect(JSON.parse(String(bodies[0]?.Message))).toEqual({
      task_name: 'gather',
      task_kwargs: {},
      callback: `gather#g-${groupId}-deadline`,
    });
  });

  test('that cannot be sent fails the call', async () => {
    const { sqs } = sqsWith(true);
    const sending = sendGroup(thumbs(), optionsWith({ deadlineSeconds: 60, sqs, queues }));
    await expect(sending).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
  });
});

test('an event is written for each branch', async () => {
  const events: ChainEvent[] = [];
  const { chainId, groupId } = await sendGroup(
    [...thumbs(), ...thumbs()],
    optionsWith({ events: (written) => void events.push(...written) }),
  );
  expect(events).toMatchObject(
    [0, 1].map((index) => ({
      type: 'sent',
      chainId,
      taskName: 'thumb',
      messageId: expect.any(String),
      group: { id: groupId, index },
    })),
  );
});

test.each<[Partial<SendGroupOptions>, string]>([
  [{ groupId: '' }, 'sendGroup: groupId must be'],
  [{ groupId: 'a b' }, 'sendGroup: groupId must be'],
  [{ groupId: 'x'.repeat(129) }, 'sendGroup: groupId must be'],
  [{ functionArn: 'not an arn:' }, 'sendGroup: functionArn must be'],
  [{ attributes: { a: {} as never } }, 'sendGroup: attributes.a '],
  [{ then: 'a b' }, 'it is not the name of a task'],
  [{ bucket: 'a b' }, 'sendGroup: bucket must be'],
  [{ events: 7 as never }, 'sendGroup: events must be'],
  [{ thenn: 'album' } as never, 'sendGroup: there is no option "thenn"'],
])('%j is refused, and nothing is sent', async (options, message) => {
  await expect(sendGroup(thumbs(), optionsWith(options))).rejects.toThrow(message);
  expect(sent).toEqual([]);
});

test('a message group of 128 characters is taken', async () => {
  const groupId = '!~'.repeat(64);
  await sendGroup(thumbs(), optionsWith({ groupId }));
  expect(sent[0]?.MessageGroupId).toBe(groupId);
});
