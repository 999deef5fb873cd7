import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type LambdaHandler,
  type LocalAws,
  type SqsRecord,
  startLocalAws,
  startWorker,
} from '../../local/index.ts';
import { maxEventBytes, splitBatch } from '../../local/splitBatch.ts';
import { enqueue, gate } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

/** A handler that blocks in its first call, so that messages collect, and records the sizes of later batches. */
function holdFirst(): { handler: LambdaHandler; held: Promise<void>; release: () => void; sizes: number[] } {
  const sizes: number[] = [];
  const first = gate();
  const { opened, open } = gate();
  let calls = 0;
  return {
    sizes,
    held: first.opened,
    release: open,
    async handler({ Records }) {
      calls += 1;
      if (calls > 1) return void sizes.push(Records.length);
      first.open();
      await opened;
    },
  };
}

describe('a batch', () => {
  test('has at most batchSize messages', async () => {
    const { handler, held, release, sizes } = holdFirst();
    const worker = await startWorker({ aws, handler, tasks: ['four'], batchSize: 4, pollers: 1 });
    await enqueue(aws, worker.queues.four, ['first']);
    await held;
    await enqueue(aws, worker.queues.four, numbers(10));
    release();
    await worker.idle();
    expect(sizes).toEqual([4, 4, 2]);
  });

  test('has up to ten messages by default, the result of one receive', async () => {
    const { handler, held, release, sizes } = holdFirst();
    const worker = await startWorker({ aws, handler, tasks: ['ten'], pollers: 1 });
    await enqueue(aws, worker.queues.ten, ['first']);
    await held;
    await enqueue(aws, worker.queues.ten, numbers(25));
    release();
    await worker.idle();
    expect(sizes).toEqual([10, 10, 5]);
  });

  test('collects several receives until its window ends', async () => {
    const { QueueUrl: url = '' } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'window' }));
    await enqueue(aws, { url }, numbers(45));
    const sizes: number[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['window'],
      batchSize: 10_000,
      batchWindowSeconds: 1,
      handler: async ({ Records }) => void sizes.push(Records.length),
    });
    await worker.idle();
    expect(sizes).toEqual([45]);
  });

  test('does not wait for the window when full', async () => {
    const sizes: number[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['full'],
      batchSize: 12,
      batchWindowSeconds: 300,
      visibilityTimeoutSeconds: 400,
      handler: async ({ Records }) => void sizes.push(Records.length),
    });
    await enqueue(aws, worker.queues.full, numbers(24));
    await worker.idle();
    expect(sizes).toEqual([12, 12]);
  });

  test('over 6 MB is split', async () => {
    const { handler, held, release, sizes } = holdFirst();
    const worker = await startWorker({ aws, handler, tasks: ['large'], pollers: 1 });
    await enqueue(aws, worker.queues.large, ['first']);
    await held;
    for (let sent = 0; sent < 10; sent += 1) await enqueue(aws, worker.queues.large, ['x'.repeat(1_000_000)]);
    release();
    await worker.idle();
    expect(sizes).toEqual([6, 4]);
  });

  test('is split without loss, in order, and only a single message may exceed the limit', () => {
    const batch = fc.array(fc.record({ body: fc.string({ unit: 'binary', maxLength: 60 }) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(batch, fc.integer({ min: 20, max: 400 }), (records, most) => {
        const parts = splitBatch(records as SqsRecord[], most);
        expect(parts.flat()).toEqual(records);
        for (const part of parts) {
          expect(part.length).toBeGreaterThan(0);
          if (part.length > 1) {
            expect(Buffer.byteLength(JSON.stringify({ Records: part }))).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
    expect(maxEventBytes).toBe(6 * 1024 * 1024);
  });
});

describe('several pollers', () => {
  test('process as many batches at a time, and no more', async () => {
    const pollers = 3;
    const together = gate();
    let running = 0;
    let most = 0;
    const worker = await startWorker({
      aws,
      pollers,
      tasks: ['together'],
      batchSize: 1,
      async handler() {
        running += 1;
        most = Math.max(most, running);
        if (running === pollers) together.open();
        // Only passes if the calls overlap.
        await together.opened;
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
    });
    await enqueue(aws, worker.queues.together, numbers(30));
    await worker.idle();
    expect(most).toBe(pollers);
    expect(worker.stats).toMatchObject({ invocations: 30, deleted: 30 });
  });

  test('receive nothing while all are busy', async () => {
    const { handler, held, release } = holdFirst();
    const worker = await startWorker({ aws, handler, tasks: ['room'], batchSize: 1, pollers: 1 });
    await enqueue(aws, worker.queues.room, numbers(3));
    await held;
    expect(worker.stats.received).toBe(1);
    release();
    await worker.idle();
    expect(worker.stats.received).toBe(3);
  });

  test('of different tasks are independent', async () => {
    const other = gate();
    const worker = await startWorker({
      aws,
      tasks: ['slow', 'quick'],
      pollers: 1,
      handler: async ({ Records }) => {
        if (Records[0]?.body === 'quick') return other.open();
        await other.opened;
      },
    });
    await enqueue(aws, worker.queues.slow, ['slow']);
    await enqueue(aws, worker.queues.quick, ['quick']);
    await worker.idle();
    expect(worker.stats.deleted).toBe(2);
  });
});
