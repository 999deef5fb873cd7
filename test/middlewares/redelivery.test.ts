import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { queued, routeTasks, type TaskFunction } from '../../core/index.ts';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { callbackPublisher } from '../../middlewares/callbackPublisher.ts';
import { sqsSnsUnwrap } from '../../middlewares/sqsSnsUnwrap.ts';
import { gate } from '../local/tools.ts';
import { type FaultOf, type FaultyClients, faultyClients, reset } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { MemoryPersistence } from '../support/memoryPersistence.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
  await aws.sns.send(new CreateTopicCommand({ Name: 'next' }));
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

let folders = 0;

/** A worker with a separate folder, and the messages it published. */
function createStack(
  work: TaskFunction,
  { faultOf = () => undefined, topic = 'next' }: { faultOf?: FaultOf; topic?: string } = {},
) {
  const { s3, sns, attempts, destroy } = faultyClients(aws, faultOf);
  opened.push({ destroy } as FaultyClients);
  folders += 1;
  const folder = `folder${folders}`;
  const next = `arn:aws:sns:${aws.region}:${aws.accountId}:${topic}`;
  const handler = middy(queued(routeTasks({ work })))
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ s3, sns, bucket: aws.bucket, folder, topics: { next } }));
  return {
    deliver: (Records: ReturnType<typeof sqsRecord>[]) =>
      handler({ Records }, lambdaContext()) as Promise<SettledBatch<unknown>>,
    invoke: (task: object) => handler(task as never, lambdaContext()),
    /** The published pointers, in order. */
    pointers: () =>
      attempts
        .filter(({ operation }) => operation === 'PublishBatch')
        .flatMap(({ target }) => [...target.matchAll(/"pointer":"([^"]+)"/g)].map(([, pointer]) => pointer)),
    deduplicationIds: () =>
      attempts.flatMap(({ target }) =>
        [...target.matchAll(/MessageDeduplicationId=([^&]+)/g)].map(([, id]) => id as string),
      ),
    async stored() {
      const { Contents = [] } = await aws.s3.send(
        new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `${folder}/` }),
      );
      return Contents.map(({ Key }) => `${aws.bucket}#${Key}`);
    },
  };
}

const records = (count: number, over: Parameters<typeof sqsRecord>[1] = {}) =>
  Array.from({ length: count }, (_, n) =>
    sqsRecord({ task_name: 'work', task_kwargs: { n, order: `order-${n}` }, callback: 'next' }, over),
  );
/** The same messages redelivered, with the changes that SQS makes. */
const again = (all: ReturnType<typeof records>) =>
  all.map((record) => ({
    ...record,
    receiptHandle: `${record.receiptHandle}-again`,
    attributes: { ...record.attributes, ApproximateReceiveCount: '2' },
  }));
const statuses = (settled: SettledBatch<unknown>) => settled.map(({ status }) => status);
const counted = (all: readonly unknown[]) =>
  [...new Set(all)].map((item) => all.filter((other) => other === item).length);

