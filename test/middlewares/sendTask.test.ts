import { GetObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AjsonError } from '../../core/ajson/AjsonError.ts';
import {
  CallbackError,
  NotATaskError,
  OptionError,
  PublishError,
  StoredDataUnavailableError,
  TopicNotFoundError,
} from '../../core/errors.ts';
import { Decimal, StoredData, type Task } from '../../core/index.ts';
import { type LocalAws, type SqsRecord, startLocalAws, startWorker } from '../../local/index.ts';
import { type SendTaskOptions, sendTask } from '../../middlewares/sendTask.ts';
import { type FaultOf, type FaultyClients, faultyClients, reset } from '../support/faultyClients.ts';

let aws: LocalAws;
let topics: Record<string, string>;
beforeAll(async () => {
  aws = await startLocalAws();
  const { TopicArn = '' } = await aws.sns.send(new CreateTopicCommand({ Name: 'work' }));
  topics = { work: TopicArn };
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

async function send(
  task: Task<object>,
  options: Partial<SendTaskOptions> = {},
  faultOf: FaultOf = () => undefined,
) {
  const clients = faultyClients(aws, faultOf);
  opened.push(clients);
  const { s3, sns, attempts } = clients;
  let error: unknown;
  await sendTask(task, { s3, sns, bucket: aws.bucket, topics, ...options } as SendTaskOptions).catch((e) => {
    error = e;
  });
  const { target = '' } = attempts.find(({ service }) => service === 'sns') ?? {};
  const message = /\.Message=(.*?)(?=&Publish|&Version|&TopicArn|$)/.exec(target)?.[1];
  return { error, message, target, operations: attempts.map(({ operation }) => operation) };
}

describe('sendTask', () => {
  test('puts a task on its topic, byte for byte as WIRE has it', async () => {
    const { message, error } = await send({
      task_name: 'work',
      task_kwargs: { width: 200 },
      callback: 'a#b',
    });
    expect(error).toBeUndefined();
    expect(message).toBe('{"task_name":"work","task_kwargs":{"width":200},"callback":"a#b"}');
  });

  test.each([undefined, null])('sends arguments of %j as {}', async (task_kwargs) => {
    expect((await send({ task_name: 'work', task_kwargs })).message).toBe(
      '{"task_name":"work","task_kwargs":{}}',
    );
  });

  test('writes arguments in ajson', async () => {
    const { message } = await send({ task_name: 'work', task_kwargs: { total: new Decimal('1.10') } });
    expect(JSON.parse(message ?? '').task_kwargs).toEqual({
      total: { _alg_class: 'decimal', value: '1.10' },
    });
  });

  test('sends what SQS does not carry in another spelling of the same', async () => {
    const text = 'a\uFFFE\uFFFF\\\uFFFF😀';
    const { message = '' } = await send({ task_name: 'work', task_kwargs: { text } });
    expect(message).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(JSON.parse(message).task_kwargs).toEqual({ text });
  });

  test('puts arguments over inlineUnder into S3, under a name of their own, in the folder given', async () => {
    const task = { task_name: 'work', task_kwargs: { text: 'ü'.repeat(10) } };
    const first = await send(task, { inlineUnder: 30, folder: 'sent' });
    const second = await send(task, { inlineUnder: 30, folder: 'sent' });
    expect(first.operations).toEqual(['PUT', 'PublishBatch']);
    const [one, other] = [first, second].map(
      ({ message }) => JSON.parse(message ?? '').task_kwargs.value.pointer as string,
    );
    expect(one).toMatch(new RegExp(`^${aws.bucket}#sent/[\\w-]+-work!\\d+\\.\\d{3}\\.json$`));
    expect(one).not.toBe(other);
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: one?.split('#')[1] }));
    expect(await Body?.transformToString()).toBe(
      `{"data_string":{"text":"${'ü'.repeat(10)}"},"full_unpack":true,"safe_mode":false}`,
    );
    expect((await send(task, { inlineUnder: 31 })).operations).toEqual(['PublishBatch']);
  });

  test('sends a StoredData as it is', async () => {
    const stored = new StoredData({ pointer: 'b#cache/x!1.5.json', value: 1 });
    const { message, operations } = await send({ task_name: 'work', task_kwargs: stored });
    expect(JSON.parse(message ?? '').task_kwargs.value).toEqual({ pointer: stored.pointer });
    expect(operations).toEqual(['PublishBatch']);
  });

  test('finds the topic beside the function', async () => {
    const functionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:sender`;
    const options = { topics: undefined, functionArn } as unknown as Partial<SendTaskOptions>;
    const { target, error } = await send({ task_name: 'work' }, options);
    expect(error).toBeUndefined();
    expect(target).toContain(`TopicArn=${topics.work}`);
  });

  test('on a FIFO topic gives group and deduplication id, of its own or as asked', async () => {
    const records: SqsRecord[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['ordered'],
      fifo: true,
      handler: async ({ Records }) => void records.push(...Records),
    });
    const options = { topics: worker.topics };
    await send({ task_name: 'ordered' }, options);
    await send({ task_name: 'ordered' }, options);
    for (let i = 0; i < 2; i += 1) {
      await send({ task_name: 'ordered' }, { ...options, groupId: 'G', deduplicationId: 'D' });
    }
    await worker.idle();
    await worker.stop();
    expect(records).toHaveLength(3);
    const groups = records.map(({ attributes }) => attributes.MessageGroupId);
    expect(new Set(groups).size).toBe(3);
    expect(records.filter(({ attributes }) => attributes.MessageDeduplicationId === 'D')).toHaveLength(1);
  });

  test('lets attributes travel with the task', async () => {
    const { target } = await send({ task_name: 'work' }, { attributes: { tenant: 'blue', empty: '' } });
    expect(target).toMatch(/Name=tenant&.*StringValue=blue/);
    expect(target).not.toContain('empty');
  });
});

describe('an error', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const cases: [string, Task<object>, Partial<SendTaskOptions>, abstract new (...args: never[]) => Error][] =
    [
      ['no task', { name: 'work' } as never, {}, NotATaskError],
      ['no name', { task_name: undefined } as never, {}, NotATaskError],
      ['a callback that leads nowhere', { task_name: 'work', callback: 'a:b' }, {}, CallbackError],
      ['a callback that never ends', { task_name: 'work', callback: 'work#a#work' }, {}, CallbackError],
      ['a name that topics does not have', { task_name: 'toString' }, {}, TopicNotFoundError],
      ['nothing that says where', { task_name: 'work' }, { topics: undefined } as never, TopicNotFoundError],
      [
        'a name that no topic has',
        { task_name: 'a:b' },
        { topics: undefined, functionArn: 'arn:aws:lambda:us-east-1:1:function:f' } as never,
        TopicNotFoundError,
      ],
      ['arguments with a circle', { task_name: 'work', task_kwargs: circle }, {}, AjsonError],
      ['a bad inlineUnder', { task_name: 'work' }, { inlineUnder: -1 }, OptionError],
      ['a bad folder', { task_name: 'work' }, { folder: 'a#b' }, OptionError],
    ];
  test.each(cases)('for %s comes before anything reaches AWS', async (_, task, options, expected) => {
    const { error, operations } = await send(task, options);
    expect(error).toBeInstanceOf(expected);
    expect(operations).toEqual([]);
  });

  test('of S3 leaves the task unsent', async () => {
    const { error, operations } = await send(
      { task_name: 'work', task_kwargs: {} },
      { inlineUnder: 0 },
      ({ service }) => (service === 's3' ? reset() : undefined),
    );
    expect(error).toBeInstanceOf(StoredDataUnavailableError);
    expect(operations).toEqual(['PUT']);
  });

  test.each([
    [reset(), true],
    [{ status: 404, code: 'NotFound' }, false],
  ] as const)('of SNS says whether it may pass', async (fault, retryable) => {
    const { error } = await send({ task_name: 'work' }, {}, () => fault);
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toMatchObject({ retryable });
  });
});
