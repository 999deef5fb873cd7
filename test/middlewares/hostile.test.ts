import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { NotATaskError } from '../../core/batch/unwrapTask.ts';
import { queued, routeTasks } from '../../core/index.ts';
import { CallbackError } from '../../core/tasks/nextTask.ts';
import { UnknownTaskError } from '../../core/tasks/routeTasks.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { PublishError } from '../../middlewares/aws/PublishError.ts';
import type { Topics } from '../../middlewares/aws/topics.ts';
import { callbackPublisher } from '../../middlewares/callbackPublisher.ts';
import { sqsSnsUnwrap } from '../../middlewares/sqsSnsUnwrap.ts';
import { storedDataHydrate } from '../../middlewares/storedDataHydrate.ts';
import { type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
  for (const name of ['next', 'work', 'constructor', 'link0']) {
    await aws.sns.send(new CreateTopicCommand({ Name: name }));
  }
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

const tag = (pointer: unknown) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer },
});
const pointerTo = (name: string) => `${aws.bucket}#cache/${name}!1.5.json`;
const store = (name: string, value: unknown, { safe = false, full = true } = {}) =>
  aws.s3.send(
    new PutObjectCommand({
      Bucket: aws.bucket,
      Key: `cache/${name}!1.5.json`,
      Body: JSON.stringify({ data_string: value, full_unpack: full, safe_mode: safe }),
    }),
  );

