import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { startLocalAws } from '../../../local/index.ts';
import { type TestWorker, type TestWorkerOptions, testWorker } from '../../../local/testing.ts';
import {
  ajson,
  callbackPublisher,
  contextResources,
  failurePolicy,
  lambdaLogged,
  NonRetryableError,
  queued,
  type RoutedExtras,
  routeTasks,
  type SqsRecord,
  sqsSnsUnwrap,
  storedDataHydrate,
  type TaskFunction,
} from '../../../middlewares/index.ts';

import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const workers = new Set<TestWorker>();
afterEach(async () => {
  for (const worker of [...workers].reverse()) await worker.stop();
  workers.clear();
});

const stack = (functions: Record<string, TaskFunction>) =>
  middy(queued(routeTasks(functions), { rebuild: ajson }))
    .use(lambdaLogged())
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate())
    .use(contextResources({ db: () => Promise.reject(new Error('no database here')) }))
    .use(failurePolicy())
    .use(callbackPublisher());

/** Starts a worker with the default clients of the middlewares. */
async function start(functions: Record<string, TaskFunction>, options: TestWorkerOptions = {}) {
  const worker = await testWorker(stack(functions), { tasks: Object.keys(functions), ...options });
  workers.add(worker);
  return worker;
}

const fail = (message: string) => () => {
  throw new Error(message);
};

describe('a chain', () => {
  const functions = {
    resize: ({ image }: { image: string }) => ({ image: `${image}@200`, tags: new Set(['small']) }),
    describe: ({ image, tags }: { image: string; tags: Set<string> }) => {
      console.log(`${image} is ${[...tags]}`);
    },
  };
  const task = { task_name: 'resize', task_kwargs: { image: 'cat.png' }, callback: 'describe' };

  test('runs to its end, with results, attempts and logs of each task', async () => {
    const worker = await start(functions);
    const { chainId } = await worker.send(task);
    await worker.send({ task_name: 'resize', task_kwargs: { image: 'dog.png' } });
    await worker.idle();
    expect(worker.results('resize')).toHaveLength(2);
    expect(worker.results('resize')).toContainEqual({ image: 'cat.png@200', tags: new Set(['small']) });
    expect(worker.results()).toHaveLength(3);
    expect(worker.attempts('describe')).toEqual([
      {
        taskName: 'describe',
        kwargs: { image: 'cat.png@200', tags: expect.anything() },
        chainId,
        messageId: expect.any(String),
        attempt: 1,
        outcome: 'succeeded',
        result: undefined,
      },
    ]);
    expect(worker.attempts({ chainId }).map(({ taskName }) => taskName)).toEqual(['resize', 'describe']);
    expect(worker.chain(chainId)).toMatchObject({
      chainId,
      status: 'succeeded',
      tasks: [
        { taskName: 'resize', depth: 0, status: 'succeeded' },
        { taskName: 'describe', depth: 1, role: 'callback', status: 'succeeded' },
      ],
    });
    expect(worker.chain('nobody')).toBeUndefined();
    expect(worker.logs('describe')).toMatchObject([
      { message: 'cat.png@200 is small', task_name: 'describe', chain_id: chainId },
    ]);
    expect(worker.errors).toEqual([]);
  });

  test('starts before anybody waits for it', async () => {
    const started = Promise.withResolvers<void>();
    const worker = await start({ resize: () => started.resolve() });
    await worker.send(task);
    await started.promise;
  });

  test('is waited for to its end when it was under way before', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const worker = await start({
      first: async () => {
        started.resolve();
        await promise;
      },
      second: () => 'done',
    });
    await worker.send({ task_name: 'first', callback: 'second' });
    await started.promise;
    const idle = worker.idle();
    // Both queues are found empty before the first task ends.
    await pause(100);
    resolve();
    await idle;
    expect(worker.results('second')).toEqual(['done']);
  });

  test('takes a message while another one runs', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const worker = await start({
      load: ({ opens }: { opens?: boolean }) => {
        if (opens) return resolve();
        started.resolve();
        return promise;
      },
    });
    await worker.send({ task_name: 'load' });
    await started.promise;
    // The queue is found empty before the second message comes.
    await pause(100);
    await worker.send({ task_name: 'load', task_kwargs: { opens: true } });
    await worker.idle({ timeoutSeconds: 10 });
    expect(worker.results('load')).toHaveLength(2);
  });

  test('stops at a task of another worker, whose messages can be read', async () => {
    const { resize } = functions;
    const worker = await start({ resize }, { otherTasks: ['describe'] });
    const { chainId } = await worker.send(task);
    await worker.idle();
    const [sent] = await worker.sent('describe');
    expect(sent).toMatchObject({ task: { task_name: 'describe' }, attributes: { chain_id: chainId } });
    await expect(worker.sent('resize')).rejects.toThrow("See attempts('resize')");
    await expect(worker.run({ task_name: 'describe' })).rejects.toThrow('does not serve describe');
  });
});

