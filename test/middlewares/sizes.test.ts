import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, type PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import fc from 'fast-check';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import { snsPublisher } from '../../middlewares/aws/snsPublisher.ts';
import {
  callbackPublisher,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
} from '../../middlewares/index.ts';
import { runNode } from '../local/tools.ts';
import { type FaultyClients, faultyClients, reset } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let topicArn: string;
beforeAll(async () => {
  aws = await startLocalAws();
  topicArn = (await aws.sns.send(new CreateTopicCommand({ Name: 'next' }))).TopicArn ?? '';
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});
const open = (...faults: Parameters<typeof faultyClients> extends [unknown, ...infer R] ? R : never) => {
  const clients = faultyClients(aws, ...faults);
  opened.push(clients);
  return clients;
};

type Input = PublishBatchCommand['input'];

/** A fake SNS that accepts everything and records it. */
function takingSns() {
  const calls: Input[] = [];
  const send = async ({ input }: PublishBatchCommand) => {
    calls.push(input);
    return { Successful: input.PublishBatchRequestEntries, Failed: [] };
  };
  return { calls, sns: { send } as unknown as SNSClient };
}

describe('the size of a message', () => {
  const message = fc.record({
    message: fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }),
    subject: fc.string({ unit: 'grapheme', maxLength: 10 }),
    attributes: fc.dictionary(
      fc.stringMatching(/^[a-z_-]{1,20}$/),
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cc}/u.test(text)),
      { maxKeys: 10 },
    ),
  });

  test('counts the bytes of UTF-8: the body, the subject, each attribute’s name, type and text', () =>
    fc.assert(
      fc.asyncProperty(message, async (sample) => {
        const texts = Object.entries(sample.attributes).flatMap(([name, text]) =>
          text ? [name, 'String', text] : [],
        );
        const bytes = Buffer.from([sample.message, sample.subject, ...texts].join('')).length;
        const { sns, calls } = takingSns();
        const [fits] = await snsPublisher({ sns, maxMessageBytes: bytes }).publish([{ topicArn, ...sample }]);
        expect(fits).toBeUndefined();
        const [tooLarge] = await snsPublisher({ sns, maxMessageBytes: bytes - 1 }).publish([
          { topicArn, ...sample },
        ]);
        expect(tooLarge).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
        expect(calls).toHaveLength(1);
      }),
      { examples: [[{ message: 'm', subject: '', attributes: JSON.parse('{"__proto__":" "}') }]] },
    ));

  test('a result too large for a message goes through S3, whatever inlineUnder is', async () => {
    const { sns, s3, attempts } = open(() => undefined);
    const handler = middy(queued(routeTasks({ work: ({ text }) => text })))
      .use(sqsSnsUnwrap())
      .use(
        callbackPublisher({
          sns,
          s3,
          bucket: aws.bucket,
          topics: { next: topicArn },
          inlineUnder: 500_000,
          lingerMillis: 5000,
        }),
      );
    const texts = ['short', 'ü'.repeat(131_072), 'also short'];
    const Records = texts.map((text) =>
      sqsRecord({ task_name: 'work', task_kwargs: { text }, callback: 'next' }),
    );
    const settled = (await handler({ Records }, lambdaContext())) as SettledBatch<unknown>;
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(attempts.map(({ operation }) => operation)).toEqual(['PUT', 'PublishBatch']);
    expect(attempts[1]?.target).not.toContain('ü');
  });

  test('a message over the limit is an error that names the size and the option', async () => {
    const { sns, attempts } = open(() => undefined);
    const [error] = await snsPublisher({ sns }).publish([{ topicArn, message: 'ü'.repeat(131_073) }]);
    expect(error).toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      retryable: false,
      message: expect.stringMatching(/has 262\d\d\d bytes.*262144.*maxMessageBytes/),
    });
    expect(attempts).toEqual([]);
  });

  test('in sendTask: large arguments go through S3, and a message that still does not fit is an error', async () => {
    const { sns, s3, attempts } = open(() => undefined);
    const options = { sns, s3, bucket: aws.bucket, topics: { next: topicArn } };
    await sendTask({ task_name: 'next', task_kwargs: { text: 'ü'.repeat(65_529) } }, options);
    expect(attempts.map(({ service }) => service)).toEqual(['sns']);
    await sendTask({ task_name: 'next', task_kwargs: { text: 'ü'.repeat(65_536) } }, options);
    expect(attempts.map(({ service }) => service)).toEqual(['sns', 's3', 'sns']);
    const sending = sendTask({ task_name: 'next', task_kwargs: {} }, { ...options, maxMessageBytes: 10 });
    await expect(sending).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(attempts).toHaveLength(3);
  });
});

