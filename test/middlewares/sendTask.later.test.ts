import { GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, type SqsRecord, startLocalAws, startWorker, type Worker } from '../../local/index.ts';
import { queued, sqsSnsUnwrap, type Task } from '../../middlewares/index.ts';
import { sendDelayed } from '../../middlewares/sending/sendDelayed.ts';
import { type SendTaskOptions, sendTask, sendTasks } from '../../middlewares/sendTask.ts';
import { type FaultOf, type FaultyClients, faultyClients } from '../support/faultyClients.ts';

let aws: LocalAws;
let worker: Worker;
const records: SqsRecord[] = [];
beforeAll(async () => {
  aws = await startLocalAws();
  worker = await startWorker({
    aws,
    tasks: ['work'],
    handler: async ({ Records }) => void records.push(...Records),
  });
});
afterAll(async () => {
  await worker.stop();
  await aws.stop();
});
const opened: FaultyClients[] = [];
afterEach(() => {
  records.length = 0;
  for (const clients of opened.splice(0)) clients.destroy();
});

function open(faultOf: FaultOf = () => undefined) {
  const clients = faultyClients(aws, faultOf, { maxAttempts: 1 });
  opened.push(clients);
  const { s3, sns, sqs, attempts } = clients;
  const options: SendTaskOptions = { s3, sns, sqs, bucket: aws.bucket, topics: worker.topics };
  return { options, attempts };
}

const operations = (attempts: { operation: string }[]) => attempts.map(({ operation }) => operation);
const delaysIn = (target: string) => [...target.matchAll(/"DelaySeconds":(\d+)/g)].map(([, n]) => Number(n));