describe('retries', () => {
  test('are counted and do not wait, until the dead-letter queue', async () => {
    const worker = await start({ load: fail('no'), give: fail('up') }, { maxReceiveCount: 5 });
    const { chainId, messageId } = await worker.send({ task_name: 'load', task_kwargs: { symbol: 'IBM' } });
    await worker.idle();
    expect(worker.chain(chainId)).toMatchObject({
      status: 'failed',
      tasks: [{ status: 'failed', error: { message: 'no' }, attempts: { length: 5 } }],
    });
    expect(worker.attempts().map(({ attempt, error }) => [attempt, String(error)])).toEqual(
      [1, 2, 3, 4, 5].map((attempt) => [attempt, 'Error: no']),
    );
    const [letter] = await worker.deadLetters('load');
    expect(letter?.task).toEqual({ task_name: 'load', task_kwargs: { symbol: 'IBM' } });
    expect(worker.attempts()[4]?.messageId).toBe(messageId);
    expect(await worker.deadLetters('give')).toEqual([]);
    expect(await worker.deadLetters()).toHaveLength(1);
    expect(worker.results()).toEqual([]);
  });

  test('have the reason of a failure that is final', async () => {
    const worker = await start({
      load: () => {
        throw new NonRetryableError('never');
      },
    });
    await worker.send({ task_name: 'load' });
    await worker.idle();
    expect(worker.attempts()).toMatchObject([{ outcome: 'failed', error: { code: 'NON_RETRYABLE' } }]);
    const [letter] = await worker.deadLetters();
    expect(letter?.attributes).toMatchObject({ failure_reason: 'NonRetryableError: never' });
  });

  test('happen in the order of their times, with the delays of messages', async () => {
    const order: string[] = [];
    const handler = middy(
      queued(
        routeTasks({
          slow: (_: object, __: unknown, { record }: RoutedExtras) => {
            const count = Number((record as SqsRecord).attributes.ApproximateReceiveCount);
            order.push(`slow ${count}`);
            if (count < 3) throw new Error('later');
          },
          delayed: ({ seconds }: { seconds: number }) => order.push(`delayed ${seconds}`),
        }),
      ),
    )
      .use(sqsSnsUnwrap())
      .use(sqsPartialBatchFailure({ logger: () => {} }))
      .use(failurePolicy({ backoff: { baseSeconds: 100, jitter: 0 } }));
    const worker = await testWorker(handler, { tasks: ['slow', 'delayed'] });
    workers.add(worker);
    const { delayed } = worker.queues as Record<string, { url: string }>;
    for (const seconds of [400, 0, 200, 10]) {
      const MessageBody = JSON.stringify({ task_name: 'delayed', task_kwargs: { seconds } });
      const message = { QueueUrl: delayed?.url, MessageBody, DelaySeconds: seconds };
      await worker.aws.sqs.send(new SendMessageCommand(message));
    }
    await worker.send({ task_name: 'slow' });
    const start = performance.now();
    await worker.idle();
    expect(performance.now() - start).toBeLessThan(5000);
    // The second retry is 200 s after the first, which is 100 s after the start.
    expect(order.toSorted()).toHaveLength(7);
    expect(order.filter((name) => name !== 'delayed 0' && name !== 'slow 1')).toEqual([
      'delayed 10',
      'slow 2',
      'delayed 200',
      'slow 3',
      'delayed 400',
    ]);
  });

  test('keep the order of a FIFO group', async () => {
    const order: string[] = [];
    const seen = new Set<number>();
    const worker = await start(
      {
        step: ({ number }: { number: number }) => {
          order.push(String(number));
          if (number === 1 && !seen.has(number)) {
            seen.add(number);
            throw new Error('once more');
          }
        },
      },
      { fifo: true },
    );
    for (const number of [1, 2, 3]) {
      await worker.send({ task_name: 'step', task_kwargs: { number } }, { groupId: 'a' });
    }
    await worker.idle();
    expect(order).toEqual(['1', '1', '2', '3']);
  });

  test('end with an error when a task takes too long', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const worker = await start({ hang: () => promise });
    await worker.send({ task_name: 'hang' });
    await expect(worker.idle({ timeoutSeconds: 0.2 })).rejects.toThrow('1 messages are in progress');
    resolve();
    await worker.idle();
    expect(worker.results('hang')).toEqual([undefined]);
  });
});

