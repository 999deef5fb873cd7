import { createConnection } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { createLambdaContext } from '../../local/lambdaContext.ts';
import { faultyClients, reset } from '../support/faultyClients.ts';
import { enqueue, gate } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const connects = (host: string) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection({ host, port: Number(new URL(aws.endpoint).port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.unref();
  });

test('the services listen on one loopback address only', async () => {
  expect(await connects('127.0.0.1')).toBe(true);
  // Another address of this machine, at which a server on all interfaces would answer.
  expect(await connects('127.0.0.2')).toBe(false);
});

test('every outage is reported once', async () => {
  let down = true;
  const reported: unknown[] = [];
  const clients = faultyClients(aws, ({ operation }) =>
    down && operation === 'ReceiveMessage' ? reset() : undefined,
  );
  const reports = [gate(), gate()];
  const worked = [gate(), gate()];
  let messages = 0;
  const worker = await startWorker({
    aws: clients,
    tasks: ['outage'],
    onError(error) {
      reports[reported.push(error) - 1]?.open();
    },
    handler: async () => worked[messages++]?.open(),
  });
  for (const outage of [0, 1]) {
    down = true;
    await reports[outage]?.opened;
    down = false;
    await enqueue(aws, worker.queues.outage, ['x']);
    await worked[outage]?.opened;
  }
  await worker.stop();
  clients.destroy();
  expect(reported).toHaveLength(2);
});

test('a message listed in the response has a line on the console', async () => {
  const lines = jest.spyOn(console, 'error').mockImplementation(() => {});
  const worker = await startWorker({
    aws,
    tasks: ['named'],
    maxReceiveCount: 1,
    retryDelaySeconds: 0,
    handler: async ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }),
  });
  await enqueue(aws, worker.queues.named, ['good', 'bad']);
  await worker.idle({ timeoutSeconds: 10 });
  const [deadLetter] = await worker.deadLetters('named');
  await worker.stop();
  expect(lines.mock.calls).toEqual([
    [expect.stringMatching(`^worker \\(named, request .*\\): message ${deadLetter?.messageId} failed`)],
  ]);
  lines.mockRestore();
});

test('a worker may run 5,400 seconds, and idle() checks its options', async () => {
  let remaining = 0;
  const worker = await startWorker({
    aws,
    tasks: ['long'],
    timeoutSeconds: 5400,
    visibilityTimeoutSeconds: 43_200,
    handler: async (_, context) => {
      remaining = context.getRemainingTimeInMillis();
    },
  });
  await enqueue(aws, worker.queues.long, ['x']);
  await worker.idle({ timeoutSeconds: Number.POSITIVE_INFINITY });
  expect(remaining).toBeGreaterThan(5_300_000);
  await expect(worker.idle({ timeoutSeconds: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(worker.idle({ timeout: 5 } as never)).rejects.toThrow(/no option "timeout"/);
  await worker.stop();
});

test("the context is Lambda's, without its deprecated methods", () => {
  const context = createLambdaContext('arn:aws:lambda:us-east-1:123456789012:function:worker', 3);
  expect(context).toMatchObject({
    functionName: 'worker',
    logGroupName: '/aws/lambda/worker',
    logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][\da-f]{32}$/),
  });
  for (const end of [context.done, context.fail, context.succeed]) expect(end).toThrow(TypeError);
});