/** Runs a hostile message between two good ones. Returns its outcome and the calls that reached AWS. */
async function run(
  hostile: unknown,
  {
    topics,
    maxBytes = 1_000_000,
    raw = false,
    messageAttributes = {},
  }: { topics?: Topics; maxBytes?: number } & Parameters<typeof sqsRecord>[1] = {},
) {
  const { s3, sns, attempts } = open();
  const done: unknown[] = [];
  const { bucket } = aws;
  const work = (kwargs: object) => {
    done.push(kwargs);
    return kwargs;
  };
  const handler = middy(queued(routeTasks({ work, good: () => {} })))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3, bucket, maxBytes }))
    .use(callbackPublisher({ s3, sns, bucket, ...(topics && { topics }) }));
  const good = () => sqsRecord({ task_name: 'good' });
  const record = sqsRecord(hostile, { raw, messageAttributes });
  const invokedFunctionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker`;
  const context = lambdaContext({ invokedFunctionArn });
  const event: { Records: SQSRecord[] } = { Records: [good(), record, good()] };
  const settled = (await handler(event, context)) as SettledBatch<unknown>;
  expect([settled[0]?.status, settled[2]?.status]).toEqual(['fulfilled', 'fulfilled']);
  const [, outcome] = settled;
  return {
    error: outcome?.status === 'rejected' ? outcome.reason : undefined,
    reached: attempts.map(({ operation }) => operation),
    sent: attempts.filter(({ operation }) => operation === 'PublishBatch').map(({ target }) => target),
    done,
  };
}

const open = () => {
  const clients = faultyClients(aws, () => undefined);
  opened.push(clients);
  return clients;
};

describe('a pointer', () => {
  test.each([
    ['another bucket', 'other-bucket#cache/x!1.5.json'],
    ['a bucket named like a property of Object.prototype', 'constructor#cache/x!1.5.json'],
    ['an access point in another region', 'arn:aws:s3:eu-west-1:123456789012:accesspoint:x#cache/x!1.5.json'],
    ['a bucket behind a URL', 'bucket.s3.eu-west-1.amazonaws.com#cache/x!1.5.json'],
  ])('to %s is refused without a call to AWS', async (_, pointer) => {
    const { error, reached, done } = await run({ task_name: 'work', task_kwargs: { at: [tag(pointer)] } });
    expect(error).toMatchObject({ code: 'BUCKET_NOT_ALLOWED' });
    expect(error).toMatchObject({ path: '$.task_kwargs.at[0]', retryable: false });
    expect({ reached, done }).toEqual({ reached: [], done: [] });
  });

  test.each([
    ['above the bucket', '../x!1.5.json'],
    ['above its folder', 'cache/../secrets/x!1.5.json'],
    ['above the bucket by its folder', '../x!1.5.json'],
    ['here', './x!1.5.json'],
    ['without a time', 'cache/x.json'],
    ['with another ending', 'cache/x!1.5.yaml'],
    ['with a query string', 'cache/x!1.5.json?versionId=1'],
    ['with a trailing line break', 'cache/x!1.5.json\n'],
    ['with a line break inside', 'cache/x\n!1.5.json'],
    ['with a lone surrogate', 'cache/\ud83d!1.5.json'],
    ['that is empty', ''],
  ])('to a key %s is refused without a call to AWS', async (_, key) => {
    const { error, reached, done } = await run({
      task_name: 'work',
      task_kwargs: tag(`${aws.bucket}#${key}`),
    });
    expect(error).toMatchObject({ code: 'BAD_POINTER' });
    expect(error).toMatchObject({ path: '$.task_kwargs', retryable: false });
    expect({ reached, done }).toEqual({ reached: [], done: [] });
  });

  test.each([
    ['a number', 7],
    ['nothing', ''],
    ['null', null],
    ['an object', { toString: 'x' }],
    ['a URL', 'https://example.com/cache/x!1.5.json'],
    ['10,000 characters', '#'.repeat(10_000)],
  ])('that is %s is refused without a call to AWS', async (_, pointer) => {
    const { error, reached } = await run({ task_name: 'work', task_kwargs: tag(pointer) });
    expect(error).toMatchObject({ code: 'BAD_POINTER' });
    expect(reached).toEqual([]);
  });

  test('to itself is an error', async () => {
    await store('circle', { again: tag(pointerTo('circle')) });
    const { error, reached } = await run({ task_name: 'work', task_kwargs: tag(pointerTo('circle')) });
    expect(error).toMatchObject({ code: 'TOO_MANY_POINTERS' });
    expect(reached).toEqual(['GET']);
  });

  test('to values that refer to ever more values reads each once and stops at the limit', async () => {
    const layers = Array.from({ length: 7 }, (_, i) => Array.from({ length: 7 }, (_, j) => `web${i}-${j}`));
    for (const [i, layer] of layers.entries()) {
      const below = (layers[i + 1] ?? []).map((name) => tag(pointerTo(name)));
      for (const name of layer) await store(name, below);
    }
    const { error, reached } = await run({ task_name: 'work', task_kwargs: tag(pointerTo('web0-0')) });
    expect(error).toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
    expect(reached.length).toBeLessThanOrEqual(1 + 6 * 7);
  });

  test('to many values under the limit is read only up to the limit for all', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `part${i}`);
    for (const name of names) await store(name, 'x'.repeat(400));
    const kwargs = Object.fromEntries(names.map((name) => [name, tag(pointerTo(name))]));
    const { error, done } = await run({ task_name: 'work', task_kwargs: kwargs }, { maxBytes: 1500 });
    expect(error).toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
    expect(done).toEqual([]);
  });

  test('in a value with safe_mode is not followed', async () => {
    const inside = tag('other-bucket#cache/x!1.5.json');
    await store('safe', { inside }, { safe: true });
    const { error, done, reached } = await run({
      task_name: 'work',
      task_kwargs: { at: tag(pointerTo('safe')) },
    });
    expect(error).toBeUndefined();
    expect({ done, reached }).toEqual({ done: [{ at: { inside } }], reached: ['GET'] });
  });

  test('beside __proto__ changes no prototype', async () => {
    await store('proto', { polluted: true });
    const pointer = JSON.stringify(tag(pointerTo('proto')));
    const text = `{"task_name":"work","task_kwargs":{"a":${pointer},"__proto__":${pointer},"constructor":{"prototype":${pointer}}}}`;
    const { error, done } = await run(text);
    expect(error).toBeUndefined();
    const [kwargs] = done as [object];
    expect(Object.keys(kwargs).sort()).toEqual(['__proto__', 'a', 'constructor']);
    expect(Object.getPrototypeOf(kwargs)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a callback', () => {
  test.each<[string, unknown]>([
    ['an ARN', 'arn:aws:sns:eu-west-1:999999999999:foreign'],
    ['a URL', 'https://sqs.us-east-1.amazonaws.com/999999999999/foreign'],
    ['a path', '../next'],
    ['a name with a space', 'next task'],
    ['a name of 257 characters', 'n'.repeat(257)],
    ['a name with an umlaut', 'nächste'],
    ['a name with a trailing line break', 'next\n'],
    ['.fifo alone', '.fifo'],
    ['a chain with an ARN in it', 'next#arn:aws:sns:eu-west-1:999999999999:foreign'],
    ['a chain with an empty link', 'work##next'],
    ['a chain without an end', 'work#'],
    ['a chain with a repeated link', 'work#work'],
    ['a cyclic chain', 'work#next#work'],
    ['a number', 7],
    ['a list', ['next']],
    ['an object with a toString', { toString: 'x', valueOf: 'x' }],
  ])('that is %s is refused before the task runs, without a call to AWS', async (_, callback) => {
    const { error, reached, done } = await run({ task_name: 'work', task_kwargs: {}, callback });
    expect(error).toBeInstanceOf(CallbackError);
    expect(error).toMatchObject({ path: '$.callback', retryable: false });
    expect(error.message.length).toBeLessThan(300);
    expect({ reached, done }).toEqual({ reached: [], done: [] });
  });

  test('of a thousand links is sent to its first link unchanged', async () => {
    const chain = Array.from({ length: 1000 }, (_, i) => `link${i}`).join('#');
    const { error, sent } = await run({ task_name: 'work', task_kwargs: {}, callback: chain });
    expect(error).toBeUndefined();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(`"callback":"${chain}"`);
  });

  test('with more links than a message holds is refused', async () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => `link${i}`).join('#');
    const { error, sent } = await run({ task_name: 'work', task_kwargs: {}, callback: chain }, { raw: true });
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(sent).toEqual([]);
  });

  test('among more than ten is refused before the task runs', async () => {
    for (const number of [11, 60_000]) {
      const stringValue = Array.from({ length: number }, (_, i) => i.toString(36)).join();
      const messageAttributes = { also_callbacks: { dataType: 'String', stringValue } };
      const { error, done, reached } = await run(
        { task_name: 'work', task_kwargs: {} },
        { raw: true, messageAttributes },
      );
      expect(error).toBeInstanceOf(CallbackError);
      expect(error.message).toContain('also_callbacks holds more than 10');
      expect({ done, reached }).toEqual({ done: [], reached: [] });
    }
    const stringValue = Array(10).fill('next').join();
    const messageAttributes = { also_callbacks: { dataType: 'String', stringValue } };
    const { error } = await run({ task_name: 'work', task_kwargs: {} }, { raw: true, messageAttributes });
    expect(error).toBeUndefined();
  });

  test('to the task itself runs it once more and ends', async () => {
    const { error, sent } = await run({ task_name: 'work', task_kwargs: {}, callback: 'work' });
    expect(error).toBeUndefined();
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toContain('"callback"');
  });

  test('leads only to the topics in the option', async () => {
    const topics = { next: `arn:aws:sns:${aws.region}:${aws.accountId}:next` };
    for (const callback of ['work', 'constructor', '__proto__', 'toString']) {
      const { error, reached } = await run({ task_name: 'work', task_kwargs: {}, callback }, { topics });
      expect(error).toMatchObject({ code: 'TOPIC_NOT_FOUND' });
      // The result is not stored either, since nothing would point to it.
      expect(reached).toEqual([]);
    }
  });

  test('never uses the prototype of the topics', async () => {
    const topics = Object.create({ next: `arn:aws:sns:${aws.region}:${aws.accountId}:next` });
    const { error } = await run({ task_name: 'work', task_kwargs: {}, callback: 'next' }, { topics });
    expect(error).toMatchObject({ code: 'TOPIC_NOT_FOUND' });
  });

  test("by default leads only to topics in the function's own region and account", async () => {
    const { error, sent } = await run({ task_name: 'work', task_kwargs: {}, callback: 'not-there' });
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toMatchObject({ retryable: false });
    expect(sent[0]).toContain(`TopicArn=arn:aws:sns:${aws.region}:${aws.accountId}:not-there&`);
  });
});