describe('faults', () => {
  const functions = { make: () => 'made', take: (value: unknown) => value };
  const task = { task_name: 'make', callback: 'take' };

  test('an answer of AWS, to each attempt of the SDK', async () => {
    const puts: number[] = [];
    const worker = await start(functions, {
      faults({ service, operation, target, count }) {
        if (service !== 's3' || operation !== 'PutObject') return undefined;
        expect(target).toMatch(/^algernon-local\/cache\//);
        puts.push(count);
        return puts.length <= 2 ? { status: 503, code: 'SlowDown' } : undefined;
      },
    });
    await worker.send(task);
    await worker.idle();
    expect(puts).toEqual([1, 2, 3]);
    expect(worker.attempts('make')).toHaveLength(1);
    expect(worker.results('take')).toHaveLength(1);
  });

  test('a refusal fails the task', async () => {
    const worker = await start(functions, {
      faults: ({ operation, target }) =>
        operation.startsWith('Publish') && target === 'take'
          ? { status: 403, code: 'AuthorizationError' }
          : undefined,
    });
    await worker.send(task);
    await worker.idle();
    const [attempt] = worker.attempts('make');
    expect(attempt).toMatchObject({ outcome: 'failed', result: 'made' });
    expect(String(attempt?.error)).toContain('AuthorizationError');
    expect(worker.results('make')).toEqual([]);
  });

  test('a lost answer: the call is made, and made again', async () => {
    const worker = await start(functions, {
      faults: ({ operation, count }) =>
        operation.startsWith('Publish') && count === 1 ? { lost: true } : undefined,
    });
    await worker.send(task);
    await worker.idle();
    expect(worker.attempts('make')).toHaveLength(1);
    expect(worker.attempts('take')).toHaveLength(2);
  });

  test('a connection that breaks: the call is not made', async () => {
    const worker = await start(functions, {
      faults: ({ service, count }) => (service === 'sns' && count === 1 ? new Error('broken') : undefined),
    });
    await worker.send(task);
    await worker.idle();
    expect(worker.attempts('take')).toHaveLength(1);
  });

  test('end with their worker', async () => {
    await using aws = await startLocalAws();
    const faulty = await start(functions, { aws, faults: () => ({ status: 403, code: 'AccessDenied' }) });
    await faulty.stop();
    const sound = await start(
      { read: async () => (await aws.s3.send(new ListBucketsCommand())).Buckets?.length },
      { aws },
    );
    expect(await sound.run({ task_name: 'read' })).toBe(1);
    await sound.stop();
  });

  test('a call to SQS', async () => {
    const operations = new Set<string>();
    const worker = await start(
      { load: fail('no') },
      {
        faults({ service, operation, target }) {
          if (service === 'sqs') operations.add(`${operation} ${target}`);
          return undefined;
        },
      },
    );
    await worker.send({ task_name: 'load' });
    await worker.idle();
    expect([...operations].sort()).toEqual(['ChangeMessageVisibilityBatch load', 'GetQueueUrl load']);
  });
});

describe('run', () => {
  test('returns the result, whatever it is', async () => {
    const worker = await start({ double: ({ n }: { n: number }) => new Map([[n, 2n * BigInt(n)]]) });
    expect(await worker.run({ task_name: 'double', task_kwargs: { n: 2 } })).toEqual(new Map([[2, 4n]]));
    expect(worker.attempts()).toEqual([]);
  });

  test('throws the error of the task itself', async () => {
    const error = new RangeError('too many');
    const worker = await start({
      load: () => {
        throw error;
      },
    });
    await expect(worker.run({ task_name: 'load' })).rejects.toBe(error);
  });

  test('replaces resources and tells how often the message was received', async () => {
    const worker = await start(
      {
        count: async (_, context, { record }) => [
          await (await context.db).count(),
          await context.clock,
          (record as SqsRecord).attributes.ApproximateReceiveCount,
        ],
      },
      { context: { clock: 'noon', db: { count: () => 1 } } },
    );
    const db = { count: () => 7 };
    expect(await worker.run({ task_name: 'count' }, { context: { db }, receiveCount: 3 })).toEqual([
      7,
      'noon',
      '3',
    ]);
    await worker.send({ task_name: 'count' });
    await worker.idle();
    expect(worker.results('count')).toEqual([[1, 'noon', '1']]);
  });

  test('says that nothing ran the task', async () => {
    const worker = await testWorker(async () => undefined, { tasks: ['load'] });
    workers.add(worker);
    await expect(worker.run({ task_name: 'load' })).rejects.toMatchObject({ code: 'TASK_NOT_RUN' });
  });
});

describe('a worker', () => {
  test('finds the tasks of routeTasks', async () => {
    const handler = stack({ findable: () => 'found' });
    const worker = await testWorker(handler);
    workers.add(worker);
    await worker.send({ task_name: 'findable' });
    await worker.idle();
    expect(worker.results('findable')).toEqual(['found']);
  });

  test('keeps errors of whole invocations', async () => {
    const worker = await testWorker(() => Promise.reject(new Error('at once')), { tasks: ['load'] });
    workers.add(worker);
    await worker.send({ task_name: 'load' });
    await worker.idle();
    expect(worker.errors.map(String)).toEqual(Array.from({ length: 3 }, () => 'Error: at once'));
  });

  test('refuses what it does not know', async () => {
    await expect(testWorker(undefined as never)).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(start({}, { tasks: [] })).rejects.toMatchObject({ code: 'NO_TASKS' });
    await expect(start({}, { taks: [] } as never)).rejects.toThrow('there is no option "taks"');
    await expect(start({}, { tasks: ['a'], otherTasks: ['a'] })).rejects.toThrow('in both');
    await expect(start({}, { tasks: ['a'], maxReceiveCount: 0 })).rejects.toThrow('maxReceiveCount');
    const elsewhere = await startLocalAws({ endpoint: (await start({ a: () => 1 })).aws.endpoint });
    await expect(start({ a: () => 1 }, { aws: elsewhere })).rejects.toThrow('without an endpoint');
    await elsewhere.stop();
    const worker = [...workers][0] as TestWorker;
    await expect(worker.send({ task_name: 'b' })).rejects.toThrow('there is no task b. The tasks are: a.');
  });

  test('runs alone in a process, or on the same local AWS', async () => {
    const before = process.env.AWS_ENDPOINT_URL;
    const first = await start({ first: () => 'second', third: () => 'end' }, { otherTasks: ['second'] });
    expect(process.env.AWS_ENDPOINT_URL).toBe(first.aws.endpoint);
    await expect(start({ second: () => 1 })).rejects.toMatchObject({ code: 'TEST_WORKER_RUNNING' });
    const second = await start({ second: () => 2 }, { aws: first.aws });
    await first.send({ task_name: 'first', callback: 'first#second#third' });
    await first.idle();
    await second.idle();
    await first.idle();
    expect([first.results('third'), second.results()]).toEqual([['end'], [2]]);
    await first.aws.stop();
    await expect(second.idle()).rejects.toMatchObject({ code: 'WORKER_NOT_IDLE' });
    await first.stop();
    expect(process.env.AWS_ENDPOINT_URL).toBe(before);
  });

  test('shows a message that is not a task', async () => {
    const worker = await start({ load: () => 1 });
    const { load } = worker.queues as Record<string, { url: string }>;
    await worker.aws.sqs.send(new SendMessageCommand({ QueueUrl: load?.url, MessageBody: 'not JSON' }));
    await worker.idle();
    expect(worker.attempts()).toMatchObject([{ taskName: '', error: { code: 'MESSAGE_NOT_JSON' } }]);
    expect(await worker.deadLetters()).toMatchObject([
      { task: { task_name: '' }, record: { body: 'not JSON' } },
    ]);
  });
});

test('a logger writes to its console again after a test', async () => {
  const lines: string[] = [];
  const logger = new Logger({ serviceName: 'test' });
  const keep = (text: string) => lines.push(text);
  Object.assign(logger, { console: { info: keep, log: keep, error: keep } });
  const handler = middy(queued(async () => logger.info('at work')))
    .use(lambdaLogged({ logger }))
    .use(sqsSnsUnwrap());
  const worker = await testWorker(handler, { tasks: ['load'] });
  workers.add(worker);
  await worker.run({ task_name: 'load' });
  expect(worker.logs('load').map(({ message }) => message)).toEqual(['at work']);
  expect(lines).toEqual([]);
  await handler({ Records: [sqsRecord({ task_name: 'load' })] }, lambdaContext(), {} as never);
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['at work', 'batch done']);
});
