import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import {
  callbackPublisher,
  failurePolicy,
  idempotent,
  lambdaLogged,
  queued,
  routeTasks,
  sendTask,
  sendTasks,
  sqsSnsUnwrap,
  type Task,
} from '../../middlewares/index.ts';
import { silentLogger } from '../support/silentLogger.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

interface Charge {
  order: string;
}

test('a worker runs each order once: the messages that wait come back when the lease has ended', async () => {
  const common = { s3: aws.s3, bucket: aws.bucket };
  const charged: string[] = [];
  const receipts: unknown[] = [];
  const worker = routeTasks({
    async charge({ order }: Charge) {
      charged.push(order);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { order, receipt: charged.length };
    },
    receipt: (kwargs: object) => void receipts.push(kwargs),
  });
  const handler = middy(queued(worker))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(failurePolicy({ sqs: aws.sqs, backoff: [600] }))
    .use(callbackPublisher({ ...common, sns: aws.sns, inlineUnder: 1000 }))
    .use(
      idempotent({
        ...common,
        leaseSeconds: 2,
        key: ({ task_name, task_kwargs }: Task<Charge>) =>
          task_name === 'charge' ? task_kwargs?.order : undefined,
      }),
    );
  const running = await startWorker({
    aws,
    tasks: ['charge', 'receipt'],
    handler: handler as never,
    visibilityTimeoutSeconds: 600,
    onInvocation: () => {},
  });
  const orders = ['A', 'B', 'A', 'A', 'B'];
  const tasks = orders.map((order) => ({ task_name: 'charge', task_kwargs: { order }, callback: 'receipt' }));
  await sendTasks(tasks, { sns: aws.sns, topics: running.topics });
  await running.idle({ timeoutSeconds: 60 });
  await running.stop();
  expect([...charged].sort()).toEqual(['A', 'B']);
  const ofA = receipts.filter((receipt) => (receipt as Charge).order === 'A');
  const ofB = receipts.filter((receipt) => (receipt as Charge).order === 'B');
  expect([ofA.length, ofB.length]).toEqual([3, 2]);
  expect([new Set(ofA.map((one) => JSON.stringify(one))).size, receipts.length]).toEqual([1, 5]);
}, 90_000);

test('a task that sends a later one stays in its chain', async () => {
  const chains: Record<string, string | undefined> = {};
  const common = { sns: aws.sns, sqs: aws.sqs };
  const functions = routeTasks({
    async first(_: object, __: unknown, { record }) {
      chains.first = chainOf(record);
      await sendTask({ task_name: 'second' }, { ...common, topics: running.topics, delaySeconds: 1 });
    },
    second(_: object, __: unknown, { record }) {
      chains.second = chainOf(record);
    },
  });
  const handler = [lambdaLogged({ logger: silentLogger() }), sqsSnsUnwrap() as MiddlewareObj].reduce(
    (stack, one) => stack.use(one) as typeof stack,
    middy(queued(functions)) as unknown as ReturnType<typeof middy>,
  );
  const info = jest.spyOn(console, 'info').mockImplementation(() => {});
  const running = await startWorker({ aws, tasks: ['first', 'second'], handler: handler as never });
  const { chainId } = await sendTask({ task_name: 'first' }, { ...common, topics: running.topics });
  for (let tries = 0; chains.second === undefined && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await running.idle();
  await running.stop();
  info.mockRestore();
  expect(chains).toEqual({ first: chainId, second: chainId });
}, 60_000);

const chainOf = (record: unknown) =>
  JSON.parse((record as { body: string }).body).MessageAttributes?.chain_id?.Value as string | undefined;