/** Waits for as many messages, and returns them with the SNS envelope parsed. */
async function received(count: number) {
  for (let tries = 0; records.length < count && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return records.map(({ body, ...record }) => ({ ...record, envelope: JSON.parse(body) }));
}

describe('a task with delaySeconds', () => {
  test('goes straight to its queue, and the worker sees the same as from SNS', async () => {
    const { options, attempts } = open();
    const task = { task_name: 'work', task_kwargs: { n: 1 }, callback: 'next' };
    const attributes = { tenant: 'blue' };
    await sendTask(task, { ...options, attributes });
    const [fromSns] = await received(1);
    records.length = 0;
    const sentAt = Date.now();
    const sent = await sendTask(task, { ...options, attributes, delaySeconds: 1 });
    const [delayed] = await received(1);
    expect(Date.now() - sentAt).toBeGreaterThanOrEqual(950);
    expect(operations(attempts)).toEqual(['PublishBatch', 'GetQueueUrl', 'SendMessageBatch']);

    const { envelope } = delayed as { envelope: Record<string, unknown> };
    const { Signature, SignatureVersion, SigningCertURL, UnsubscribeURL, ...same } = fromSns?.envelope ?? {};
    expect(Object.keys(envelope)).toEqual(Object.keys(same));
    expect(envelope).toEqual({
      ...same,
      MessageId: sent.messageId,
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      MessageAttributes: {
        tenant: { Type: 'String', Value: 'blue' },
        chain_id: { Type: 'String', Value: sent.chainId },
      },
    });
    expect(delayed?.messageAttributes).toEqual({});
    expect(sent).toEqual({ chainId: expect.any(String), messageId: expect.any(String) });
  });

  test('reaches its handler unwrapped', async () => {
    const seen: unknown[] = [];
    const { default: middy } = await import('@middy/core');
    const handler = middy(queued(async (task: Task) => void seen.push(task.task_kwargs))).use(sqsSnsUnwrap());
    const own = await startWorker({ aws, tasks: ['unwrapped'], handler: handler as never });
    const { options } = open();
    await sendTask(
      { task_name: 'unwrapped', task_kwargs: { at: new Date(0) } },
      { ...options, topics: own.topics, delaySeconds: 1 },
    );
    for (let tries = 0; seen.length === 0 && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await own.stop();
    expect(seen).toMatchObject([{ at: { _alg_class: 'datetime' } }]);
  });

  test.each([0, undefined])('of %j goes through its topic', async (delaySeconds) => {
    const { options, attempts } = open();
    await sendTask({ task_name: 'work' }, { ...options, ...(delaySeconds === 0 && { delaySeconds }) });
    expect(operations(attempts)).toEqual(['PublishBatch']);
  });

  test('looks up the URL of a queue once for a client, and not if it is given', async () => {
    const { options, attempts } = open();
    for (let i = 0; i < 2; i += 1) await sendTask({ task_name: 'work' }, { ...options, delaySeconds: 900 });
    expect(operations(attempts)).toEqual(['GetQueueUrl', 'SendMessageBatch', 'SendMessageBatch']);
    const { QueueUrl = '' } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: 'work' }));
    for (const queues of [{ work: QueueUrl }, async () => QueueUrl]) {
      const other = open();
      await sendTask({ task_name: 'work' }, { ...other.options, queues, delaySeconds: 900 });
      expect(operations(other.attempts)).toEqual(['SendMessageBatch']);
      expect(delaysIn(other.attempts[0]?.target ?? '')).toEqual([900]);
    }
  });

  test('keeps its message group on a standard queue', async () => {
    const { options, attempts } = open();
    await sendTask({ task_name: 'work' }, { ...options, groupId: 'tenant-1', delaySeconds: 900 });
    expect(JSON.parse(attempts[1]?.target ?? '').Entries).toEqual([
      expect.objectContaining({ MessageGroupId: 'tenant-1', DelaySeconds: 900 }),
    ]);
    expect(attempts[1]?.target).not.toContain('MessageDeduplicationId');
  });

  test('sends large arguments through S3, counting what the envelope adds', async () => {
    const { options, attempts } = open();
    // 131,071 bytes as they are, and 262,300 once the envelope has escaped them.
    const task = { task_name: 'work', task_kwargs: { text: '"'.repeat(65_530) } };
    await sendTask(task, { ...options, delaySeconds: 900 });
    expect(operations(attempts)).toEqual(['PUT', 'GetQueueUrl', 'SendMessageBatch']);
    const large = await sendTask(
      { ...task, callback: 'a'.repeat(256) },
      { ...options, inlineUnder: 0, maxMessageBytes: 300, delaySeconds: 900 },
    ).catch((error) => error);
    expect(large).toMatchObject({ code: 'MESSAGE_TOO_LARGE', retryable: false });
  });

  test('drops tracing attributes that the envelope has no room for', async () => {
    const { url } = { url: worker.topics.work?.replace(':sns:', ':sqs:') ?? '' };
    const attributes = { tenant: 'blue', baggage: 'x'.repeat(2000) };
    const message = {
      queue: url,
      topicArn: worker.topics.work ?? '',
      message: '{"task_name":"work"}',
      attributes,
    };
    const { options } = open();
    const [outcome] = await sendDelayed([{ ...message, delaySeconds: 0 }], {
      sqs: options.sqs,
      maxMessageBytes: 1000,
    });
    expect(outcome).toEqual({ messageId: expect.any(String) });
    const [record] = await received(1);
    expect(Object.keys(record?.envelope.MessageAttributes)).toEqual(['tenant']);
  });

  test.each(['fifo topic', 'fifo queue'])('is refused for a %s, and nothing is stored', async (kind) => {
    const { options, attempts } = open();
    const fifo =
      kind === 'fifo topic'
        ? { topics: { work: `${worker.topics.work}.fifo` } }
        : { queues: { work: 'arn:aws:sqs:us-east-1:000000000000:work.fifo' } };
    const sending = sendTask({ task_name: 'work' }, { ...options, ...fifo, inlineUnder: 0, delaySeconds: 5 });
    await expect(sending).rejects.toMatchObject({ code: 'FIFO_DELAY', retryable: false });
    expect(attempts).toEqual([]);
  });

  test('says which queue did not accept it, and whether that may pass', async () => {
    const gone = open();
    const queues = { work: 'arn:aws:sqs:us-east-1:000000000000:gone' };
    await expect(
      sendTask({ task_name: 'work' }, { ...gone.options, queues, delaySeconds: 5 }),
    ).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      retryable: false,
      message: expect.stringContaining(':gone'),
    });
    const down = open(({ service }) =>
      service === 'sqs' ? { status: 503, code: 'ServiceUnavailable' } : undefined,
    );
    await expect(sendTask({ task_name: 'work' }, { ...down.options, delaySeconds: 5 })).rejects.toMatchObject(
      { code: 'PUBLISH_FAILED', retryable: true },
    );
  });

  test.each([
    ['nothing', {}],
    ['a name', { work: 'work' }],
    ['a prototype', Object.create({ work: 'arn:aws:sqs:a:b:c' })],
  ])('needs the ARN or URL of its queue, not %s', async (_, queues) => {
    const { options, attempts } = open();
    const sending = sendTask({ task_name: 'work' }, { ...options, queues, delaySeconds: 5 });
    await expect(sending).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND' });
    expect(attempts).toEqual([]);
  });

  test.each([-1, 901, 1.5, Number.NaN, '5', null])('of %j is an OptionError', async (delaySeconds) => {
    const { options } = open();
    const sending = sendTask({ task_name: 'work' }, { ...options, delaySeconds } as never);
    await expect(sending).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('delaySeconds'),
    });
  });
});

