import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker, type WorkerOptions } from '../../local/index.ts';
import {
  type ChainState,
  callbackPublisher,
  cancelChain,
  cancellable,
  chainEvents,
  type EventSink,
  type EventSource,
  endChain,
  failurePolicy,
  getChain,
  idempotent,
  lambdaLogged,
  memorySink,
  NonRetryableError,
  queued,
  RetryLaterError,
  routeTasks,
  type SendTaskOptions,
  s3Sink,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  type TaskFunction,
  waitForChain,
  watchChain,
} from '../../middlewares/index.ts';
import { runNode } from '../local/tools.ts';
import { silentLogger } from '../support/silentLogger.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  jest.restoreAllMocks();
});

let number = 0;
const names = <const N extends string>(...all: N[]) => {
  number += 1;
  return Object.fromEntries(all.map((name) => [name, `${name}${number}`])) as Record<N, string>;
};

interface Setup extends Partial<WorkerOptions<string>> {
  to?: EventSink & EventSource;
  more?: () => MiddlewareObj[];
}

const start = async (
  functions: Record<string, TaskFunction>,
  { to = memorySink(), more, ...options }: Setup = {},
) => {
  const stack = [
    chainEvents({ to }),
    sqsPartialBatchFailure({ logger: () => {} }),
    sqsSnsUnwrap() as MiddlewareObj,
    storedDataHydrate({ s3: aws.s3, bucket: aws.bucket }),
    callbackPublisher({ s3: aws.s3, sns: aws.sns, bucket: aws.bucket }),
    ...(more?.() ?? []),
  ];
  const handler = stack.reduce(
    (all, one) => all.use(one) as typeof all,
    middy(queued(routeTasks(functions))) as unknown as ReturnType<typeof middy>,
  );
  const worker = await startWorker({
    aws,
    handler: handler as never,
    tasks: Object.keys(functions),
    retryDelaySeconds: 0,
    onInvocation: () => {},
    ...options,
  });
  stops.push(worker.stop);
  const send = (task: Parameters<typeof sendTask>[0], sending: SendTaskOptions = {}) =>
    sendTask(task, {
      sns: aws.sns,
      s3: aws.s3,
      bucket: aws.bucket,
      topics: worker.topics,
      events: to,
      ...sending,
    });
  const wait = (chainId: string) => waitForChain(chainId, { from: to, timeoutSeconds: 20 });
  return { worker, send, wait, to };
};

const shape = ({ tasks }: ChainState) =>
  tasks.map(({ taskName, depth, status, attempts }) => [
    taskName,
    depth,
    status,
    attempts.map(({ outcome }) => outcome).join(),
  ]);