describe('every message delivered twice concurrently', () => {
  test('sends each callback twice with the same pointer, and leaves one object each', async () => {
    const { deliver, pointers, stored } = createStack(({ n }) => ({ n, at: performance.now() }));
    const first = records(25);
    const both = await Promise.all([deliver(first), deliver(again(first))]);
    expect(both.flatMap(statuses)).toEqual(Array(50).fill('fulfilled'));
    expect(counted(pointers())).toEqual(Array(25).fill(2));
    expect((await stored()).sort()).toEqual([...new Set(pointers())].sort());
  });

  test('shares no pointer between messages of equal content', async () => {
    const { deliver, pointers } = createStack(() => ({}));
    const task = { task_name: 'work', callback: 'next' };
    await deliver([sqsRecord(task), sqsRecord(task)]);
    expect(new Set(pointers()).size).toBe(2);
  });

  test('leaves one object if the first delivery could not publish', async () => {
    let publishes = 0;
    const { deliver, pointers, stored } = createStack(({ n }) => ({ n }), {
      faultOf({ operation }) {
        if (operation === 'PublishBatch') publishes += 1;
        return operation === 'PublishBatch' && publishes === 1 ? { lost: reset() } : undefined;
      },
    });
    const first = records(3);
    expect(statuses(await deliver(first))).toEqual(['rejected', 'rejected', 'rejected']);
    expect(statuses(await deliver(again(first)))).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(counted(pointers())).toEqual([2, 2, 2]);
    expect((await stored()).sort()).toEqual([...new Set(pointers())].sort());
  });

  test('writes a multipart result to the same key', async () => {
    const { deliver, pointers, stored } = createStack(() => 'x'.repeat(10_000_000));
    const first = records(1);
    await Promise.all([deliver(first), deliver(again(first))]);
    expect(counted(pointers())).toEqual([2]);
    expect(await stored()).toEqual([pointers()[0]]);
  });

  test('sends FIFO callbacks with the same deduplication id, so that each arrives once', async () => {
    const arrived: number[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['next'],
      fifo: true,
      rawMessageDelivery: true,
      handler: async ({ Records }) => void arrived.push(...Records.map(({ body }) => JSON.parse(body))),
    });
    const { deliver, deduplicationIds } = createStack(({ n }) => ({ n }), { topic: 'next.fifo' });
    const first = records(12);
    const both = await Promise.all([deliver(first), deliver(again(first))]);
    expect(both.flatMap(statuses)).toEqual(Array(24).fill('fulfilled'));
    await worker.idle();
    await worker.stop();
    expect(arrived).toHaveLength(12);
    expect(counted(deduplicationIds())).toEqual(Array(12).fill(2));
    expect(Math.max(...deduplicationIds().map(({ length }) => length))).toBeLessThanOrEqual(128);
  });

  test('for direct invocations: Lambda keeps the request id on a retry', async () => {
    const { invoke, pointers, stored } = createStack(() => ({ done: true }));
    const task = { task_name: 'work', callback: 'next' };
    await Promise.all([invoke(task), invoke(task)]);
    expect(counted(pointers())).toEqual([2]);
    expect(await stored()).toEqual([pointers()[0]]);
  });
});

describe('with Powertools’ makeIdempotent around the task function', () => {
  const config = () => new IdempotencyConfig({ eventKeyJmesPath: 'order', throwOnNoIdempotencyKey: true });

  test('runs the function once, and a replay publishes its callback again', async () => {
    let charged = 0;
    const charge = ({ n }: { n: number }, _context: unknown) => {
      charged += 1;
      return Promise.resolve({ n, receipt: charged });
    };
    const persistenceStore = new MemoryPersistence();
    const { deliver, pointers, stored } = createStack(
      makeIdempotent(charge, { persistenceStore, config: config() }),
    );
    const first = records(3);
    expect(statuses(await deliver(first))).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    const replayed = await deliver(again(first));
    expect(
      replayed.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason)),
    ).toEqual([
      { n: 0, receipt: 1 },
      { n: 1, receipt: 2 },
      { n: 2, receipt: 3 },
    ]);
    expect(charged).toBe(3);
    expect(counted(pointers())).toEqual([2, 2, 2]);
    expect(await stored()).toHaveLength(3);
  });

  test('a concurrent delivery fails, returns, and then replays', async () => {
    const { opened: begun, open: begin } = gate();
    const { opened: paid, open: pay } = gate();
    let charged = 0;
    const charge = async ({ n }: { n: number }, _context: unknown) => {
      charged += 1;
      begin();
      await paid;
      return { n };
    };
    const persistenceStore = new MemoryPersistence();
    const { deliver, pointers } = createStack(makeIdempotent(charge, { persistenceStore, config: config() }));
    const first = records(1);
    const delivered = deliver(first);
    await begun;
    const [meanwhile] = await deliver(again(first));
    expect(meanwhile).toMatchObject({
      status: 'rejected',
      reason: { name: 'IdempotencyAlreadyInProgressError' },
    });
    pay();
    expect(statuses(await delivered)).toEqual(['fulfilled']);
    expect(statuses(await deliver(again(first)))).toEqual(['fulfilled']);
    expect(charged).toBe(1);
    expect(counted(pointers())).toEqual([2]);
  });

  test('a failure is not cached: the next delivery runs the function again', async () => {
    let attempts = 0;
    const charge = async ({ n }: { n: number }, _context: unknown) => {
      attempts += 1;
      if (attempts === 1) throw new Error('the bank is closed');
      return { n };
    };
    const persistenceStore = new MemoryPersistence();
    const { deliver, pointers } = createStack(makeIdempotent(charge, { persistenceStore, config: config() }));
    const first = records(1);
    expect(statuses(await deliver(first))).toEqual(['rejected']);
    expect(statuses(await deliver(again(first)))).toEqual(['fulfilled']);
    expect({ attempts, sent: pointers().length }).toEqual({ attempts: 2, sent: 1 });
  });
});
