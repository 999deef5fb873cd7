import { getEventListeners } from 'node:events';
import type { PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import {
  callbackPublisher,
  queued,
  runTask,
  type SettledBatch,
  sqsSnsUnwrap,
  type Task,
} from '../../../middlewares/index.ts';
import { gate } from '../../local/tools.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/**
 * Runs a batch whose handlers return at once.
 *
 * @param storeMillis how long storing the result of each takes
 * @returns the statuses, and the number of callbacks in each call to SNS
 */
async function runTasks(
  storeMillis: Readonly<Record<string, number>>,
  { abortAfter = 300, reserveMillis = 2000 } = {},
) {
  const startedAt = performance.now();
  const s3 = {
    async send({ input }: PutObjectCommand) {
      await sleep(storeMillis[/"name":"(\w+)"/.exec(String(input.Body))?.[1] ?? ''] ?? 0);
      return {};
    },
  };
  const calls: number[] = [];
  const sns = {
    async send({ input: { PublishBatchRequestEntries: entries = [] } }: PublishBatchCommand) {
      calls.push(entries.length);
      return { Successful: entries };
    },
  };
  const handler = middy(
    queued((task: Task<{ name: string }>) => ({ name: task.task_kwargs?.name }), { reserveMillis }),
  )
    .use(sqsSnsUnwrap())
    .use(
      callbackPublisher({
        s3: s3 as never,
        sns: sns as never,
        bucket: 'b',
        topics: { next: 'arn:aws:sns:us-east-1:123456789012:next' },
        lingerMillis: 60_000,
      }),
    );
  const getRemainingTimeInMillis = () => startedAt + abortAfter + reserveMillis - performance.now();
  const Records = Object.keys(storeMillis).map((name) =>
    sqsRecord({ task_name: 'work', task_kwargs: { name }, callback: 'next' }),
  );
  const settled = (await handler(
    { Records },
    lambdaContext({ getRemainingTimeInMillis }),
  )) as SettledBatch<unknown>;
  return { statuses: settled.map(({ status }) => status), calls };
}

// The first call loads the SDK.
beforeAll(async () => {
  await runTasks({ first: 0 });
});

describe('near the end of an invocation', () => {
  test('callbacks that wait for company leave without it', async () => {
    expect(await runTasks({ quick: 0, slow: 900 })).toEqual({
      statuses: ['fulfilled', 'fulfilled'],
      calls: [1, 1],
    });
  });

  test('callbacks that are ready later do not wait for company', async () => {
    expect(await runTasks({ late: 600, slow: 1200 })).toEqual({
      statuses: ['fulfilled', 'fulfilled'],
      calls: [1, 1],
    });
  });

  test('before that they leave together', async () => {
    expect(await runTasks({ quick: 0, slow: 50 }, { abortAfter: 10_000 })).toEqual({
      statuses: ['fulfilled', 'fulfilled'],
      calls: [2],
    });
  });

  test('nothing leaves after the answer', async () => {
    const outcome = await runTasks({ quick: 0, stuck: 1200 }, { abortAfter: 200, reserveMillis: 500 });
    expect(outcome).toEqual({ statuses: ['fulfilled', 'rejected'], calls: [1] });
    await sleep(800);
    expect(outcome.calls).toEqual([1]);
  });
});

describe('a loop whose signal is aborted', () => {
  test('sends none of the callbacks that wait', async () => {
    const stop = new AbortController();
    const { opened: stored, open: store } = gate();
    const s3 = { send: () => stored.then(() => ({})) };
    let calls = 0;
    const sns = {
      async send({ input: { PublishBatchRequestEntries: Successful = [] } }: PublishBatchCommand) {
        calls += 1;
        return { Successful };
      },
    };
    const topics = { next: 'arn:aws:sns:us-east-1:123456789012:next' };
    const handler = middy(({ Records }: { Records: SQSRecord[] }, context: object) =>
      Promise.allSettled(
        Records.map((record) =>
          runTask(record, context, (task: Task) => task.task_kwargs?.result, { signal: stop.signal }),
        ),
      ),
    )
      .use(sqsSnsUnwrap())
      .use(
        callbackPublisher({
          s3: s3 as never,
          sns: sns as never,
          bucket: 'b',
          topics,
          lingerMillis: 60_000,
        }),
      );
    // The last one is stored, and meanwhile the others wait for it.
    const Records = [null, null, 'stored'].map((result) =>
      sqsRecord({ task_name: 'work', task_kwargs: { result }, callback: 'next' }),
    );
    const running = handler({ Records } as never, lambdaContext());
    const listeners = () => getEventListeners(stop.signal, 'abort').length;
    while (listeners() === 0) await new Promise(setImmediate);
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    // One for all tasks: thousands may wait.
    expect(listeners()).toBe(1);
    stop.abort();
    store();
    const failed = { status: 'rejected', reason: expect.objectContaining({ code: 'DEADLINE' }) };
    expect(await running).toEqual([failed, failed, failed]);
    expect(calls).toBe(0);
  });
});
