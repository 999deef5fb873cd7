import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { OptionError, queued, type Task } from '../../core/index.ts';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import {
  type CancellableOptions,
  callbackPublisher,
  cancelChain,
  cancellable,
  idempotent,
  sendTask,
  sqsSnsUnwrap,
  stageMiddleware,
} from '../../middlewares/index.ts';
import { type Fault, type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let next: string;
let info: ReturnType<typeof jest.spyOn>;
beforeAll(async () => {
  aws = await startLocalAws();
  next = (await aws.sns.send(new CreateTopicCommand({ Name: 'next' }))).TopicArn ?? '';
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
  jest.restoreAllMocks();
});

function createStack(
  options: CancellableOptions = {},
  faultOf: (isCheck: boolean) => Fault | undefined = () => undefined,
  others: MiddlewareObj[] = [],
) {
  info = jest.spyOn(console, 'info').mockImplementation(() => {});
  const isCheck = (target: string) => /\/(cancelled|off)\//.test(target);
  const clients = faultyClients(aws, ({ target }) => faultOf(isCheck(target)), { maxAttempts: 1 });
  opened.push(clients);
  const { s3, sns, attempts } = clients;
  const common = { s3, bucket: aws.bucket };
  const ran: string[] = [];
  const counts: object[] = [];
  const counting = stageMiddleware({
    name: 'counting',
    order: { after: 'log' },
    async around(run, proceed) {
      await proceed();
      counts.push({ ...run.counts });
    },
  });
  const handler = [
    sqsSnsUnwrap() as MiddlewareObj,
    callbackPublisher({ ...common, sns, topics: { next }, lingerMillis: 0 }),
    cancellable({ ...common, ...options }),
    counting,
    ...others,
  ].reduce(
    (stack, one) => stack.use(one) as typeof stack,
    middy(queued((task: Task) => ran.push(task.task_name))) as unknown as ReturnType<typeof middy>,
  );
  return {
    ran,
    counts,
    deliver: async (...Records: ReturnType<typeof sqsRecord>[]) => {
      const settled = (await handler({ Records }, lambdaContext())) as unknown as SettledBatch<unknown>;
      return settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
    },
    invoke: (task: object) => handler(task as never, lambdaContext()),
    checks: () =>
      attempts.flatMap(({ operation, target }) => (isCheck(target) ? `${operation} ${target}` : [])),
    published: () => attempts.filter(({ operation }) => operation === 'PublishBatch').length,
  };
}

const messageOf = (chainId: string, name = 'work') => {
  const record = sqsRecord({ task_name: name, callback: 'next' });
  const MessageAttributes = { chain_id: { Type: 'String', Value: chainId } };
  return { ...record, body: JSON.stringify({ ...JSON.parse(record.body), MessageAttributes }) };
};
const inBucket = () => ({ s3: aws.s3, bucket: aws.bucket });

describe('a task of a chain', () => {
  test('that is cancelled does not run, sends no callback, and is done', async () => {
    await cancelChain('chain-1', { ...inBucket(), reason: 'withdrawn\nby the customer' });
    const { ran, counts, deliver, published } = createStack();
    expect(await deliver(messageOf('chain-1'), messageOf('chain-2'))).toEqual([undefined, 1]);
    expect([ran, published()]).toEqual([['work'], 1]);
    expect(counts).toEqual(expect.arrayContaining([{ tasks_cancelled: 1 }, {}]));
    expect(info.mock.calls).toEqual([['The chain chain-1 is cancelled: withdrawn\\u000aby the customer']]);
  });

  test('that is not cancelled costs one GET', async () => {
    const { deliver, checks } = createStack();
    await deliver(messageOf('chain-3'));
    expect(checks()).toEqual([`GET /${aws.bucket}/cancelled/chain-3.json`]);
  });

  test('may be cancelled without a reason, and again', async () => {
    for (let i = 0; i < 2; i += 1) await cancelChain('chain-4', inBucket());
    const { ran, deliver } = createStack();
    await deliver(messageOf('chain-4'));
    expect(ran).toEqual([]);
    expect(info.mock.calls).toEqual([['The chain chain-4 is cancelled']]);
  });

  test('is looked for in the folder given', async () => {
    await cancelChain('chain-5', { ...inBucket(), folder: 'off' });
    const there = createStack({ folder: 'off' });
    await there.deliver(messageOf('chain-5'));
    const elsewhere = createStack();
    await elsewhere.deliver(messageOf('chain-5'));
    expect([there.ran, elsewhere.ran]).toEqual([[], ['work']]);
  });

  test('is known by the id of its message, if it came without another', async () => {
    const record = sqsRecord({ task_name: 'work' });
    await cancelChain(JSON.parse(record.body).MessageId, inBucket());
    const { ran, deliver } = createStack();
    await deliver(record);
    expect(ran).toEqual([]);
  });

  test('is asked about before its record as idempotent keeps it', async () => {
    await cancelChain('chain-6', inBucket());
    const { deliver } = createStack({}, undefined, [idempotent({ ...inBucket(), folder: 'unused' })]);
    await deliver(messageOf('chain-6'));
    const { KeyCount } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: 'unused/' }),
    );
    expect(KeyCount).toBe(0);
  });

  test('is not asked about in a direct invocation', async () => {
    const { ran, invoke, checks } = createStack();
    await invoke({ task_name: 'work' });
    expect([ran, checks()]).toEqual([['work'], []]);
  });

  test.each(['...', 'a:b', '-', 'x'.repeat(128)])('may have the id %s', async (chainId) => {
    await cancelChain(chainId, inBucket());
    const { ran, deliver } = createStack();
    await deliver(messageOf(chainId));
    expect(ran).toEqual([]);
  });

  test('with a hostile id is looked for in the folder only', async () => {
    const { ran, deliver, checks } = createStack();
    const ids = ['../secret', 'a/b', '..', 'ü', 'y'.repeat(5000)];
    for (const MessageId of ids) {
      const record = sqsRecord({ task_name: 'work' });
      const MessageAttributes = { chain_id: { Type: 'String', Value: '../../other' } };
      const body = JSON.stringify({ ...JSON.parse(record.body), MessageId, MessageAttributes });
      await deliver({ ...record, body });
    }
    expect(ran).toHaveLength(ids.length);
    const outside = checks().filter(
      (check) => !/^GET \/[\w-]+\/cancelled\/[\w.:-]{1,128}\.json$/.test(check),
    );
    expect(outside).toEqual([]);
  });

  test.each(['', 'nonsense', 'null', '{"reason":7}', '\xff\xfe', 'x'.repeat(20_000)])(
    'is cancelled by any object: %j',
    async (text) => {
      const Body = Buffer.from(text, 'latin1');
      await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'cancelled/odd.json', Body }));
      const { ran, deliver } = createStack();
      expect(await deliver(messageOf('odd'))).toEqual([undefined]);
      expect(ran).toEqual([]);
    },
  );
});