describe('a chain', () => {
  test('of three, of which one is retried, is followed to its end', async () => {
    const { load, analyse, report } = names('load', 'analyse', 'report');
    let failures = 1;
    const { send, wait } = await start(
      {
        [load]: () => ({ prices: [1, 2] }),
        [analyse]: ({ prices }) => {
          failures -= 1;
          if (failures === 0) throw new Error('not yet', { cause: new TypeError('why') });
          return { sum: prices.length };
        },
        [report]: () => endChain(),
      },
      { more: () => [failurePolicy({ sqs: aws.sqs, backoff: { baseSeconds: 1, jitter: 0 } })] },
    );
    const callback = `${load}#${analyse}#${report}`;
    const { chainId, messageId } = await send({ task_name: load, callback });
    const state = await wait(chainId);
    expect(shape(state)).toEqual([
      [load, 0, 'succeeded', 'succeeded'],
      [analyse, 1, 'succeeded', 'failed,succeeded'],
      [report, 2, 'succeeded', 'succeeded'],
    ]);
    const [first, second, last] = state.tasks;
    expect(first).toMatchObject({
      messageId,
      callback,
      pointer: expect.stringContaining(`${aws.bucket}#cache/`),
    });
    expect(second).toMatchObject({
      parentId: messageId,
      role: 'callback',
      attempts: [
        {
          receiver: expect.stringMatching(/^arn:aws:sqs:.*analyse/),
          error: {
            name: 'Error',
            message: 'not yet',
            stack: expect.any(String),
            cause: { name: 'TypeError' },
          },
          retry: { delaySeconds: 1 },
          queueMillis: expect.any(Number),
          runMillis: expect.any(Number),
        },
        { attempt: 2, storeMillis: expect.any(Number), publishMillis: expect.any(Number) },
      ],
    });
    expect(last?.endsChain).toBe(true);
    // The result is where the pointer says.
    const [, key = ''] = String(first?.pointer).split('#');
    await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: key }));
  }, 30_000);

  test('that fails for good names its error; its error task belongs to it; a redrive repairs it', async () => {
    const { load, tell } = names('load', 'tell');
    let isRepaired = false;
    const { send, wait, worker, to } = await start(
      {
        [load]: () => {
          if (!isRepaired) throw new NonRetryableError('no such symbol');
        },
        [tell]: () => {},
      },
      { more: () => [failurePolicy({ sqs: aws.sqs })] },
    );
    const { chainId } = await send({ task_name: load }, { onError: tell });
    const failed = await wait(chainId).catch((error) => error);
    expect(failed).toMatchObject({
      code: 'CHAIN_FAILED',
      message: expect.stringContaining('no such symbol'),
      cause: { code: 'NON_RETRYABLE' },
      state: { status: 'failed' },
    });
    expect(shape(failed.state)).toEqual([
      [load, 0, 'failed', 'failed'],
      [tell, 1, 'succeeded', 'succeeded'],
    ]);
    expect(failed.state.tasks[0].attempts[0].deadLetter.queue).toBe(worker.queues[load]?.deadLetter.url);
    expect(failed.state.tasks[1].role).toBe('error');

    isRepaired = true;
    const queue = worker.queues[load];
    const { Messages } = await aws.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queue?.deadLetter.url, MessageAttributeNames: ['All'] }),
    );
    const [{ Body, MessageAttributes } = {}] = Messages ?? [];
    expect(MessageAttributes?.chain_id?.StringValue).toBe(chainId);
    await aws.sqs.send(
      new SendMessageCommand({ QueueUrl: queue?.url, MessageBody: Body, MessageAttributes }),
    );
    await worker.idle({ timeoutSeconds: 10 });
    const repaired = await getChain(chainId, { from: to });
    expect(repaired && shape(repaired)[0]).toEqual([load, 0, 'succeeded', 'failed,succeeded']);
    expect(repaired?.status).toBe('succeeded');
  }, 30_000);

  test('starts later, is tried again when its task asks for it, and is not run twice', async () => {
    const { load } = names('load');
    let runs = 0;
    const { send, wait } = await start(
      {
        [load]: () => {
          runs += 1;
          if (runs === 1) throw new RetryLaterError(2);
          return { runs };
        },
      },
      {
        more: () => [
          failurePolicy({ sqs: aws.sqs }),
          idempotent({ s3: aws.s3, bucket: aws.bucket }) as MiddlewareObj,
          cancellable({ s3: aws.s3, bucket: aws.bucket }) as MiddlewareObj,
        ],
      },
    );
    const { chainId, messageId } = await send({ task_name: load }, { delaySeconds: 1, sqs: aws.sqs });
    const state = await wait(chainId);
    expect(shape(state)).toEqual([[load, 0, 'succeeded', 'failed,succeeded']]);
    const [task] = state.tasks;
    expect(task).toMatchObject({
      messageId,
      attempts: [{ error: { code: 'RETRY_LATER' }, retry: { delaySeconds: 2 } }, {}],
    });
    expect((task?.dueAt ?? 0) - (task?.sentAt ?? 0)).toBeGreaterThanOrEqual(1000);

    await cancelChain('a-cancelled-chain', { s3: aws.s3, bucket: aws.bucket });
    await send({ task_name: load, callback: load }, { chainId: 'a-cancelled-chain' });
    expect((await wait('a-cancelled-chain')).tasks).toMatchObject([{ status: 'succeeded', endsChain: true }]);
    expect(runs).toBe(2);
  }, 30_000);

  test('is given up by SQS on the last receive', async () => {
    const { load } = names('load');
    const functions = {
      [load]: () => {
        throw new Error('no');
      },
    };
    const { send, wait } = await start(functions);
    const { chainId } = await send({ task_name: load });
    const { state } = await wait(chainId).catch((error) => error);
    expect(shape(state)).toEqual([[load, 0, 'failed', 'failed,failed,failed']]);
    expect(state.tasks[0].attempts[2].deadLetter).toEqual({ at: expect.any(Number), queue: undefined });
  }, 30_000);

  test('is watched as it goes on', async () => {
    const { load, report } = names('load', 'report');
    const { send, to } = await start({ [load]: () => ({ a: 1 }), [report]: () => {} });
    const { chainId } = await send({ task_name: load, callback: report });
    const seen: string[] = [];
    for await (const { status } of watchChain(chainId, { from: to })) seen.push(status);
    expect(seen.at(-1)).toBe('succeeded');
    expect(new Set(seen.slice(0, -1))).toEqual(new Set(['open']));
  }, 30_000);

  test('includes the tasks that a handler sends, without lambdaLogged and with it', async () => {
    for (const more of [[], [lambdaLogged({ logger: silentLogger() })]]) {
      const { split, part, other } = names('split', 'part', 'other');
      const sending: SendTaskOptions = { sns: aws.sns, s3: aws.s3, bucket: aws.bucket };
      const { send, wait, worker } = await start(
        {
          [split]: async () => {
            await sendTask({ task_name: part }, { ...sending, topics: worker.topics });
            await sendTask(
              { task_name: other },
              { ...sending, topics: worker.topics, chainId: `other${number}` },
            );
          },
          [part]: () => {},
          [other]: () => {},
        },
        { more: () => more as MiddlewareObj[] },
      );
      const { chainId } = await send({ task_name: split });
      expect(shape(await wait(chainId))).toEqual([
        [split, 0, 'succeeded', 'succeeded'],
        [part, 1, 'succeeded', 'succeeded'],
      ]);
      expect(shape(await wait(`other${number}`))).toEqual([[other, 0, 'succeeded', 'succeeded']]);
    }
  }, 30_000);
});

