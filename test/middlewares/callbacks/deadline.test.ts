import type { PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import {
  callbackPublisher,
  queued,
  type SettledBatch,
  sqsSnsUnwrap,
  type Task,
} from '../../../middlewares/index.ts';
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
