import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import {
  callbackPublisher,
  queued,
  sqsSnsUnwrap,
  stageMiddleware,
  type Task,
  type TaskRun,
} from '../../middlewares/index.ts';
import { type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let clients: FaultyClients;
beforeAll(async () => {
  aws = await startLocalAws();
  for (const Name of ['a', 'b', 'c']) await aws.sns.send(new CreateTopicCommand({ Name }));
});
afterEach(() => clients.destroy());
afterAll(() => aws.stop());

function createStack(work: (task: Task) => unknown, concurrency: number) {
  clients = faultyClients(aws, () => undefined);
  const { s3, sns, attempts } = clients;
  const handler = middy(queued(work, { concurrency }))
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ s3, sns, bucket: aws.bucket, lingerMillis: 60_000 }));
  const invokedFunctionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker`;
  return {
    run: (callbacks: readonly string[]) => {
      const Records = callbacks.map((callback, n) =>
        sqsRecord({ task_name: 'work', task_kwargs: { n }, callback }),
      );
      return handler({ Records } as never, lambdaContext({ invokedFunctionArn }));
    },
    calls: () => attempts.filter(({ operation }) => operation === 'PublishBatch').length,
  };
}

test.each([
  ['one topic', 30, () => 'a', 3],
  ['three topics', 30, (n: number) => 'abc'[n % 3] as string, 3],
  ['a chain', 20, () => 'a#b', 2],
])(
  'the callbacks of a batch to %s leave in tens, however few tasks run at once',
  async (_, length, callbackOf, expected) => {
    const { run, calls } = createStack(async (task) => task.task_kwargs, 2);
    const answer = await run(Array.from({ length }, (_, n) => callbackOf(n)));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(calls()).toBe(expected);
  },
);

test('a handler runs while earlier tasks wait to send, but no two at once with one lane', async () => {
  let running = 0;
  const seen: unknown[] = [];
  const { run, calls } = createStack(async (task) => {
    running += 1;
    seen.push([running, calls()]);
    await new Promise(setImmediate);
    running -= 1;
    return task.task_kwargs;
  }, 1);
  await run(Array(9).fill('a'));
  expect(seen).toEqual(Array(9).fill([1, 0]));
  expect(calls()).toBe(1);
});

test('while a task waits to send, it holds neither a large task nor a large result', async () => {
  const large = 'x'.repeat(100_000);
  const seen: Pick<TaskRun, 'task' | 'result'>[] = [];
  const grow = stageMiddleware({
    name: 'grow',
    async around(run, next) {
      run.task = { ...(run.task as Task), task_kwargs: { size: run.result, large } };
      await next();
    },
  });
  const wait = stageMiddleware({
    name: 'wait',
    order: { before: 'publish' },
    async around(run, next) {
      await next();
      run.waitToSend();
      run.waitToSend();
      seen.push({ task: run.task, result: run.result });
    },
  });
  clients = faultyClients(aws, () => undefined);
  const handler = middy(queued((task: Task) => (task.task_name === 'large' ? { large } : 'small')))
    .use(sqsSnsUnwrap())
    .use(grow)
    .use(wait);
  const tasks = [{ task_name: 'large' }, { task_name: 'small' }];
  await handler({ Records: tasks.map((task) => sqsRecord(task)) } as never, lambdaContext());
  expect(seen).toEqual([
    { task: tasks[0], result: undefined },
    { task: tasks[1], result: 'small' },
  ]);
});

test('a run that has ended frees no lane', async () => {
  const waits: (() => void)[] = [];
  const forgetful = stageMiddleware({
    name: 'forgetful',
    async around(run, next) {
      waits.push(run.waitToSend);
      await next();
    },
  });
  const running = { now: 0, most: 0 };
  const work = async () => {
    if (waits.length > 1) waits[0]?.();
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    await new Promise(setImmediate);
    running.now -= 1;
  };
  clients = faultyClients(aws, () => undefined);
  const handler = middy(queued(work, { concurrency: 1 }))
    .use(sqsSnsUnwrap())
    .use(forgetful);
  const Records = Array.from({ length: 4 }, () => sqsRecord({ task_name: 'work' }));
  await handler({ Records } as never, lambdaContext());
  expect(waits).toHaveLength(4);
  expect(running.most).toBe(1);
});