describe('a PublishBatch', () => {
  const topics = fc.constantFrom('arn:aws:sns:us-east-1:1:a', 'arn:aws:sns:us-east-1:1:b');
  const sizes = fc.array(fc.tuple(topics, fc.integer({ min: 1, max: 60 })), { maxLength: 60 });
  const maxMessageBytes = 100;

  test('is planned in linear time, however many topics there are', async () => {
    const { sns, calls } = takingSns();
    const messages = Array.from({ length: 30_000 }, (_, i) => ({ topicArn: `arn:${i}`, message: 'x' }));
    const before = performance.now();
    await snsPublisher({ sns }).publish(messages);
    // Searching all batches for each message would take many seconds.
    expect(performance.now() - before).toBeLessThan(3000);
    expect(calls).toHaveLength(30_000);
  });

  test('is cut by count and by total size, with each message in one call, in order', () =>
    fc.assert(
      fc.asyncProperty(sizes, async (all) => {
        const messages: TaskMessage[] = all.map(([topicArn, size], i) => ({
          topicArn,
          message: String(i).padEnd(size, 'ü').slice(0, size),
        }));
        const { sns, calls } = takingSns();
        const outcomes = await snsPublisher({ sns, maxMessageBytes }).publish(messages);
        const bytesOf = (text = '') => Buffer.byteLength(text);
        const tooLarge = messages.map(({ message }) => bytesOf(message) > maxMessageBytes);
        expect(outcomes.map(Boolean)).toEqual(tooLarge);
        for (const topicArn of ['arn:aws:sns:us-east-1:1:a', 'arn:aws:sns:us-east-1:1:b']) {
          const entries = calls
            .filter((call) => call.TopicArn === topicArn)
            .map((call) => call.PublishBatchRequestEntries ?? []);
          expect(entries.flat().map(({ Message }) => Message)).toEqual(
            messages
              .filter((sent, i) => sent.topicArn === topicArn && !tooLarge[i])
              .map(({ message }) => message),
          );
          for (const call of entries) {
            expect(call.length).toBeLessThanOrEqual(10);
            expect(new Set(call.map(({ Id }) => Id)).size).toBe(call.length);
            expect(call.reduce((sum, { Message }) => sum + bytesOf(Message), 0)).toBeLessThanOrEqual(
              maxMessageBytes,
            );
          }
          // The first message of each call did not fit into the previous one.
          for (const [i, next] of entries.slice(1).entries()) {
            const before = entries[i] ?? [];
            const total = [...before, ...next.slice(0, 1)].reduce(
              (sum, { Message }) => sum + bytesOf(Message),
              0,
            );
            expect(before.length === 10 || total > maxMessageBytes).toBe(true);
          }
        }
      }),
    ));

  test('groups the callbacks of a batch: 25 leave in three calls', async () => {
    const { calls, sns } = takingSns();
    const handler = middy(queued(async () => null, { concurrency: 25 }))
      .use(sqsSnsUnwrap())
      .use(callbackPublisher({ sns, topics: { next: topicArn }, lingerMillis: 60_000 }));
    const Records = Array.from({ length: 25 }, () => sqsRecord({ task_name: 'work', callback: 'next' }));
    await handler({ Records }, lambdaContext());
    expect(calls.map((call) => call.PublishBatchRequestEntries?.length)).toEqual([10, 10, 5]);
  });
});

