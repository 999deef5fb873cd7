/** The claims of docs/security.md about forged tickets, through local AWS. */

import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand, PublishCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker, type Worker } from '../../local/index.ts';
import {
  callbackPublisher,
  failurePolicy,
  queued,
  routeTasks,
  sendGroup,
  sqsSnsUnwrap,
  storedDataHydrate,
} from '../../middlewares/index.ts';

jest.setTimeout(120_000);

let aws: LocalAws;
let worker: Worker;
/** Each run of a task: its name, its arguments, and its message attributes. */
const runs: { name: string; kwargs: unknown; attributes: Record<string, string> }[] = [];
const note =
  (name: string) =>
  (kwargs: unknown, _: unknown, { record }: { record: unknown }) => {
    const { MessageAttributes = {} } = JSON.parse((record as { body: string }).body);
    const entries = Object.entries(MessageAttributes as Record<string, { Value: string }>);
    runs.push({
      name,
      kwargs,
      attributes: Object.fromEntries(entries.map(([key, { Value }]) => [key, Value])),
    });
    return { done: name };
  };

const functions = Object.fromEntries(
  ['thumb', 'album', 'after', 'evil'].map((name) => [name, note(name) as never]),
);

beforeAll(async () => {
  aws = await startLocalAws();
  const { s3, sns, sqs, bucket } = aws;
  const handler = middy(queued(routeTasks(functions)))
    .use(callbackPublisher({ s3, sns, sqs, bucket }))
    .use(storedDataHydrate({ s3, bucket }))
    .use(sqsSnsUnwrap())
    .use(failurePolicy({ sqs, backoff: false }))
    .use(sqsPartialBatchFailure({ logger: () => {} }));
  worker = await startWorker({
    aws,
    handler: handler as never,
    tasks: [...Object.keys(functions), 'gather'],
    retryDelaySeconds: 0,
    onInvocation: () => {},
    onError: () => {},
  });
  await sns.send(new CreateTopicCommand({ Name: 'nobody' }));
});
afterAll(async () => {
  await worker.stop();
  await aws.stop();
});

const topics = () => ({
  ...worker.topics,
  nobody: worker.topics.gather?.replace(/gather$/, 'nobody') as string,
});
const namesOf = () => runs.map(({ name }) => name);

/** A group of branches that no worker receives, so that only forged tickets fill it. */
const open = async (count = 2, options = {}) => {
  runs.length = 0;
  const { s3, sns, sqs, bucket } = aws;
  const tasks = Array.from({ length: count }, () => ({ task_name: 'nobody' }));
  const shared = { s3, sns, sqs, bucket, topics: topics() };
  const { groupId, chainId } = await sendGroup(tasks, { then: 'album', ...shared, ...options });
  return { groupId, chainId };
};

const forge = async (task: string, message: object, attributes: Record<string, string> = {}) => {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  await aws.sns.send(
    new PublishCommand({
      TopicArn: worker.topics[task],
      Message: JSON.stringify({ task_name: task, ...message }),
      MessageAttributes,
    }),
  );
  await worker.idle();
};

const objectsOf = async (group: string) => {
  const Prefix = `groups/${group.slice(0, 15)}`;
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
};

test('the ids of two groups have nothing in common', async () => {
  const [a, b] = [await open(), await open()];
  expect(a.groupId.slice(0, 15)).not.toBe(b.groupId.slice(0, 15));
  const shared = [...a.groupId.slice(0, 15)].filter((digit, index) => digit === b.groupId[index]);
  expect(shared.length).toBeLessThan(6);
});

test.each([
  ['with another count', (id: string) => `g-${id}-0-of-3`],
  [
    'with the time of another group',
    (id: string) => `g-${id.slice(0, 20)}${id.endsWith('0') ? '1' : '0'}-0-of-2`,
  ],
  ['of no group', (id: string) => `g-${'0'.repeat(15)}${id.slice(15)}-0-of-2`],
])('a task whose ticket is %s fails before its function runs', async (_, ticketOf) => {
  const { groupId } = await open();
  await forge('thumb', { callback: `thumb#gather#${ticketOf(groupId)}` });
  expect(namesOf()).toEqual([]);
  expect(await objectsOf(groupId)).toHaveLength(1);
});

test.each(['1-of-1', '2-of-2', '00-of-2', '-1-of-2', '0-of-100001', 'deadline-of-2'])(
  'a message to gather with the ticket %s is not a ticket, and fills nothing',
  async (end) => {
    const { groupId } = await open();
    await forge('gather', { callback: `gather#g-${groupId}-${end}` });
    expect(namesOf()).toEqual([]);
    expect(await objectsOf(groupId)).toHaveLength(1);
  },
);

test('a forged ticket names neither the join, nor a task after it, nor an attribute', async () => {
  const { groupId, chainId } = await open(2, { alsoCallbacks: ['after'] });
  const lies = { chain_id: 'evil', on_error: 'evil', also_callbacks: 'evil', group_id: groupId };
  for (const index of [0, 1]) {
    const callback = `evil#gather#g-${groupId}-${index}-of-2`;
    await forge('gather', { task_kwargs: { index, then: 'evil' }, callback, then: 'evil' }, lies);
  }
  expect(namesOf()).toEqual(['album', 'after']);
  expect(runs[0]?.kwargs).toEqual({ results: [0, 1].map((index) => ({ index, then: 'evil' })) });
  expect(runs[0]?.attributes).toEqual({ chain_id: chainId, also_callbacks: 'after', group_id: groupId });
});

test('a replayed ticket changes no result, and sends the join again with the same ones', async () => {
  const { groupId } = await open();
  const fill = (index: number, value: string) =>
    forge('gather', { task_kwargs: { value }, callback: `gather#g-${groupId}-${index}-of-2` });
  await fill(0, 'first');
  await fill(0, 'second');
  expect(namesOf()).toEqual([]);
  await fill(1, 'other');
  const objects = await objectsOf(groupId);
  for (const index of [0, 1, 1, 0]) await fill(index, 'late');
  expect(new Set(namesOf())).toEqual(new Set(['album']));
  for (const { kwargs } of runs)
    expect(kwargs).toEqual({ results: [{ value: 'first' }, { value: 'other' }] });
  expect(await objectsOf(groupId)).toEqual(objects);
});

test('a pointer in a slot leads to no other bucket', async () => {
  const { groupId } = await open(1);
  const pointer = 'other-bucket#secret/key!1.json';
  const task_kwargs = { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer } };
  await forge('gather', { task_kwargs, callback: `gather#g-${groupId}-0-of-1` });
  expect(namesOf()).toEqual([]);
  const letters = await worker.deadLetters('album');
  expect(letters.at(-1)?.messageAttributes.failure_reason?.stringValue).toContain('other-bucket');
});

test('a plan that was not written by this library is refused', async () => {
  const { groupId } = await open();
  for (const Body of ['null', '{', '{"version":1}', `{"version":1,"id":7,"count":2}`]) {
    const Key = `groups/${groupId.slice(0, 15)}/plan`;
    await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key, Body }));
    const before = (await worker.deadLetters('gather')).length;
    await forge('gather', { callback: `gather#g-${groupId}-0-of-2` });
    expect(await worker.deadLetters('gather')).toHaveLength(before + 1);
  }
  expect(await objectsOf(groupId)).toHaveLength(1);
});