describe('sendTasks with delaySeconds', () => {
  test('sends ten a call, and resolves to the ids of the envelopes', async () => {
    const { options, attempts } = open();
    const tasks = Array.from({ length: 25 }, (_, n) => ({ task_name: 'work', task_kwargs: { n } }));
    const sent = await sendTasks(tasks, { ...options, delaySeconds: 1 });
    expect(operations(attempts).sort()).toEqual(['GetQueueUrl', ...Array(3).fill('SendMessageBatch')]);
    const envelopes = (await received(25)).map(({ envelope }) => envelope);
    const idsByNumber = envelopes.map(({ Message, MessageId }) => [
      JSON.parse(Message).task_kwargs.n,
      MessageId,
    ]);
    expect(new Map(idsByNumber as [number, string][])).toEqual(
      new Map(sent.map(({ messageId }, n) => [n, messageId])),
    );
  });

  test('cuts a batch by the bytes that SQS counts', async () => {
    const { options, attempts } = open();
    const task_kwargs = { text: 'x'.repeat(100_000) };
    const tasks = Array.from({ length: 5 }, () => ({ task_name: 'work', task_kwargs }));
    await sendTasks(tasks, { ...options, delaySeconds: 900 });
    const calls = attempts.filter(({ operation }) => operation === 'SendMessageBatch');
    expect(calls.map(({ target }) => delaysIn(target).length)).toEqual([2, 2, 1]);
  });

  test('reports those that SQS refused', async () => {
    let calls = 0;
    const { options } = open(({ operation }) => {
      if (operation !== 'SendMessageBatch') return undefined;
      calls += 1;
      const failed = { Id: '1', Code: 'InternalError', Message: 'later', SenderFault: false };
      const body = JSON.stringify({ Successful: [], Failed: [failed] });
      return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
    });
    const tasks = [1, 2, 3].map((n) => ({ task_name: 'work', task_kwargs: { n } }));
    const error = await sendTasks(tasks, { ...options, delaySeconds: 5 }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'SEND_TASKS_FAILED',
      retryable: true,
      failures: [{ index: 1, error: { code: 'PUBLISH_FAILED' } }],
    });
    expect(error.sent.filter(Boolean)).toHaveLength(2);
    expect(calls).toBe(1);
  });
});

test('a queue that nothing reads holds the message back', async () => {
  const own = await startWorker({ aws, tasks: ['held'], handler: async () => undefined });
  await own.stop();
  const { options } = open();
  await sendTask({ task_name: 'held' }, { ...options, topics: own.topics, delaySeconds: 900 });
  const { QueueUrl } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: 'held' }));
  expect((await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).toEqual([]);
});