describe('a task', () => {
  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', ''])(
    'named %j is unknown',
    async (task_name) => {
      const { error, reached } = await run(`{"task_name":${JSON.stringify(task_name)},"callback":"next"}`);
      expect(error).toBeInstanceOf(UnknownTaskError);
      expect(error.message).toContain(`task: ${task_name} is not registered with the system`);
      expect(reached).toEqual([]);
    },
  );

  const envelope = (message: unknown) => ({
    Type: 'Notification',
    TopicArn: 'arn:aws:sns:us-east-1:123456789012:work',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
  });

  test('in an envelope in an envelope is unwrapped once', async () => {
    const { error, reached, done } = await run(envelope(envelope({ task_name: 'work' })));
    expect(error).toBeInstanceOf(NotATaskError);
    expect({ reached, done }).toEqual({ reached: [], done: [] });
  });

  test('with an envelope as its arguments gets them unchanged', async () => {
    const task_kwargs = envelope({ task_name: 'good' });
    const { error, done } = await run({ task_name: 'work', task_kwargs });
    expect({ error, done }).toEqual({ error: undefined, done: [task_kwargs] });
  });

  test('with 10 MB of arguments runs, and its result goes through S3', async () => {
    const task_kwargs = { list: Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(10_000, 'ü')) };
    const { error, done, reached, sent } = await run({ task_name: 'work', task_kwargs, callback: 'next' });
    expect(error).toBeUndefined();
    expect(done).toEqual([task_kwargs]);
    expect(reached).toContain('PUT');
    expect(sent[0]?.length).toBeLessThan(1000);
  });

  test('nested too deep fails alone', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { error, reached } = await run(`{"task_name":"work","task_kwargs":${deep}}`);
    expect(error).toMatchObject({ name: 'MessageNotJsonError', retryable: false });
    expect(reached).toEqual([]);
  });
});
