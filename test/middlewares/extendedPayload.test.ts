import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import { OptionError } from '../../core/errors.ts';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { type ExtendedPayloadOptions, extendedPayload } from '../../middlewares/extendedPayload.ts';
import {
  callbackPublisher,
  NonRetryableError,
  queued,
  sendTask,
  sqsSnsUnwrap,
  type Task,
} from '../../middlewares/index.ts';
import { faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
const key = '0f9c3b8e-9a55-4d43-8f5f-2b0f6f6f1a11';
const task = { task_name: 'resize', task_kwargs: { id: 1 } };
beforeAll(async () => {
  aws = await startLocalAws();
  const put = (Key: string, Body: string) =>
    aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key, Body }));
  await put(key, JSON.stringify(task));
  await put(`large/${key}`, JSON.stringify(task));
  await put('secret.json', JSON.stringify(task));
  await put(key.replace(/^0/, '1'), 'no json');
  await put(key.replace(/^0/, '2'), '[1]');
});
afterAll(() => aws.stop());

const forms = [
  'software.amazon.payloadoffloading.PayloadS3Pointer',
  'com.amazon.sqs.javamessaging.MessageS3Pointer',
] as const;
const sizes = ['ExtendedPayloadSize', 'SQSLargePayloadSize'] as const;

const bySqs = (pointer: unknown, size: string): SQSRecord =>
  sqsRecord(pointer, {
    raw: true,
    messageAttributes: { [size]: { stringValue: '300000', dataType: 'Number' } },
  });

const bySns = (pointer: unknown, size: string): SQSRecord => {
  const record = sqsRecord(pointer);
  const MessageAttributes = { [size]: { Type: 'Number', Value: '300000' } };
  return { ...record, body: JSON.stringify({ ...JSON.parse(record.body), MessageAttributes }) };
};

const run = async (record: SQSRecord, options: ExtendedPayloadOptions = {}) => {
  const handler = middy(queued((task: Task) => task))
    .use(extendedPayload({ s3: aws.s3, bucket: aws.bucket, ...options }))
    .use(sqsSnsUnwrap());
  const [outcome] = await handler({ Records: [record] }, lambdaContext());
  return outcome;
};
const at = (s3Key: unknown, s3BucketName: unknown = aws.bucket, form: string = forms[0]) => [
  form,
  { s3BucketName, s3Key },
];

test('reads both pointer formats and both attribute names, through SQS and SNS', async () => {
  for (const form of forms) {
    for (const size of sizes) {
      for (const made of [bySqs, bySns]) {
        expect(await run(made(at(key, aws.bucket, form), size))).toEqual({
          status: 'fulfilled',
          value: task,
        });
      }
    }
  }
  expect(await run(bySqs(at(`large/${key}`), sizes[0]))).toEqual({ status: 'fulfilled', value: task });
});

test('leaves other messages alone', async () => {
  expect(await run(sqsRecord(task))).toEqual({ status: 'fulfilled', value: task });
  expect(await run(sqsRecord(['text', { s3Key: key }]))).toMatchObject({ reason: { code: 'NOT_A_TASK' } });
});

test('a pointer without its attribute is an error that says so', async () => {
  for (const form of forms) {
    for (const made of [sqsRecord, (pointer: unknown) => bySqs(pointer, 'AnotherSize')]) {
      expect(await run(made(at(key, aws.bucket, form)))).toMatchObject({
        reason: {
          code: 'BAD_POINTER',
          path: '$[0]',
          message: expect.stringMatching(/attribute ExtendedPayloadSize or SQSLargePayloadSize is missing/),
        },
      });
    }
  }
});

test.each(['orders/2024/42.json', `x${key}`, `${key}.json`, `${key}\n`, 'a\nb'])(
  'the key %j is refused with an error that names the option keys, and read if the option allows it',
  async (customKey) => {
    const refused = await run(bySqs(at(customKey), sizes[0]));
    expect(refused).toMatchObject({
      reason: { code: 'BAD_POINTER', path: '$[1].s3Key', message: expect.stringContaining('option keys') },
    });
    expect((refused as PromiseRejectedResult).reason.message).not.toContain('\n');
    const allowed = await run(bySqs(at(customKey), sizes[0]), { keys: /^/g });
    expect(allowed).toMatchObject({ reason: { code: 'STORED_DATA_MISSING' } });
    expect((allowed as PromiseRejectedResult).reason.message).not.toContain('\n');
  },
);

