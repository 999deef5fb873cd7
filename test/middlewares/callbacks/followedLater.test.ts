import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import {
  callbackPublisher,
  fanOut,
  queued,
  type SettledBatch,
  sqsSnsUnwrap,
  stageMiddleware,
} from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;

/** Runs a message without a callback. Another stage may give its task one. */
async function run(work: () => unknown, task?: object) {
  const sent: { topic: string; message: { task_name: string; task_kwargs: unknown; callback?: string } }[] =
    [];
  const sns = {
    async send({ input }: PublishBatchCommand) {
      const entries = input.PublishBatchRequestEntries ?? [];
      for (const { Message } of entries)
        sent.push({ topic: String(input.TopicArn), message: JSON.parse(Message ?? '') });
      return { Successful: entries.map(({ Id }) => ({ Id, MessageId: `message-${Id}` })) };
    },
  };
  const giving = stageMiddleware({
    name: 'giving',
    order: { before: 'unwrap' },
    around(run, next) {
      if (task) run.task = task;
      return next();
    },
  });
  const handler = middy(queued(work))
    .use(sqsSnsUnwrap())
    .use(giving)
    .use(
      callbackPublisher({
        s3: aws.s3,
        bucket: aws.bucket,
        sns: sns as never,
        topics: topicArn,
        inlineUnder: 1000,
      }),
    );
  const event = { Records: [sqsRecord({ task_name: 'work', task_kwargs: {} })] };
  const [outcome] = (await handler(event as never, lambdaContext())) as SettledBatch<unknown>;
  return { outcome, sent };
}

test('a task without a callback that returns a group has it sent', async () => {
  const thumbs = [1, 2].map((n) => ({ task_name: 'thumb', task_kwargs: { n } }));
  const { outcome, sent } = await run(() => fanOut(thumbs, { then: 'album' }));
  expect(outcome).toEqual({
    status: 'fulfilled',
    value: { groupId: expect.any(String), chainId: expect.any(String) },
  });
  expect(sent.map(({ topic, message }) => [topic, message.task_kwargs])).toEqual([
    [topicArn('thumb'), { n: 1 }],
    [topicArn('thumb'), { n: 2 }],
  ]);
  expect(sent.every(({ message }) => message.callback?.startsWith('gather#g-'))).toBe(true);
});

test('a group without branches sends its next task', async () => {
  const { sent } = await run(() => fanOut([], { then: 'album' }));
  expect(sent).toEqual([
    { topic: topicArn('album'), message: { task_name: 'album', task_kwargs: { results: [] } } },
  ]);
});

test('the callback of a task that another stage has set is sent', async () => {
  const own = { task_name: 'own', task_kwargs: {}, callback: 'own#next#last' };
  const { outcome, sent } = await run(() => ({ n: 1 }), own);
  expect(outcome?.status).toBe('fulfilled');
  expect(sent).toEqual([
    {
      topic: topicArn('next'),
      message: { task_name: 'next', task_kwargs: { n: 1 }, callback: 'own#next#last' },
    },
  ]);
});

test('a task that nothing follows on sends nothing', async () => {
  const { outcome, sent } = await run(() => ({ n: 1 }));
  expect([outcome, sent]).toEqual([{ status: 'fulfilled', value: { n: 1 } }, []]);
});
