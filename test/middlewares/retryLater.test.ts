import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PublishCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SQSRecord } from 'aws-lambda';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import {
  callbackPublisher,
  type FailurePolicyOptions,
  failurePolicy,
  OptionError,
  queued,
  RetryLaterError,
  sqsSnsUnwrap,
} from '../../middlewares/index.ts';
import { type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let eventSourceARN: string;
beforeAll(async () => {
  aws = await startLocalAws();
  await aws.sqs.send(new CreateQueueCommand({ QueueName: 'work' }));
  eventSourceARN = `arn:aws:sqs:${aws.region}:${aws.accountId}:work`;
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

const record = (receives = 1, over: Partial<SQSRecord> = {}) => {
  const made = sqsRecord({ task_name: 'work' }, { eventSourceARN, ...over });
  made.attributes.ApproximateReceiveCount = String(receives);
  return made;
};

/** Runs a batch whose tasks all throw, and returns the seconds for which each message is hidden, and the operations. */
async function hiddenFor(thrown: unknown, options: FailurePolicyOptions = {}, Records = [record()]) {
  const clients = faultyClients(aws, ({ operation }) =>
    operation === 'ChangeMessageVisibilityBatch'
      ? { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: '{}' }
      : undefined,
  );
  opened.push(clients);
  const handler = middy(
    queued(() => {
      throw thrown;
    }),
  )
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(failurePolicy({ sqs: clients.sqs, ...options }))
    .use(sqsSnsUnwrap());
  const answer = (await handler({ Records }, lambdaContext())) as unknown as { batchItemFailures: unknown[] };
  const seconds = clients.attempts
    .filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch')
    .flatMap(({ target }) =>
      JSON.parse(target).Entries.map((entry: { VisibilityTimeout: number }) => entry.VisibilityTimeout),
    );
  const sent = clients.attempts.filter(({ operation }) => operation.startsWith('SendMessage')).length;
  return { seconds, sent, failed: answer.batchItemFailures.length };
}

describe('an error that asks for a time', () => {
  const tooMany = (value: string) => new Response(null, { status: 429, headers: { 'Retry-After': value } });

  test.each<[string, unknown, number]>([
    ['RetryLaterError', new RetryLaterError(77), 77],
    ['RetryLaterError with a fraction', new RetryLaterError(0.2), 1],
    ['RetryLaterError of 0', new RetryLaterError(0), 0],
    ['RetryLaterError beyond the 12 hours of SQS', new RetryLaterError(1e9), 42_000],
    ['Response', tooMany('77'), 77],
    ['Response with more digits than a number has', tooMany('9'.repeat(400)), 42_000],
    ['error whose cause is a response', new Error('busy', { cause: tooMany('77') }), 77],
  ])('%s: its message comes back then', async (_, thrown, seconds) => {
    for (const backoff of [undefined, [5], false] as const) {
      const options = backoff === undefined ? {} : { backoff };
      expect(await hiddenFor(thrown, options)).toEqual({ seconds: [seconds], sent: 0, failed: 1 });
    }
  });

  test('the SDK: the error of a service that throttles keeps its response', async () => {
    const busy = faultyClients(
      aws,
      () => ({ status: 503, code: 'ServiceUnavailable', headers: { 'retry-after': '77' } }),
      { maxAttempts: 1 },
    );
    opened.push(busy);
    const publish = new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:x', Message: 'x' });
    for (const call of [
      () => busy.sns.send(publish),
      () => busy.sqs.send(new CreateQueueCommand({ QueueName: 'x' })),
    ]) {
      const thrown = await (call() as Promise<unknown>).catch((error: unknown) => error);
      expect(await hiddenFor(thrown)).toEqual({ seconds: [77], sent: 0, failed: 1 });
    }
  });

  test('fetch: the response of a real server', async () => {
    const server = createServer((_, response) => {
      response.writeHead(429, { 'Retry-After': new Date(Date.now() + 100_000).toUTCString() }).end('busy');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await response.text();
    await new Promise((resolve) => server.close(resolve));
    const { seconds } = await hiddenFor(response);
    expect(seconds[0]).toBeGreaterThan(80);
    expect(seconds[0]).toBeLessThanOrEqual(100);
  });

  test('is not final, whatever the option isFinal says', async () => {
    const outcome = await hiddenFor(new RetryLaterError(77), { isFinal: () => true });
    expect(outcome).toEqual({ seconds: [77], sent: 0, failed: 1 });
  });

  test('keeps the rest of its FIFO group away for as long', async () => {
    const arn = `${eventSourceARN}.fifo`;
    await aws.sqs.send(new CreateQueueCommand({ QueueName: 'work.fifo', Attributes: { FifoQueue: 'true' } }));
    const Records = [1, 2, 3].map(() => {
      const made = record(1, { eventSourceARN: arn });
      made.attributes.MessageGroupId = 'G';
      return made;
    });
    const outcome = await hiddenFor(new RetryLaterError(77), { maxReceiveCount: 5 }, Records);
    expect(outcome).toEqual({ seconds: [77, 77, 77], sent: 0, failed: 3 });
  });
});

describe('a list as backoff', () => {
  test.each([
    [1, 5],
    [2, 30],
    [3, 300],
    [4, 300],
    [99, 300],
  ])('after failure %i hides the message for exactly %i seconds', async (receives, seconds) => {
    const outcome = await hiddenFor(new Error('no'), { backoff: [5, 30, 300] }, [record(receives)]);
    expect(outcome.seconds).toEqual([seconds]);
  });

  test('is read once', async () => {
    const backoff = [5];
    const options = { backoff };
    const handled = hiddenFor(new Error('no'), options);
    backoff[0] = 99;
    expect((await handled).seconds).toEqual([5]);
  });

  test.each([[[]], [[-1]], [[42_001]], [['5']], [[Number.NaN]], [[undefined]]])('refuses %j', (backoff) => {
    expect(() => failurePolicy({ backoff: backoff as never })).toThrow(OptionError);
  });
});

test('a task that asks for a second try gets it then, and its error task is told nothing', async () => {
  const times: number[] = [];
  const told: unknown[] = [];
  const handler = middy(
    queued(async (task: { task_name: string }) => {
      if (task.task_name === 'cleanup') told.push(task);
      else if (times.push(Date.now()) < 3) throw new RetryLaterError(1, 'not ready');
    }),
  )
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(failurePolicy({ sqs: aws.sqs, backoff: [600] }))
    .use(callbackPublisher({ sns: aws.sns, s3: aws.s3, bucket: aws.bucket, maxReceiveCount: 5 }));
  const worker = await startWorker({
    aws,
    tasks: ['later', 'cleanup'],
    handler: handler as never,
    visibilityTimeoutSeconds: 600,
    maxReceiveCount: 5,
    onInvocation: () => {},
  });
  await aws.sns.send(
    new PublishCommand({
      TopicArn: worker.topics.later,
      Message: '{"task_name":"later"}',
      MessageAttributes: { on_error: { DataType: 'String', StringValue: 'cleanup' } },
    }),
  );
  await worker.idle({ timeoutSeconds: 30 });
  await worker.stop();
  expect(times).toHaveLength(3);
  expect(told).toEqual([]);
  for (const [index, time] of times.slice(1).entries()) {
    expect(time - (times[index] as number)).toBeGreaterThanOrEqual(900);
  }
});