test.each<[string, ExtendedPayloadOptions]>([
  ['maxBytes', { maxBytes: 0 }],
  ['keys', { keys: 'a' as never }],
  ['buckets', { buckets: 'a' as never }],
  ['bucket', { bucket: '' }],
  ['bukket', { bukket: 'a' } as never],
])('refuses a bad %s at the call', (option, options) => {
  expect(() => extendedPayload(options)).toThrow(OptionError);
  expect(() => extendedPayload(options)).toThrow(option);
});

test.each<[string, () => unknown[], string, ExtendedPayloadOptions?]>([
  ['another bucket', () => at(key, 'another-bucket'), 'BUCKET_NOT_ALLOWED'],
  ['a key that the AWS clients never write', () => at('secret.json'), 'BAD_POINTER'],
  ['no key', () => at(undefined), 'BAD_POINTER'],
  ['a missing object', () => at(key.replace(/^0/, '9')), 'STORED_DATA_MISSING'],
  ['an object that is not JSON', () => at(key.replace(/^0/, '1')), 'MESSAGE_NOT_JSON'],
  ['an object that is not a task', () => at(key.replace(/^0/, '2')), 'NOT_A_TASK'],
  ['an object over maxBytes', () => at(key), 'STORED_DATA_TOO_LARGE', { maxBytes: 10 }],
])('%s: the record fails', async (_, pointer, code, options = {}) => {
  expect(await run(bySqs(pointer(), sizes[0]), options)).toMatchObject({ reason: { code } });
});

test('counts bytes as they arrive if S3 sends no size', async () => {
  const pieces = JSON.stringify({ task_name: 'resize', task_kwargs: 'x'.repeat(5000) }).match(/.{1,100}/g);
  let read = 0;
  const body = Readable.from(
    (function* () {
      for (const piece of pieces ?? []) {
        read += piece.length;
        yield Buffer.from(piece);
      }
    })(),
    { highWaterMark: 1 },
  );
  const clients = faultyClients(aws, () => ({ status: 200, body }));
  const outcome = await run(bySqs(at(key), sizes[0]), { s3: clients.s3, maxBytes: 1000 });
  clients.destroy();
  expect(outcome).toMatchObject({ reason: { code: 'STORED_DATA_TOO_LARGE' } });
  expect(read).toBeLessThan(2000);
});

test('the error task gets the task that was fetched', async () => {
  const sent: string[] = [];
  const send = async ({ input: { PublishBatchRequestEntries = [] } }: PublishBatchCommand) => {
    sent.push(...PublishBatchRequestEntries.map(({ Message = '' }) => Message));
    return { Successful: PublishBatchRequestEntries };
  };
  const handler = middy(
    queued(() => {
      throw new NonRetryableError('no use');
    }),
  )
    .use(extendedPayload({ s3: aws.s3, bucket: aws.bucket }))
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ sns: { send } as unknown as SNSClient, inlineUnder: 10_000 }));
  const record = bySqs(at(key), sizes[0]);
  record.messageAttributes.on_error = { dataType: 'String', stringValue: 'cleanup' };
  expect(await handler({ Records: [record] }, lambdaContext())).toMatchObject([{ status: 'rejected' }]);
  expect(sent.map((message) => JSON.parse(message).task_kwargs.task)).toEqual([task]);
});

test('reads what sendTask writes, through SNS and with raw delivery', async () => {
  for (const rawMessageDelivery of [false, true]) {
    const name = rawMessageDelivery ? 'raw' : 'enveloped';
    const seen: unknown[] = [];
    const handler = middy(
      queued((task: Task<{ text: string }>) => void seen.push(task.task_kwargs?.text.length)),
    )
      .use(sqsSnsUnwrap())
      .use(extendedPayload({ s3: aws.s3, bucket: aws.bucket }));
    const worker = await startWorker({ aws, handler, tasks: [name], rawMessageDelivery });
    const options = {
      sns: aws.sns,
      s3: aws.s3,
      bucket: aws.bucket,
      topics: worker.topics,
      extendedPayload: true,
    };
    for (const length of [10, 300_000]) {
      await sendTask({ task_name: name, task_kwargs: { text: 'x'.repeat(length) } }, options);
    }
    await worker.idle({ timeoutSeconds: 20 });
    expect(seen.sort()).toEqual([10, 300_000]);
  }
});