describe('a large result', () => {
  const store = (s3: S3Client) => s3ObjectStore({ s3 });
  const address = (key: string) => ({ bucket: aws.bucket, key });
  const admit = () => {};

  test('of 200 MB goes to S3 in parts and is read back', async () => {
    const { s3, sns, attempts } = open(() => undefined);
    const { bucket } = aws;
    const line = 'the quick brown fox jumps over the lazy dög; ';
    const text = line.repeat(Math.ceil(200_000_000 / Buffer.byteLength(line)));
    const hash = (value: string) => createHash('sha256').update(value).digest('hex');
    const came: unknown[] = [];
    const functions = {
      large: () => ({ text }),
      count: ({ text }: { text: string }) => void came.push(hash(text)),
    };
    const handler = middy(queued(routeTasks(functions), { concurrency: 1 }))
      .use(sqsSnsUnwrap())
      .use(storedDataHydrate({ s3, bucket, maxBytes: 300_000_000 }))
      .use(callbackPublisher({ s3, sns, bucket }))
      .use(sqsPartialBatchFailure());
    const worker = await startWorker({ aws, handler: handler as never, tasks: ['large', 'count'] });
    await sendTask({ task_name: 'large', callback: 'count' }, { sns, topics: worker.topics });
    await worker.idle();
    await worker.stop();
    expect(came).toEqual([hash(text)]);
    const puts = attempts.filter(({ service, operation }) => service === 's3' && operation === 'PUT');
    // In parts of 5 MiB.
    expect(puts).toHaveLength(39);
  }, 120_000);

  test('is cut between characters, never within one', async () => {
    const { s3 } = open(() => undefined);
    // Surrogate pairs at even and odd offsets, in a text of several parts.
    const text = `${'😀'.repeat(1_500_000)}x${'😀'.repeat(1_500_000)}`;
    await store(s3).put(address('cut'), text);
    expect((await store(s3).get(address('cut'), { admit })) === text).toBe(true);
  });

  test('has the same ACL and content type as a small one', async () => {
    const inputs: object[] = [];
    const { s3 } = open(() => undefined);
    s3.middlewareStack.add(
      (next) => (call) => {
        inputs.push(call.input);
        return next(call);
      },
      { step: 'initialize' },
    );
    for (const text of ['small', 'large'.repeat(2_000_000)]) {
      await s3ObjectStore({ s3, acl: 'bucket-owner-full-control' }).put(address('acl'), text);
    }
    const expected = { ACL: 'bucket-owner-full-control', ContentType: 'application/json' };
    expect(inputs[0]).toMatchObject(expected);
    expect(inputs[1]).toMatchObject(expected);
    expect(inputs[1]).not.toHaveProperty('Body');
    const { ContentType } = await s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: 'acl' }));
    expect(ContentType).toBe('application/json');
  });

  test('that loses a part is a retryable failure, and leaves nothing behind', async () => {
    let parts = 0;
    const { s3, attempts } = open(({ operation }) => {
      if (operation === 'PUT') parts += 1;
      return operation === 'PUT' && parts === 2 ? reset() : undefined;
    });
    await expect(store(s3).put(address('lost'), 'x'.repeat(30_000_000))).rejects.toMatchObject({
      code: 'STORED_DATA_UNAVAILABLE',
    });
    expect(attempts.at(-1)).toMatchObject({ operation: 'DELETE', target: expect.stringContaining('/lost') });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: 'lost' }));
    expect(Contents).toEqual([]);
  });

  test.each([
    ['before', 0],
    ['while', 2],
  ])('is given up if the invocation ends %s it is sent', async (_, after) => {
    const ended = new AbortController();
    if (after === 0) ended.abort();
    let puts = 0;
    const { s3 } = open(({ operation }) => {
      if (operation === 'PUT') puts += 1;
      if (puts === after) ended.abort();
      return undefined;
    });
    const putting = store(s3).put(address('late'), 'x'.repeat(60_000_000), { signal: ended.signal });
    await expect(putting).rejects.toMatchObject({ code: 'STORED_DATA_UNAVAILABLE', retryable: true });
    expect(puts).toBeLessThan(8);
  });

  test('is held in memory by at most `concurrency` tasks, however large the batch', async () => {
    const { output } = await runNode(
      `import { setFlagsFromString } from 'node:v8';
       import { runInNewContext } from 'node:vm';
       import { setTimeout } from 'node:timers/promises';
       import { CreateTopicCommand } from '@aws-sdk/client-sns';
       import middy from '@middy/core';
       import { startLocalAws } from './local/index.ts';
       import { callbackPublisher, queued, sqsSnsUnwrap } from './middlewares/index.ts';
       setFlagsFromString('--expose-gc');
       const gc = runInNewContext('gc');
       const aws = await startLocalAws();
       const { TopicArn } = await aws.sns.send(new CreateTopicCommand({ Name: 'next' }));
       const results = [];
       let most = 0;
       const work = async () => {
         await setTimeout(5);
         gc();
         most = Math.max(most, results.filter((result) => result.deref()).length);
         const result = { text: 'x'.repeat(1_000_000) };
         results.push(new WeakRef(result));
         return result;
       };
       const { s3, sns, bucket } = aws;
       const handler = middy(queued(work, { concurrency: 2 }))
         .use(sqsSnsUnwrap())
         .use(callbackPublisher({ s3, sns, bucket, topics: { next: TopicArn } }));
       const body = JSON.stringify({ task_name: 'work', callback: 'next' });
       const Records = Array.from({ length: 12 }, (_, i) => ({ messageId: 'm' + i, body, attributes: {} }));
       const settled = await handler({ Records }, {});
       console.log(results.length, most, settled.every(({ status }) => status === 'fulfilled'));
       await aws.stop();`,
    );
    const [count, most, done] = output.trim().split(' ');
    expect({ count, done }).toEqual({ count: '12', done: 'true' });
    // The two in flight, and one that was just released.
    expect(Number(most)).toBeLessThanOrEqual(3);
  });
});