describe('s3Sink', () => {
  test('keeps the events of a chain, in objects whose keys are in order of time', async () => {
    const { load, report } = names('load', 'report');
    const sink = () =>
      s3Sink({ s3: aws.s3, bucket: aws.bucket, folder: 'team/chains', lingerMillis: 10_000 });
    const { send, wait } = await start({ [load]: () => ({ a: 1 }), [report]: () => {} }, { to: sink() });
    const { chainId } = await send({ task_name: load, callback: report }, { events: sink() });
    expect(shape(await wait(chainId))).toEqual([
      [load, 0, 'succeeded', 'succeeded'],
      [report, 1, 'succeeded', 'succeeded'],
    ]);
    const { Contents = [] } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `team/chains/${chainId}/` }),
    );
    // One object for the sender, and one for each task; a batch that ends writes the events of others under way too.
    expect(Contents.length).toBeLessThanOrEqual(5);
    for (const { Key } of Contents) expect(Key).toMatch(/\/\d{15}-[\w-]{36}\.json$/);
    const reader = s3Sink({ s3: aws.s3, bucket: aws.bucket, folder: 'team/chains' });
    expect((await getChain(chainId, { from: reader }))?.status).toBe('succeeded');
    expect(await getChain('no-such-chain', { from: reader })).toBeUndefined();
  }, 30_000);

  test('a worker that is killed leaves its attempt, which is received again', async () => {
    const { load } = names('load');
    const to = s3Sink({ s3: aws.s3, bucket: aws.bucket, lingerMillis: 0 });
    const source = `
      import { S3Client } from '@aws-sdk/client-s3';
      import { SQSClient } from '@aws-sdk/client-sqs';
      import { SNSClient } from '@aws-sdk/client-sns';
      import middy from '@middy/core';
      import { startWorker } from './local/index.ts';
      import { chainEvents, queued, s3Sink, sqsSnsUnwrap } from './middlewares/index.ts';
      const s3 = new S3Client({ forcePathStyle: true });
      const handler = middy(queued(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        process.kill(process.pid, 'SIGKILL');
      })).use(chainEvents({ to: s3Sink({ s3, lingerMillis: 0 }) })).use(sqsSnsUnwrap());
      await startWorker({
        aws: { sns: new SNSClient(), sqs: new SQSClient({ useQueueUrlAsEndpoint: false }) },
        handler, tasks: ['${load}'], visibilityTimeoutSeconds: 5,
      });
    `;
    const killed = runNode(source, aws.env);
    const { send, wait, worker } = await start({ [load]: () => {} }, { to, visibilityTimeoutSeconds: 5 });
    await worker.stop();
    const { chainId } = await send({ task_name: load });
    await killed;
    const left = await getChain(chainId, { from: to });
    expect(left && shape(left)).toEqual([[load, 0, 'running', 'running']]);
    await start({ [load]: () => {} }, { to, visibilityTimeoutSeconds: 5 });
    expect(shape(await wait(chainId))).toEqual([[load, 0, 'succeeded', 'lost,succeeded']]);
  }, 60_000);
});
