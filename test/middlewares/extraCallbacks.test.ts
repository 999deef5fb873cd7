import { PublishCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker, type Worker } from '../../local/index.ts';
import {
  CallbackError,
  callbackPublisher,
  endChain,
  NonRetryableError,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';

let aws: LocalAws;
let worker: Worker<'first' | 'second' | 'third' | 'cleanup'>;
const ran: unknown[][] = [];
const note =
  (name: string) =>
  (kwargs: object): void => {
    ran.push([name, kwargs]);
  };
const stack = () =>
  middy(
    queued(
      routeTasks({
        first: (kwargs: { end?: boolean; fail?: string }) => {
          if (kwargs.fail === 'for good') throw new NonRetryableError('no use');
          if (kwargs.fail) throw new TypeError(kwargs.fail);
          note('first')(kwargs);
          return kwargs.end ? endChain({ ended: true }) : { from: 'first' };
        },
        second: (kwargs: { fail?: string }) => {
          note('second')(kwargs);
          return { from: 'second' };
        },
        third: (kwargs: object) => {
          note('third')(kwargs);
          throw new NonRetryableError('third is broken');
        },
        cleanup: note('cleanup'),
      }),
    ),
  )
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3: aws.s3, bucket: aws.bucket }))
    .use(
      callbackPublisher({
        s3: aws.s3,
        sns: aws.sns,
        bucket: aws.bucket,
        topics: worker.topics,
        maxReceiveCount: 2,
      }),
    );

beforeAll(async () => {
  aws = await startLocalAws();
  worker = await startWorker({
    aws,
    handler: (event, context) => stack()(event as never, context as never),
    tasks: ['first', 'second', 'third', 'cleanup'],
    maxReceiveCount: 2,
    retryDelaySeconds: 0,
    onInvocation: () => {},
  });
});
afterAll(() => aws.stop());

const send = async (task_kwargs: object, callback: string | undefined, more: object = {}) => {
  ran.length = 0;
  await sendTask(
    { task_name: 'first', task_kwargs, callback },
    { sns: aws.sns, topics: worker.topics, ...more },
  );
  await worker.idle({ timeoutSeconds: 20 });
  return ran.map(([name]) => name).sort();
};

test('a chain ended early sends no callback', async () => {
  expect(await send({ end: true }, 'second')).toEqual(['first']);
});

test('a direct invocation that ends its chain returns its result and sends no callback', async () => {
  ran.length = 0;
  const handler = stack() as unknown as (event: object, context: object) => Promise<unknown>;
  const task = { task_name: 'first', task_kwargs: { end: true }, callback: 'second' };
  expect(await handler(task, lambdaContext())).toEqual({ ended: true });
  await worker.idle({ timeoutSeconds: 20 });
  expect(ran.map(([name]) => name)).toEqual(['first']);
});

test('several callbacks get the same result, once each', async () => {
  expect(await send({}, 'second', { alsoCallbacks: ['cleanup', 'second'] })).toEqual([
    'cleanup',
    'first',
    'second',
  ]);
  expect(ran.filter(([name]) => name !== 'first').map(([, kwargs]) => kwargs)).toEqual([
    { from: 'first' },
    { from: 'first' },
  ]);
});

test('the error task runs once when a task has failed for good', async () => {
  expect(await send({ fail: 'for good' }, 'second', { onError: 'cleanup' })).toContain('cleanup');
  expect(ran[0]).toEqual([
    'cleanup',
    {
      error: { name: 'NonRetryableError', message: 'no use', code: 'NON_RETRYABLE' },
      task: { task_name: 'first', task_kwargs: { fail: 'for good' }, callback: 'second' },
    },
  ]);
});

test('a retryable failure uses all receives before the error task runs', async () => {
  expect(await send({ fail: 'may pass' }, 'second', { onError: 'cleanup' })).toEqual(['cleanup']);
  expect(ran[0]?.[1]).toMatchObject({ error: { name: 'TypeError', message: 'may pass' } });
});

test('one error task serves the whole chain', async () => {
  const tasks = await send({}, 'first#second#third', { onError: 'cleanup' });
  expect(tasks.filter((name) => name === 'cleanup').length).toBeGreaterThan(0);
  const [, kwargs] = ran.find(([name]) => name === 'cleanup') ?? [];
  expect(kwargs).toMatchObject({ error: { message: 'third is broken' }, task: { task_name: 'third' } });
});

test('invalid callbacks are refused by the sender, and by the worker before its function runs', async () => {
  await expect(send({}, undefined, { alsoCallbacks: ['no name'] })).rejects.toThrow(CallbackError);
  await expect(send({}, undefined, { alsoCallbacks: Array(11).fill('second') })).rejects.toThrow(
    CallbackError,
  );
  await expect(send({}, undefined, { onError: 'arn:aws:sns:us-east-1:1:x' })).rejects.toThrow(CallbackError);
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
  ran.length = 0;
  for (const attribute of ['also_callbacks', 'on_error']) {
    await aws.sns.send(
      new PublishCommand({
        TopicArn: worker.topics.first,
        Message: '{"task_name":"first","task_kwargs":{}}',
        MessageAttributes: { [attribute]: { DataType: 'String', StringValue: 'https://example.com' } },
      }),
    );
  }
  await worker.idle({ timeoutSeconds: 20 });
  warned.mockRestore();
  expect(ran).toEqual([]);
  expect(await worker.deadLetters('first')).not.toHaveLength(0);
});
