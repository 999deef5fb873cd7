import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { AlgernonError } from '../../core/errors.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { callbackPublisher, queued, sqsSnsUnwrap, storedDataHydrate } from '../../middlewares/index.ts';
import {
  type Fault,
  type FaultOf,
  type FaultyClients,
  faultyClients,
  reset,
  timeOut,
} from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
  for (const name of ['next', 'other']) await aws.sns.send(new CreateTopicCommand({ Name: name }));
  for (const name of ['fine', 'faulty'])
    await store(name, '{"data_string":1,"full_unpack":true,"safe_mode":false}');
});
afterAll(() => aws.stop());

const store = (name: string, body: string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: `cache/${name}!1.5.json`, Body: body }));

const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

/** Runs a task for each pointer in `reads`, which returns its value, with faults injected below the SDK. */
async function run(
  tasks: readonly { reads: string; callback?: string }[],
  faultOf: FaultOf,
  { maxAttempts = 1, maxBytes = 1000 } = {},
) {
  const clients = faultyClients(aws, faultOf, { maxAttempts });
  opened.push(clients);
  const { s3, sns } = clients;
  const { bucket } = aws;
  const handler = middy(queued(async ({ task_kwargs }: { task_kwargs: object }) => task_kwargs))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3, bucket, maxBytes }))
    .use(callbackPublisher({ s3, sns, bucket, lingerMillis: 5000 }));
  const Records = tasks.map(({ reads, callback = 'next' }) => {
    const value = { pointer: `${bucket}#cache/${reads}!1.5.json` };
    const task_kwargs = {
      of: reads,
      it: { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value },
    };
    return sqsRecord({ task_name: 'work', task_kwargs, callback });
  });
  const arn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker`;
  const settled = (await handler(
    { Records },
    lambdaContext({ invokedFunctionArn: arn }),
  )) as SettledBatch<unknown>;
  const errors = settled.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
  return { errors, attempts: clients.attempts, Records };
}

const codeOf = (error: unknown) => (error instanceof AlgernonError ? error.code : error);

const bothServices: [string, () => Fault][] = [
  ['throttled', () => ({ status: 503, code: 'SlowDown' })],
  ['throttled with 400', () => ({ status: 400, code: 'Throttling' })],
  ['throttled with 429', () => ({ status: 429, code: 'TooManyRequests' })],
  ['throttled with 429 and no code', () => ({ status: 429, code: '' })],
  ['500', () => ({ status: 500, code: 'InternalError' })],
  ['503 without a word', () => ({ status: 503, code: '' })],
  ['a client timeout', timeOut],
  ['a server timeout', () => ({ status: 400, code: 'RequestTimeout' })],
  ['a reset connection', reset],
  ['expired credentials', () => ({ status: 400, code: 'ExpiredToken' })],
  ['a clock that is off', () => ({ status: 403, code: 'RequestTimeTooSkewed' })],
];

describe('S3', () => {
  const three = [{ reads: 'fine' }, { reads: 'faulty' }, { reads: 'fine' }];
  const final: [string, () => Fault, string][] = [
    ['a missing object', () => ({ status: 404, code: 'NoSuchKey' }), 'STORED_DATA_MISSING'],
    ['a missing bucket', () => ({ status: 404, code: 'NoSuchBucket' }), 'STORED_DATA_MISSING'],
    ['access denied', () => ({ status: 403, code: 'AccessDenied' }), 'STORED_DATA_ACCESS'],
    ['another region', () => ({ status: 301, code: 'PermanentRedirect' }), 'STORED_DATA_REFUSED'],
    ['a key that is too long', () => ({ status: 400, code: 'KeyTooLongError' }), 'STORED_DATA_REFUSED'],
  ];
  const faults: [string, () => Fault, string, boolean][] = [
    ...bothServices.map(([what, fault]): (typeof faults)[number] => [
      what,
      fault,
      'STORED_DATA_UNAVAILABLE',
      true,
    ]),
    ...final.map(([what, fault, error]): (typeof faults)[number] => [what, fault, error, false]),
  ];

  test.each(faults)('%s while reading a value: only its record fails', async (_, fault, error, retryable) => {
    const { errors, Records } = await run(three, ({ operation, target }) =>
      operation === 'GET' && target.includes('faulty') ? fault() : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, error, undefined]);
    expect(errors[1]).toMatchObject({ retryable, messageId: Records[1]?.messageId });
  });

  test.each(faults)(
    '%s while writing a result: only its record fails',
    async (_, fault, error, retryable) => {
      let puts = 0;
      const { errors, attempts } = await run(three, ({ operation }) => {
        if (operation === 'PUT') puts += 1;
        return operation === 'PUT' && puts === 2 ? fault() : undefined;
      });
      const failed = errors.filter(Boolean);
      expect(failed.map(codeOf)).toEqual([error]);
      expect(failed[0]).toMatchObject({ retryable });
      // A result that is not stored is not published.
      const published = attempts
        .filter(({ operation }) => operation === 'PublishBatch')
        .map(({ target }) => target);
      expect(published.join().split('Message=').length - 1).toBe(2);
    },
  );

  test('a connection reset in the middle of an object', async () => {
    const half = () =>
      Readable.from(
        (function* () {
          yield Buffer.from('{"data_string":');
          throw reset();
        })(),
      );
    const { errors } = await run(three, ({ operation, target }) =>
      operation === 'GET' && target.includes('faulty')
        ? { status: 200, headers: { 'content-length': '60' }, body: half() }
        : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'STORED_DATA_UNAVAILABLE', undefined]);
    expect(errors[1]).toMatchObject({ retryable: true });
  });

  test.each([
    ['not JSON', 'Traceback (most recent call last):'],
    ['blank', ' '],
    ['cut off', '{"data_string":{"a":1'],
    ['JSON, but not a stored value', '[1, 2]'],
    ['null', 'null'],
    ['without a value', '{"full_unpack":true,"safe_mode":false}'],
    ['of the wrong types', '{"data_string":1,"full_unpack":"yes","safe_mode":false}'],
    ['nested too deep', `{"data_string":${'['.repeat(600)}${']'.repeat(600)},"full_unpack":true}`],
  ])('an object that is %s is a final failure', async (what, body) => {
    await store('body', body);
    const { errors } = await run([{ reads: 'fine' }, { reads: 'body' }], () => undefined, { maxBytes: 2000 });
    expect({ what, errors: errors.map(codeOf) }).toEqual({ what, errors: [undefined, 'STORED_DATA_BODY'] });
    expect(errors[1]).toMatchObject({ retryable: false });
  });

  test('does not read an object over the limit', async () => {
    let read = 0;
    const body = new Readable({
      read() {
        read += 1;
        this.push(Buffer.alloc(100));
      },
    });
    const { errors } = await run([{ reads: 'fine' }, { reads: 'faulty' }], ({ operation, target }) =>
      operation === 'GET' && target.includes('faulty')
        ? { status: 200, headers: { 'content-length': '1001' }, body }
        : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'STORED_DATA_TOO_LARGE']);
    expect(errors[1]).toMatchObject({
      retryable: false,
      message: expect.stringMatching(/1001 bytes.*maxBytes.*1000/),
    });
    expect({ read, destroyed: body.destroyed }).toEqual({ read: 0, destroyed: true });
  });

  test('reads an object without a size up to the limit', async () => {
    let sent = 0;
    const endless = new Readable({
      highWaterMark: 1,
      read() {
        sent += 100;
        this.push(Buffer.alloc(100));
      },
    });
    const { errors } = await run([{ reads: 'fine' }, { reads: 'faulty' }], ({ operation, target }) =>
      operation === 'GET' && target.includes('faulty') ? { status: 200, body: endless } : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'STORED_DATA_TOO_LARGE']);
    expect(sent).toBeLessThan(2000);
    expect(endless.destroyed).toBe(true);
  });

  test('reads an object without a size that is under the limit', async () => {
    const body = '{"data_string":"ünder","full_unpack":true,"safe_mode":false}';
    const { errors } = await run([{ reads: 'faulty' }], ({ operation }) =>
      operation === 'GET' ? { status: 200, body } : undefined,
    );
    expect(errors).toEqual([undefined]);
  });

  test("uses the client's retries: a transient fault goes unnoticed", async () => {
    let gets = 0;
    const { errors, attempts } = await run(
      [{ reads: 'fine' }],
      ({ operation }) => {
        if (operation === 'GET') gets += 1;
        return operation === 'GET' && gets === 1 ? { status: 500, code: 'InternalError' } : undefined;
      },
      { maxAttempts: 2 },
    );
    expect(errors).toEqual([undefined]);
    expect(attempts.filter(({ operation }) => operation === 'GET')).toHaveLength(2);
  });
});

describe('SNS', () => {
  const faults: [string, () => Fault, boolean][] = [
    ...bothServices.map(([what, fault]): (typeof faults)[number] => [what, fault, true]),
    ['no such topic', () => ({ status: 404, code: 'NotFound' }), false],
    ['access denied', () => ({ status: 403, code: 'AuthorizationError' }), false],
    ['a bad parameter', () => ({ status: 400, code: 'InvalidParameter' }), false],
  ];

  test.each(faults)('%s: only the tasks that publish to the topic fail', async (_, fault, retryable) => {
    const tasks = [{ reads: 'fine' }, { reads: 'fine', callback: 'other' }, { reads: 'fine' }];
    const { errors } = await run(tasks, ({ operation, target }) =>
      operation === 'PublishBatch' && target.includes(':other') ? fault() : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'PUBLISH_FAILED', undefined]);
    expect(errors[1]).toMatchObject({ retryable });
  });

  test('a message that SNS refuses does not fail the others of its call', async () => {
    const tasks = [{ reads: 'fine' }, { reads: 'fine', callback: 'next#other' }, { reads: 'fine' }];
    const { errors, attempts } = await run(tasks, ({ operation, target }) =>
      operation === 'PublishBatch' && target.includes('next#other')
        ? { status: 400, code: 'InvalidParameter' }
        : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'PUBLISH_FAILED', undefined]);
    expect(attempts.filter(({ operation }) => operation === 'PublishBatch')).toHaveLength(4);
  });

  const member = (list: string, inner: string) => `<${list}><member>${inner}</member></${list}>`;
  const answer = (result: string): Fault => ({
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<PublishBatchResponse><PublishBatchResult>${result}</PublishBatchResult></PublishBatchResponse>`,
  });
  const successful = member('Successful', '<Id>0</Id><MessageId>m</MessageId>');
  const failed = (code: string, senderFault: boolean) =>
    member('Failed', `<Id>1</Id><Code>${code}</Code><SenderFault>${senderFault}</SenderFault>`);

  test.each([
    ['a sender fault', failed('InvalidParameter', true), false, /InvalidParameter/],
    ['a receiver fault', failed('InternalError', false), true, /InternalError/],
    ['throttled', failed('Throttled', true), true, /Throttled/],
    ['no reply for it', '', true, /does not list the message/],
  ])('two callbacks, one refused with %s: only that record fails', async (_, refusal, retryable, message) => {
    const { errors } = await run([{ reads: 'fine' }, { reads: 'fine' }], ({ operation }) =>
      operation === 'PublishBatch' ? answer(successful + refusal) : undefined,
    );
    expect(errors.map(codeOf)).toEqual([undefined, 'PUBLISH_FAILED']);
    expect(errors[1]).toMatchObject({ retryable, message: expect.stringMatching(message) });
  });
});
