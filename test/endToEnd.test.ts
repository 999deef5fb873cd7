import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { PublishCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker, type WorkerOptions } from '../local/index.ts';
import {
  callbackPublisher,
  contextResources,
  lambdaLogged,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  type TaskFunction,
} from '../middlewares/index.ts';
import { lambdaContext } from './support/lambdaContext.ts';
import { silentLogger } from './support/silentLogger.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

let number = 0;
/** Unique task names for each test, since the queues outlive it. */
const names = <const N extends string>(...all: N[]) => {
  number += 1;
  return Object.fromEntries(all.map((name) => [name, `${name}${number}`])) as Record<N, string>;
};

const stack = (functions: Record<string, TaskFunction>) =>
  middy(queued(routeTasks(functions)))
    .use(lambdaLogged({ logger: silentLogger() }))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3: aws.s3, bucket: aws.bucket }))
    .use(contextResources({ answer: () => 42 }))
    .use(callbackPublisher({ s3: aws.s3, sns: aws.sns, bucket: aws.bucket }));

const start = async (
  functions: Record<string, TaskFunction>,
  options: Partial<WorkerOptions<string>> = {},
) => {
  const worker = await startWorker({
    aws,
    handler: stack(functions) as never,
    tasks: Object.keys(functions),
    visibilityTimeoutSeconds: 1,
    onInvocation: () => {},
    ...options,
  });
  stops.push(worker.stop);
  return worker;
};

const send = (topics: Readonly<Record<string, string>>, task: Parameters<typeof sendTask>[0]) =>
  sendTask(task, { sns: aws.sns, s3: aws.s3, bucket: aws.bucket, topics });

test('a chain of three runs to the end, each result through S3', async () => {
  const { load, analyse, report } = names('load', 'analyse', 'report');
  const reports: unknown[] = [];
  const worker = await start({
    [load]: ({ symbol }) => ({ symbol, prices: [1, 2, 3] }),
    [analyse]: async ({ symbol, prices }, context) => ({
      symbol,
      sum: prices.reduce((sum: number, price: number) => sum + price, 0) + (await context.answer),
    }),
    [report]: (kwargs) => {
      reports.push(kwargs);
    },
  });
  await send(worker.topics, {
    task_name: load,
    task_kwargs: { symbol: 'IBM' },
    callback: `${load}#${analyse}#${report}`,
  });
  await worker.idle();
  expect(reports).toEqual([{ symbol: 'IBM', sum: 48 }]);
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket }));
  const keys = Contents.flatMap(({ Key = '' }) => (Key.includes(`-${load}-`) ? [Key] : []));
  expect(keys).toHaveLength(1);
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: keys[0] }));
  expect(await Body?.transformToString()).toBe(
    '{"data_string":{"symbol":"IBM","prices":[1,2,3]},"full_unpack":true,"safe_mode":false}',
  );
});

test('of ten tasks, the failing one is retried and dead-lettered; nine callbacks are sent', async () => {
  const { work, next } = names('work', 'next');
  const arrived: number[] = [];
  let attempts = 0;
  const worker = await start(
    {
      [work]: ({ n }) => {
        if (n !== 7) return { n };
        attempts += 1;
        throw new Error('seven is broken');
      },
      [next]: ({ n }) => {
        arrived.push(n);
      },
    },
    { batchWindowSeconds: 1, visibilityTimeoutSeconds: 30, retryDelaySeconds: 1 },
  );
  await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      send(worker.topics, { task_name: work, task_kwargs: { n }, callback: next }),
    ),
  );
  await worker.idle();
  expect(arrived.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9]);
  expect(attempts).toBe(3);
  const dead = await worker.deadLetters(work);
  expect(dead).toHaveLength(1);
  expect(JSON.parse(JSON.parse(dead[0]?.body ?? '').Message).task_kwargs).toEqual({ n: 7 });
});

test('a message that is not JSON and a pointer to a missing object fail alone', async () => {
  const { work } = names('work');
  const done: unknown[] = [];
  const worker = await start({ [work]: (kwargs) => void done.push(kwargs) }, { maxReceiveCount: 1 });
  const pointer = `${aws.bucket}#cache/nothing!1565012856.447914.json`;
  const missing = { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer } };
  for (const text of ['no json', JSON.stringify({ task_name: work, task_kwargs: { at: [missing] } })]) {
    await aws.sns.send(new PublishCommand({ TopicArn: worker.topics[work], Message: text }));
  }
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: worker.queues[work]?.url, MessageBody: '{' }));
  await send(worker.topics, { task_name: work, task_kwargs: { fine: true } });
  await worker.idle();
  expect(done).toEqual([{ fine: true }]);
  expect(await worker.deadLetters(work)).toHaveLength(3);
});

test('stopping and restarting a worker half-way loses nothing', async () => {
  const { work, next } = names('work', 'next');
  const arrived: number[] = [];
  const functions: Record<string, TaskFunction> = {
    [work]: async ({ n }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { n };
    },
    [next]: ({ n }) => {
      arrived.push(n);
    },
  };
  const first = await start(functions, { batchSize: 3, pollers: 1 });
  const sent = Array.from({ length: 30 }, (_, n) => n);
  for (const n of sent) await send(first.topics, { task_name: work, task_kwargs: { n }, callback: next });
  await first.stop();
  const beforeRestart = arrived.length;
  const second = await start(functions);
  await second.idle();
  expect(beforeRestart).toBeLessThan(sent.length);
  expect([...new Set(arrived)].sort((a, b) => a - b)).toEqual(sent);
});

test('the same handler serves a direct invocation', async () => {
  const { work, next } = names('work', 'next');
  const arrived: unknown[] = [];
  const functions: Record<string, TaskFunction> = {
    [work]: ({ list }) => ({ count: list.length }),
    [next]: (kwargs) => void arrived.push(kwargs),
  };
  const worker = await start(functions);
  const handler = stack(functions) as unknown as (event: unknown, context: unknown) => Promise<unknown>;
  const result = await handler(
    { task_name: work, task_kwargs: { list: ['a', 'b'] }, callback: next },
    lambdaContext({ invokedFunctionArn: `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker` }),
  );
  expect(result).toEqual({ count: 2 });
  await worker.idle();
  expect(arrived).toEqual([{ count: 2 }]);
  await expect(handler({ task_name: 'unheard' }, lambdaContext())).rejects.toThrow(
    'task: unheard is not registered with the system',
  );
});
