import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type TestWorker, testWorker } from 'algernon-middy/testing';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { intake, sign } from '../../examples/webhook/intake.ts';
import { tasks } from '../../examples/webhook/tasks.ts';
import { handler } from '../../examples/webhook/worker.ts';
import { runExample } from '../support/runExample.ts';

const payment = { event: 'evt_1', order: 'order-7', cents: 4200 };

let worker: TestWorker<typeof tasks>;
beforeAll(() => {
  process.env.WEBHOOK_SECRET = 'secret';
});
afterAll(() => {
  delete process.env.WEBHOOK_SECRET;
});
beforeEach(async () => {
  worker = await testWorker(handler, { tasks });
});
afterEach(() => worker.stop());

const deliver = (body: string, { signature = sign(body), isBase64Encoded = false } = {}) => {
  const sent = isBase64Encoded ? Buffer.from(body).toString('base64') : body;
  const event = { body: sent, isBase64Encoded, headers: { 'x-signature': signature } };
  const { region, accountId } = worker.aws;
  const invokedFunctionArn = `arn:aws:lambda:${region}:${accountId}:function:intake`;
  return intake(event as unknown as LambdaFunctionURLEvent, { invokedFunctionArn });
};

const runsOf = (task: 'ship' | 'thank') => worker.logs(task).filter(({ message }) => /order-7/.test(message));

test('a webhook that is delivered twice at once, and again later, is processed once', async () => {
  const body = JSON.stringify(payment);
  await Promise.all([deliver(body), deliver(body, { isBase64Encoded: true })]);
  await worker.idle();
  expect(await deliver(body)).toMatchObject({ statusCode: 202 });
  await worker.idle();

  expect(runsOf('ship')).toHaveLength(1);
  expect(runsOf('thank')).toHaveLength(1);
  const shipped = worker.results('ship');
  expect(shipped).toHaveLength(3);
  expect(new Set(shipped.map(({ parcel }) => parcel)).size).toBe(1);
  expect(await worker.deadLetters()).toEqual([]);
});

test('another amount for the same event is not processed', async () => {
  await deliver(JSON.stringify(payment));
  await worker.idle();
  await deliver(JSON.stringify({ ...payment, cents: 1 }));
  await worker.idle();
  expect(runsOf('ship')).toHaveLength(1);
  expect(await worker.deadLetters('ship')).toMatchObject([
    { attributes: { failure_code: 'PAYLOAD_MISMATCH' } },
  ]);
});

test.each(['', 'forged', 'f'.repeat(64)])('the signature %j is refused', async (signature) => {
  expect(await deliver(JSON.stringify(payment), { signature })).toEqual({ statusCode: 401 });
  await worker.idle();
  expect(worker.attempts()).toEqual([]);
});

test('a signed webhook that is not a payment is refused', async () => {
  expect(await deliver('{"event":"evt_2"}')).toMatchObject({
    statusCode: 422,
    body: expect.stringContaining('task_kwargs.order'),
  });
});

test('the command ships once', async () => {
  const output = await runExample('webhook');
  expect(output.match(/leaves as/g)).toHaveLength(1);
  expect(output).toContain('"tasks_replayed":1');
  expect(output.match(/statusCode: \d+/g)).toEqual([202, 202, 401, 422].map((code) => `statusCode: ${code}`));
});