describe('if S3 cannot tell', () => {
  const down: Fault = { status: 503, code: 'ServiceUnavailable' };

  test('the record fails, and comes back', async () => {
    const { ran, deliver } = createStack({}, (isCheck) => (isCheck ? down : undefined));
    expect(await deliver(messageOf('chain-7'))).toMatchObject([
      { code: 'STORED_DATA_UNAVAILABLE', retryable: true },
    ]);
    expect(ran).toEqual([]);
  });

  test('the task runs with whenUnknown run, and a warning', async () => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { ran, deliver } = createStack({ whenUnknown: 'run' }, (isCheck) => (isCheck ? down : undefined));
    expect(await deliver(messageOf('chain-8'))).toEqual([1]);
    expect([ran, warned.mock.calls.length]).toEqual([['work'], 1]);
  });

  test.each([403, 404])('because of %i, the chain is not cancelled', async (status) => {
    const code = status === 403 ? 'AccessDenied' : 'NoSuchKey';
    const { ran, deliver } = createStack({}, (isCheck) => (isCheck ? { status, code } : undefined));
    expect(await deliver(messageOf('chain-9'))).toEqual([1]);
    expect(ran).toEqual(['work']);
  });

  test('for lack of a bucket, the record fails either way', async () => {
    const missing: Fault = { status: 404, code: 'NoSuchBucket' };
    for (const whenUnknown of ['fail', 'run'] as const) {
      const { ran, deliver } = createStack({ whenUnknown }, (isCheck) => (isCheck ? missing : undefined));
      expect(await deliver(messageOf('chain-10'))).toMatchObject([{ code: 'STORED_DATA_MISSING' }]);
      expect(ran).toEqual([]);
    }
  });
});

test('a chain that is cancelled on its way ends before the next task', async () => {
  jest.spyOn(console, 'info').mockImplementation(() => {});
  const ran: string[] = [];
  let chain = '';
  const handler = middy(
    queued(async (task: Task) => {
      ran.push(task.task_name);
      if (task.task_name === 'second') await cancelChain(chain, inBucket());
      return { n: 1 };
    }),
  )
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ ...inBucket(), sns: aws.sns }))
    .use(cancellable(inBucket()));
  const worker = await startWorker({ aws, tasks: ['first', 'second', 'third'], handler: handler as never });
  const task = { task_name: 'first', callback: 'second#third' };
  const options = { ...inBucket(), sns: aws.sns, topics: worker.topics };
  chain = 'on-its-way';
  await sendTask(task, { ...options, chainId: chain });
  await worker.idle({ timeoutSeconds: 30 });
  await worker.stop();
  expect(ran).toEqual(['first', 'second']);
  expect(worker.stats.failed).toBe(0);
});

describe('cancelChain', () => {
  test('writes one small object', async () => {
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    await cancelChain('chain-11', { s3: clients.s3, bucket: aws.bucket });
    expect(clients.attempts.map(({ operation, target }) => [operation, target])).toEqual([
      ['PUT', `/${aws.bucket}/cancelled/chain-11.json`],
    ]);
  });

  test('fails when S3 does', async () => {
    const clients = faultyClients(aws, () => ({ status: 503, code: 'SlowDown' }), { maxAttempts: 1 });
    opened.push(clients);
    await expect(cancelChain('chain-12', { s3: clients.s3, bucket: aws.bucket })).rejects.toMatchObject({
      code: 'STORED_DATA_UNAVAILABLE',
    });
  });

  test.each<[unknown, object]>([
    ['', {}],
    ['.', {}],
    ['..', {}],
    ['a/b', {}],
    ['x'.repeat(129), {}],
    [7, {}],
    ['chain', { reason: 'x'.repeat(1001) }],
    ['chain', { folder: 'a#b' }],
    ['chain', { bucket: 'arn:aws:s3:::b' }],
    ['chain', { why: 'x' }],
  ])('refuses %j with %j', async (chainId, options) => {
    await expect(cancelChain(chainId as never, { ...inBucket(), ...options })).rejects.toThrow(OptionError);
  });
});

test.each<object>([{ whenUnknown: 'stop' }, { folder: 'a!b' }, { s3: {} }, { reason: 'x' }])(
  'cancellable refuses %j',
  (options) => {
    expect(() => cancellable(options as never)).toThrow(OptionError);
  },
);
