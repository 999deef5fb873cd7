import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type InvocationReport,
  type LocalAws,
  startLocalAws,
  startWorker,
  type Worker,
  type WorkerOptions,
} from '../../local/index.ts';
import { maxResponseBytes } from '../../local/invoke.ts';
import { countOf, defer, enqueue, gate } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

/** Starts a worker for a task and returns the report of its first invocation. */
async function firstReport(
  task: string,
  options: Omit<WorkerOptions, 'aws' | 'tasks'>,
): Promise<{ worker: Worker; report: InvocationReport }> {
  const { promise, resolve } = defer<InvocationReport>();
  const worker: Worker = await startWorker({ aws, tasks: [task], onInvocation: resolve, ...options });
  await enqueue(aws, queueOf(worker, task), ['x']);
  return { worker, report: await promise };
}

function queueOf(worker: Worker, task: string): Worker['queues'][string] {
  const queue = worker.queues[task];
  if (queue === undefined) throw new Error(`no queue for ${task}`);
  return queue;
}

describe('an invocation fails and leaves its batch in the queue', () => {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  const failing: [string, WorkerOptions['handler'], RegExp][] = [
    ['rejects', async () => Promise.reject(new Error('no')), /^Error: no$/],
    [
      'throws at once',
      () => {
        throw new TypeError('no');
      },
      /^TypeError: no$/,
    ],
    ['throws nothing', async () => Promise.reject(undefined), /^AlgernonError: The handler threw undefined$/],
    ['returns a cycle', async () => cycle, /^AlgernonError: The response cannot be converted to JSON$/],
    ['returns a bigint', async () => ({ n: 1n }), /cannot be converted to JSON$/],
    [
      'gives more than 6 MB',
      async () => ({ batchItemFailures: [], more: 'x'.repeat(maxResponseBytes) }),
      /The response has 62915\d\d bytes; Lambda allows 6291556/,
    ],
  ];
  test.each(failing)('when the handler %s', async (what, handler, message) => {
    const task = what.replaceAll(' ', '-');
    const { worker, report } = await firstReport(task, { handler });
    expect(report).toMatchObject({ outcome: 'failure', failedIds: report.messageIds });
    expect(String(report.error)).toMatch(message);
    expect(worker.stats).toMatchObject({ failedInvocations: 1, deleted: 0, failed: 1 });
    expect(await countOf(aws, queueOf(worker, task))).toEqual({ waiting: 0, hidden: 1 });
  });

  test('when it exceeds its timeout; a later result is ignored', async () => {
    const { opened, open } = gate();
    const { worker, report } = await firstReport('late', { timeoutSeconds: 0.05, handler: () => opened });
    expect(report).toMatchObject({ outcome: 'failure', error: { code: 'INVOCATION' } });
    expect(String(report.error)).toMatch(/Task timed out after 0\.05 seconds/);
    open();
    await opened;
    expect(worker.stats).toMatchObject({ deleted: 0, failed: 1 });
    expect(await countOf(aws, queueOf(worker, 'late'))).toEqual({ waiting: 0, hidden: 1 });
  });

  test('when it blocks the thread past its timeout', async () => {
    const { report } = await firstReport('blocking', {
      timeoutSeconds: 0.01,
      handler: async (_, context) => {
        while (context.getRemainingTimeInMillis() > 0);
      },
    });
    expect(String(report.error)).toMatch(/timed out/);
  });

  test('and a rejection after the timeout is harmless', async () => {
    const { opened, open } = gate();
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listen);
    await firstReport('late-throw', {
      timeoutSeconds: 0.05,
      handler: () => opened.then(() => Promise.reject(new Error('too late'))),
    });
    open();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  test('and is printed on the console unless there is a reporter', async () => {
    const { error } = console;
    const lines: unknown[][] = [];
    console.error = (...line) => void lines.push(line);
    const worker = await startWorker({
      aws,
      tasks: ['loud'],
      maxReceiveCount: 1,
      retryDelaySeconds: 0,
      handler: async () => Promise.reject(new Error('no')),
    });
    await enqueue(aws, worker.queues.loud, ['x']);
    await worker.idle();
    console.error = error;
    expect(lines).toEqual([
      [expect.stringMatching(/^worker \(loud, request [\da-f-]{36}\) failed:$/), new Error('no')],
    ]);
  });
});

describe('a failed message', () => {
  test('is redelivered after its visibility timeout', async () => {
    const counts: string[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['back'],
      visibilityTimeoutSeconds: 1,
      onInvocation: () => {},
      handler: async ({ Records }) => {
        counts.push(...Records.map(({ attributes }) => attributes.ApproximateReceiveCount));
        if (counts.length === 1) throw new Error('no');
      },
    });
    await enqueue(aws, worker.queues.back, ['x']);
    await worker.idle();
    expect(counts).toEqual(['1', '2']);
    expect(worker.stats).toMatchObject({ received: 2, deleted: 1, failed: 1 });
  });

  test('is redelivered after retryDelaySeconds, if set', async () => {
    const counts: string[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['sooner'],
      visibilityTimeoutSeconds: 43_200,
      retryDelaySeconds: 0,
      onInvocation: () => {},
      handler: async ({ Records }) => {
        counts.push(...Records.map(({ attributes }) => attributes.ApproximateReceiveCount));
        if (counts.length === 1) throw new Error('no');
      },
    });
    await enqueue(aws, worker.queues.sooner, ['x']);
    await worker.idle();
    expect(counts).toEqual(['1', '2']);
  });

  test('is dead-lettered after maxReceiveCount attempts, others in its batch are not', async () => {
    const tries: string[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['poison'],
      onInvocation: () => {},
      maxReceiveCount: 3,
      retryDelaySeconds: 0,
      handler: async ({ Records }) => {
        tries.push(...Records.map(({ body }) => body));
        const bad = Records.filter(({ body }) => body === 'bad');
        return { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      },
    });
    await enqueue(aws, worker.queues.poison, ['good', 'bad', 'good']);
    await worker.idle();
    expect(tries.filter((body) => body === 'bad')).toHaveLength(3);
    expect(tries.filter((body) => body === 'good')).toHaveLength(2);
    expect((await worker.deadLetters('poison')).map(({ body }) => body)).toEqual(['bad']);
  });

  test('that SQS fails to delete is reported, and redelivered', async () => {
    const errors: string[] = [];
    const there = await startLocalAws({ endpoint: aws.endpoint });
    let refuse = true;
    there.sqs.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'DeleteMessageBatchCommand' || !refuse) return next(args);
        refuse = false;
        const output = {
          $metadata: {},
          Successful: [],
          Failed: [{ Id: '0', Code: 'x', SenderFault: false }],
        };
        return { response: {}, output };
      },
      { step: 'initialize' },
    );
    const worker = await startWorker({
      aws: there,
      tasks: ['undeleted'],
      visibilityTimeoutSeconds: 1,
      onError: (error) => errors.push(String(error)),
      handler: async () => {},
    });
    await enqueue(aws, worker.queues.undeleted, ['x']);
    await worker.idle();
    expect(errors).toEqual(['Error: SQS did not delete 1 of 1 messages. They will be redelivered.']);
    expect(worker.stats).toMatchObject({ invocations: 2, deleted: 1 });
    await there.stop();
  });
});
