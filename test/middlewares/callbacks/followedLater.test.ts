import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import { NonRetryableError } from '../../../core/index.ts';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import {
  callbackPublisher,
  extendedPayload,
  fanOut,
  queued,
  type SettledBatch,
  sqsSnsUnwrap,
  stageMiddleware,
  type Task,
} from '../../../middlewares/index.ts';
import { runNode } from '../../local/tools.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;

type Sent = { topic: string; message: { task_name: string; task_kwargs: unknown; callback?: string } };

/** Runs a message, without a callback by default. Another stage may give its task one. */
async function run(
  work: (task: Task) => unknown,
  { task, stages = [], record = sqsRecord({ task_name: 'work', task_kwargs: {} }) }: RunOptions = {},
) {
  const sent: Sent[] = [];
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
  const { s3 } = aws;
  const all = [
    sqsSnsUnwrap() as MiddlewareObj,
    giving,
    callbackPublisher({ s3, bucket: aws.bucket, sns: sns as never, topics: topicArn, inlineUnder: 1000 }),
    ...stages,
  ];
  const handler = all.reduce(
    (stack, middleware) => stack.use(middleware) as typeof stack,
    middy(queued(work)) as unknown as ReturnType<typeof middy>,
  );
  const event = { Records: [record] };
  const [outcome] = (await handler(event as never, lambdaContext())) as unknown as SettledBatch<unknown>;
  return { outcome, sent };
}

interface RunOptions {
  /** The task that another stage sets. */
  task?: object;
  stages?: readonly MiddlewareObj[];
  record?: SQSRecord;
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
  const { outcome, sent } = await run(() => ({ n: 1 }), { task: own });
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

const album = (tasks: readonly Task<object>[] = []) => fanOut(tasks, { then: 'album' });

/** Skips the rest of the stack, before the task is unwrapped. */
const skipping = (result: unknown) =>
  stageMiddleware({ name: 'skipping', order: { after: 'publish' }, around: (run) => run.skip(result) });

test('a group that a stage returns instead of the handler is sent', async () => {
  const { sent } = await run(() => 'unused', { stages: [skipping(album())] });
  expect(sent.map(({ topic }) => topic)).toEqual([topicArn('album')]);
});

test.each(['null', '{}'])('a stage may skip the message %s, which is not a task', async (text) => {
  const skipped = (result: unknown) =>
    run(() => 'unused', { stages: [skipping(result)], record: sqsRecord(text, { raw: true }) });
  expect((await skipped(1)).outcome).toEqual({ status: 'fulfilled', value: 1 });
  const { outcome, sent } = await skipped(album());
  expect([outcome, sent]).toEqual([{ status: 'rejected', reason: expect.anything() }, []]);
});

test('a group has the same id whether or not other tasks follow on its task', async () => {
  const record = sqsRecord({ task_name: 'work', task_kwargs: {} });
  const { outcome } = await run(() => album(), { record });
  const body = JSON.parse(record.body);
  const followed = { ...body, MessageAttributes: { on_error: { Type: 'String', Value: 'cleanup' } } };
  const again = await run(() => album(), { record: { ...record, body: JSON.stringify(followed) } });
  expect(outcome).toHaveProperty('value.groupId');
  expect(again.outcome).toEqual(outcome);
});

test('a branch in an extended payload that fails before its function tells its group', async () => {
  const branches = [{ task_name: 'thumb', task_kwargs: {} }];
  const { sent } = await run(() => fanOut(branches, { then: 'album', failures: 'collect' }));
  const s3Key = '0d3b1a5e-6a5e-4c8e-9d0a-0123456789ab';
  const Body = JSON.stringify(sent[0]?.message);
  await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: s3Key, Body }));
  const pointer = ['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: aws.bucket, s3Key }];
  const size = { stringValue: String(Body.length), dataType: 'Number' };
  const record = sqsRecord(pointer, { raw: true, messageAttributes: { ExtendedPayloadSize: size } as never });
  const failing = stageMiddleware({
    name: 'failing',
    order: { after: 'extended' },
    around() {
      throw new NonRetryableError('refused');
    },
  });
  const failed = await run(() => 'unused', {
    record,
    stages: [extendedPayload({ s3: aws.s3, bucket: aws.bucket }), failing],
  });
  expect(failed.outcome).toMatchObject({ reason: { message: 'refused' } });
  expect(failed.sent.map(({ topic }) => topic)).toEqual([topicArn('album')]);
});

test('the code that sends is loaded for tasks that something follows on, and for no other', async () => {
  const loadsFor = async (messages: readonly object[]) => {
    const { output } = await runNode(`
      import { registerHooks } from 'node:module';
      let loaded = false;
      registerHooks({ resolve(name, context, next) { loaded ||= name.includes('openSender'); return next(name, context); } });
      const { default: middy } = await import('@middy/core');
      const { fanOut, queued } = await import('./core/index.ts');
      const { callbackPublisher } = await import('./middlewares/callbackPublisher.ts');
      const { sqsSnsUnwrap } = await import('./middlewares/sqsSnsUnwrap.ts');
      const work = ({ task_kwargs }) => {
        if (task_kwargs.fails) throw new Error('failed');
        return task_kwargs.splits ? fanOut([], { then: 'next' }) : 1;
      };
      const client = { send: async () => { throw new Error('no network'); } };
      const topics = () => 'arn:aws:sns:us-east-1:123456789012:next';
      const handler = middy(queued(work))
        .use(sqsSnsUnwrap())
        .use(callbackPublisher({ bucket: 'b', s3: client, sns: client, topics }));
      for (const record of ${JSON.stringify(messages.map((message) => sqsRecord(message)))}) {
        await handler({ Records: [record] }, { awsRequestId: 'id' }).catch(() => {});
        console.log(loaded);
      }`);
    return output.trim().split('\n');
  };
  const work = (task_kwargs: object, callback?: string | null) => ({
    task_name: 'work',
    task_kwargs,
    callback,
  });
  const unfollowed = [work({}), work({}, null), work({ fails: true }), { task_kwargs: {} }, 'no JSON'];
  expect(await loadsFor(unfollowed as object[])).toEqual(unfollowed.map(() => 'false'));
  expect(await loadsFor([work({}), work({}, 'next')])).toEqual(['false', 'true']);
  expect(await loadsFor([work({}), work({ splits: true })])).toEqual(['false', 'true']);
});
