import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { countOf, enqueue, gate } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('stop', () => {
  test('finishes and acknowledges running batches, and receives no more', async () => {
    const started = gate();
    const { opened, open } = gate();
    const worker = await startWorker({
      aws,
      tasks: ['under-way'],
      batchSize: 1,
      pollers: 1,
      handler: async () => {
        started.open();
        await opened;
      },
    });
    const queue = worker.queues['under-way'];
    await enqueue(aws, queue, numbers(3));
    await started.opened;
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    open();
    await stopping;
    expect(worker.stats).toMatchObject({ invocations: 1, received: 1, deleted: 1, inFlight: 0 });
    expect(await countOf(aws, queue)).toEqual({ waiting: 2, hidden: 0 });
  });

  test('half-way loses nothing: a restarted worker does the rest', async () => {
    const done: string[] = [];
    const handler = async ({ Records }: { Records: { body: string }[] }): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      done.push(...Records.map(({ body }) => body));
    };
    const tasks = ['half-way'] as const;
    const bodies = numbers(200);
    const first = await startWorker({ aws, handler, tasks, batchSize: 2, pollers: 2 });
    await enqueue(aws, first.queues['half-way'], bodies);
    await first.stop();
    const { waiting, hidden } = await countOf(aws, first.queues['half-way']);
    expect(hidden).toBe(0);
    expect(done.length).toBe(bodies.length - waiting);
    const second = await startWorker({ aws, handler, tasks });
    await second.idle();
    expect(done.map(Number).sort((a, b) => a - b)).toEqual(bodies.map(Number));
  });

  test('ends a batch window early, and processes what was collected', async () => {
    const sizes: number[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['cut'],
      batchSize: 100,
      batchWindowSeconds: 300,
      visibilityTimeoutSeconds: 400,
      handler: async ({ Records }) => void sizes.push(Records.length),
    });
    await enqueue(aws, worker.queues.cut, numbers(3));
    while ((await countOf(aws, worker.queues.cut)).hidden < 3);
    await worker.stop();
    expect(sizes).toEqual([3]);
    expect(await countOf(aws, worker.queues.cut)).toEqual({ waiting: 0, hidden: 0 });
  });

  test('aborts long polls; a message that reached one of them is redelivered', async () => {
    const seen: string[] = [];
    const options = {
      aws,
      tasks: ['long'] as const,
      visibilityTimeoutSeconds: 1,
      handler: async ({ Records }: { Records: { body: string }[] }): Promise<void> =>
        void seen.push(...Records.map(({ body }) => body)),
    };
    const first = await startWorker({ ...options, waitTimeSeconds: 20 });
    // Its long poll is running once it has received a message.
    await enqueue(aws, first.queues.long, ['first']);
    await first.idle();
    await first.stop();
    const second = await startWorker(options);
    await enqueue(aws, second.queues.long, ['second']);
    await second.idle();
    expect(seen).toEqual(['first', 'second']);
    // Without the abort the poll would hold the stop for its 20 seconds.
  }, 15_000);

  test('of the services stops their workers first', async () => {
    const there = await startLocalAws();
    const { opened, open } = gate();
    const started = gate();
    const errors: unknown[] = [];
    const worker = await startWorker({
      aws: there,
      tasks: ['first'],
      onError: (error) => errors.push(error),
      handler: async () => {
        started.open();
        await opened;
      },
    });
    await enqueue(there, worker.queues.first, ['x']);
    await started.opened;
    const stopping = there.stop();
    open();
    await stopping;
    expect(worker.stats).toMatchObject({ deleted: 1, inFlight: 0 });
    expect(errors).toEqual([]);
  });

  test('may be called again, and by await using', async () => {
    const worker = await startWorker({ aws, tasks: ['twice'], handler: async () => {} });
    {
      await using again = worker;
      await again.idle();
    }
    await Promise.all([worker.stop(), worker.stop()]);
    await expect(worker.idle()).rejects.toThrow('The worker was stopped before it was idle.');
  });
});
