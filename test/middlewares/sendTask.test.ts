import { GetObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AjsonError } from '../../core/ajson/AjsonError.ts';
import { NotATaskError } from '../../core/batch/unwrapTask.ts';
import { OptionError } from '../../core/errors.ts';
import { Decimal, defineTasks, StoredData, type Task } from '../../core/index.ts';
import { CallbackError } from '../../core/tasks/nextTask.ts';
import { type LocalAws, type SqsRecord, startLocalAws, startWorker } from '../../local/index.ts';
import { PublishError } from '../../middlewares/aws/PublishError.ts';
import type { EventTarget } from '../../middlewares/events/eventWriter.ts';
import { type SendTaskOptions, SendTasksError, sendTask, sendTasks } from '../../middlewares/sendTask.ts';
import { type FaultOf, type FaultyClients, faultyClients, reset } from '../support/faultyClients.ts';

let aws: LocalAws;
let topics: Record<string, string>;
beforeAll(async () => {
  aws = await startLocalAws();
  const { TopicArn = '' } = await aws.sns.send(new CreateTopicCommand({ Name: 'work' }));
  topics = { work: TopicArn };
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

async function send(
  task: Task<object>,
  options: Partial<SendTaskOptions> = {},
  faultOf: FaultOf = () => undefined,
) {
  const clients = faultyClients(aws, faultOf);
  opened.push(clients);
  const { s3, sns, attempts } = clients;
  let error: unknown;
  await sendTask(task, { s3, sns, bucket: aws.bucket, topics, ...options } as SendTaskOptions).catch((e) => {
    error = e;
  });
  const { target = '' } = attempts.find(({ service }) => service === 'sns') ?? {};
  const message = /\.Message=(.*?)(?=&Publish|&Version|&TopicArn|$)/.exec(target)?.[1];
  return { error, message, target, operations: attempts.map(({ operation }) => operation) };
}

describe('sendTask', () => {
  test('publishes a task to its topic, exactly as in WIRE.md', async () => {
    const { message, error } = await send({
      task_name: 'work',
      task_kwargs: { width: 200 },
      callback: 'a#b',
    });
    expect(error).toBeUndefined();
    expect(message).toBe('{"task_name":"work","task_kwargs":{"width":200},"callback":"a#b"}');
  });

  test.each([undefined, null])('sends arguments of %j as {}', async (task_kwargs) => {
    expect((await send({ task_name: 'work', task_kwargs })).message).toBe(
      '{"task_name":"work","task_kwargs":{}}',
    );
  });

  test('writes arguments in ajson', async () => {
    const { message } = await send({ task_name: 'work', task_kwargs: { total: new Decimal('1.10') } });
    expect(JSON.parse(message ?? '').task_kwargs).toEqual({
      total: { _alg_class: 'decimal', value: '1.10' },
    });
  });

  test('escapes characters that SQS does not carry', async () => {
    const text = 'a\uFFFE\uFFFF\\\uFFFF😀';
    const { message = '' } = await send({ task_name: 'work', task_kwargs: { text } });
    expect(message).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(JSON.parse(message).task_kwargs).toEqual({ text });
  });

  test('stores arguments over inlineUnder in S3, under a unique name in the given folder', async () => {
    const task = { task_name: 'work', task_kwargs: { text: 'ü'.repeat(10) } };
    const first = await send(task, { inlineUnder: 30, folder: 'sent' });
    const second = await send(task, { inlineUnder: 30, folder: 'sent' });
    expect(first.operations).toEqual(['PUT', 'PublishBatch']);
    const [pointer, other] = [first, second].map(
      ({ message }) => JSON.parse(message ?? '').task_kwargs.value.pointer as string,
    );
    expect(pointer).toMatch(new RegExp(`^${aws.bucket}#sent/[\\w-]+-work!\\d+\\.\\d{3}\\.json$`));
    expect(pointer).not.toBe(other);
    const { Body } = await aws.s3.send(
      new GetObjectCommand({ Bucket: aws.bucket, Key: pointer?.split('#')[1] }),
    );
    expect(await Body?.transformToString()).toBe(
      `{"data_string":{"text":"${'ü'.repeat(10)}"},"full_unpack":true,"safe_mode":false}`,
    );
    expect((await send(task, { inlineUnder: 31 })).operations).toEqual(['PublishBatch']);
  });

  test('sends a StoredData as its pointer', async () => {
    const stored = new StoredData({ pointer: 'b#cache/x!1.5.json' });
    const { message, operations } = await send({ task_name: 'work', task_kwargs: stored });
    expect(JSON.parse(message ?? '').task_kwargs.value).toEqual({ pointer: stored.pointer });
    expect(operations).toEqual(['PublishBatch']);
  });

  test('finds the topic next to the function', async () => {
    const functionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:sender`;
    const options = { topics: undefined, functionArn } as unknown as Partial<SendTaskOptions>;
    const { target, error } = await send({ task_name: 'work' }, options);
    expect(error).toBeUndefined();
    expect(target).toContain(`TopicArn=${topics.work}`);
  });

  test('sets the group and deduplication id on a FIFO topic, generated or given', async () => {
    const records: SqsRecord[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['ordered'],
      fifo: true,
      handler: async ({ Records }) => void records.push(...Records),
    });
    const options = { topics: worker.topics };
    await send({ task_name: 'ordered' }, options);
    await send({ task_name: 'ordered' }, options);
    for (let i = 0; i < 2; i += 1) {
      await send({ task_name: 'ordered' }, { ...options, groupId: 'G', deduplicationId: 'D' });
    }
    await worker.idle();
    await worker.stop();
    expect(records).toHaveLength(3);
    const groups = records.map(({ attributes }) => attributes.MessageGroupId);
    expect(new Set(groups).size).toBe(3);
    expect(records.filter(({ attributes }) => attributes.MessageDeduplicationId === 'D')).toHaveLength(1);
  });

  test('writes an event for the sinks in its options', async () => {
    const written: unknown[] = [];
    const events: EventTarget = (batch) => void written.push(...batch);
    await send({ task_name: 'work', callback: 'next' }, { events, chainId: 'chain' });
    expect(written).toMatchObject([
      { type: 'sent', chainId: 'chain', taskName: 'work', callback: 'next', messageId: expect.any(String) },
    ]);
  });

  test('sends attributes with the task', async () => {
    const { target } = await send({ task_name: 'work' }, { attributes: { tenant: 'blue' } });
    expect(target).toMatch(/Name=tenant&.*StringValue=blue/);
  });
});

describe('the ids', () => {
  const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
  const attributesOf = (target: string) =>
    [...target.matchAll(/Name=chain_id&.*?StringValue=([^&]*)/g)].map(([, id]) => id);

  async function sendFor(options: Partial<SendTaskOptions>) {
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const { s3, sns, attempts } = clients;
    const sent = await sendTask({ task_name: 'work' }, { s3, sns, topics, ...options });
    return { sent, chainIds: attributesOf(attempts[0]?.target ?? '') };
  }

  test('are new, and chain_id is always sent', async () => {
    const { sent, chainIds } = await sendFor({});
    expect(sent).toEqual({ chainId: expect.stringMatching(uuid), messageId: expect.stringMatching(uuid) });
    expect(chainIds).toEqual([sent.chainId]);
    expect((await sendFor({})).sent.chainId).not.toBe(sent.chainId);
  });

  test.each<Partial<SendTaskOptions>>([
    { chainId: 'order:1.a-b_c' },
    { attributes: { chain_id: 'order:1.a-b_c' } },
    { chainId: 'order:1.a-b_c', attributes: { chain_id: 'order:1.a-b_c' } },
  ])('may be given for a chain: %j', async (options) => {
    const { sent, chainIds } = await sendFor(options);
    expect([sent.chainId, chainIds]).toEqual(['order:1.a-b_c', ['order:1.a-b_c']]);
  });
});

describe('sendTasks', () => {
  const tasksOf = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ task_name: 'work', task_kwargs: { n } }));
  function open(faultOf: FaultOf = () => undefined) {
    const clients = faultyClients(aws, faultOf);
    opened.push(clients);
    const { s3, sns, attempts } = clients;
    return { options: { s3, sns, bucket: aws.bucket, topics }, attempts };
  }
  const failureOf = (sending: Promise<unknown>): Promise<SendTasksError> =>
    sending.then(
      () => Promise.reject(new Error('nothing failed')),
      (error) => error,
    );

  test('sends ten per call, and resolves to the ids in order', async () => {
    const { options, attempts } = open();
    const sent = await sendTasks(tasksOf(25), options);
    expect(attempts.map(({ operation }) => operation)).toEqual(Array(3).fill('PublishBatch'));
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(25);
    expect(new Set(sent.map(({ chainId }) => chainId)).size).toBe(25);
    const target = attempts.map((attempt) => attempt.target).join();
    for (const { chainId } of sent) expect(target).toContain(chainId);
    expect(await sendTasks([], options)).toEqual([]);
  });

  test('sends nothing unless all tasks are valid, and lists the invalid ones', async () => {
    const { options, attempts } = open();
    const tasks = [...tasksOf(2), { task_name: 'work', callback: 'a:b' }, { task_name: 'nowhere' }];
    const error = await failureOf(sendTasks(tasks, { ...options, inlineUnder: 0 }));
    expect(error).toBeInstanceOf(SendTasksError);
    expect(error.failures).toMatchObject([
      { index: 2, error: { code: 'BAD_CALLBACK' } },
      { index: 3, error: { code: 'TOPIC_NOT_FOUND' } },
    ]);
    expect([error.sent, error.retryable, attempts]).toEqual([Array(4).fill(undefined), false, []]);
    expect(error.message).toMatch(/^0 of 4 tasks were sent, 2 failed\. The first, tasks\[2\]: The callback/);
  });

  test('reports which tasks were sent and which failed, if S3 or SNS fails for some', async () => {
    let puts = 0;
    const { options } = open(({ service }) => {
      if (service !== 's3') return undefined;
      puts += 1;
      return puts === 2 ? reset() : undefined;
    });
    const error = await failureOf(sendTasks(tasksOf(3), { ...options, inlineUnder: 0 }));
    const [failure] = error.failures;
    expect(error.failures).toMatchObject([{ error: { code: 'STORED_DATA_UNAVAILABLE' } }]);
    expect(error.sent.map((sent) => Boolean(sent))).toEqual([0, 1, 2].map((n) => n !== failure?.index));
    expect(error.retryable).toBe(true);
  });

  test('checks arguments by their schemas, and has no deduplicationId', async () => {
    const { options, attempts } = open();
    const kwargs = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          (value as { n: number }).n === 1 ? { issues: [{ message: 'refused', path: ['n'] }] } : { value },
      },
    };
    const tasks = defineTasks({ work: { kwargs } });
    const error = await failureOf(sendTasks(tasksOf(2), { ...options, tasks }));
    expect(error.failures).toMatchObject([
      { index: 1, error: { code: 'BAD_ARGUMENTS', path: '$.task_kwargs.n' } },
    ]);
    await expect(sendTasks(tasksOf(1), { ...options, deduplicationId: 'x' } as never)).rejects.toThrow(
      /there is no option "deduplicationId"/,
    );
    await expect(sendTasks('work' as never, options)).rejects.toThrow(OptionError);
    expect(attempts).toEqual([]);
  });
});

test('arguments that leave no room for the rest of the message go through S3', async () => {
  const task_kwargs = { text: 'x'.repeat(900) };
  const { operations, error } = await send(
    { task_name: 'work', task_kwargs },
    { inlineUnder: 1000, maxMessageBytes: 950, attributes: { tenant: 'blue' } },
  );
  expect([operations, error]).toEqual([['PUT', 'PublishBatch'], undefined]);
  const extended = await send(
    { task_name: 'work', task_kwargs },
    { inlineUnder: 1000, maxMessageBytes: 950, extendedPayload: true },
  );
  expect([extended.operations, extended.error]).toEqual([['PUT', 'PublishBatch'], undefined]);
});

describe('an error', () => {
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`key${n}`, 'v']));
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const cases: [
    string,
    Task<object>,
    Partial<SendTaskOptions>,
    (abstract new (...args: never[]) => Error) | string,
  ][] = [
    ['an object that is not a task', { name: 'work' } as never, {}, NotATaskError],
    ['no name', { task_name: undefined } as never, {}, NotATaskError],
    ['a callback that is not a name', { task_name: 'work', callback: 'a:b' }, {}, CallbackError],
    ['a callback that never ends', { task_name: 'work', callback: 'work#a#work' }, {}, CallbackError],
    ['a task that is not in topics', { task_name: 'toString' }, {}, 'TOPIC_NOT_FOUND'],
    [
      'neither topics nor a function ARN',
      { task_name: 'work' },
      { topics: undefined } as never,
      'TOPIC_NOT_FOUND',
    ],
    [
      'a name that no topic can have',
      { task_name: 'a:b' },
      { topics: undefined, functionArn: 'arn:aws:lambda:us-east-1:1:function:f' } as never,
      'TOPIC_NOT_FOUND',
    ],
    ['arguments with a cycle', { task_name: 'work', task_kwargs: cycle }, {}, AjsonError],
    ['arguments that are a list', { task_name: 'work', task_kwargs: [1] }, {}, 'BAD_ARGUMENTS'],
    ['arguments that are a string', { task_name: 'work', task_kwargs: 'x' } as never, {}, 'BAD_ARGUMENTS'],
    ['arguments that are a Set', { task_name: 'work', task_kwargs: new Set([1]) }, {}, 'BAD_ARGUMENTS'],
    ['arguments that are a Date', { task_name: 'work', task_kwargs: new Date() }, {}, 'BAD_ARGUMENTS'],
    ['eleven attributes', { task_name: 'work' }, { inlineUnder: 0, attributes: ten }, 'BAD_ATTRIBUTES'],
    ['an attribute that is empty', { task_name: 'work' }, { attributes: { a: '' } }, OptionError],
    [
      'an attribute that is undefined',
      { task_name: 'work' },
      { attributes: { a: undefined } } as never,
      OptionError,
    ],
    [
      'an attribute that an option sets',
      { task_name: 'work' },
      { attributes: { on_error: 'x' } },
      OptionError,
    ],
    ['a bad chainId', { task_name: 'work' }, { chainId: 'a b' }, OptionError],
    ['a bad chain_id', { task_name: 'work' }, { attributes: { chain_id: 'a b' } }, OptionError],
    ['two chain ids', { task_name: 'work' }, { chainId: 'a', attributes: { chain_id: 'b' } }, OptionError],
    ['a bucket that is an ARN', { task_name: 'work' }, { bucket: 'arn:aws:s3:::b' }, OptionError],
    ['a group that SNS refuses', { task_name: 'work' }, { groupId: 'a b' }, OptionError],
    ['an unknown option', { task_name: 'work' }, { topic: 'x' } as never, OptionError],
    ['a bad inlineUnder', { task_name: 'work' }, { inlineUnder: -1 }, OptionError],
    ['a bad folder', { task_name: 'work' }, { folder: 'a#b' }, OptionError],
  ];
  test.each(cases)('for %s is thrown before any call to AWS', async (_, task, options, expected) => {
    const { error, operations } = await send(task, options);
    if (typeof expected === 'string') expect(error).toMatchObject({ code: expected });
    else expect(error).toBeInstanceOf(expected);
    expect(operations).toEqual([]);
  });

  test('of S3 leaves the task unsent', async () => {
    const { error, operations } = await send(
      { task_name: 'work', task_kwargs: {} },
      { inlineUnder: 0 },
      ({ service }) => (service === 's3' ? reset() : undefined),
    );
    expect(error).toMatchObject({ code: 'STORED_DATA_UNAVAILABLE' });
    expect(operations).toEqual(['PUT']);
  });

  test.each([
    [reset(), true],
    [{ status: 404, code: 'NotFound' }, false],
  ] as const)('of SNS says whether it may pass', async (fault, retryable) => {
    const { error } = await send({ task_name: 'work' }, {}, () => fault);
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toMatchObject({ retryable });
  });
});

describe('a SendTasksError', () => {
  const passing = new PublishError('PUBLISH_FAILED', 'down', { retryable: true });
  const final = new PublishError('BAD_ATTRIBUTES', 'bad');
  const sent = { chainId: 'c', messageId: 'm' };

  test.each<[unknown[], boolean]>([
    [[passing], true],
    [[passing, passing], true],
    [[passing, final], false],
    [[final], false],
  ])('is retryable if all failures are: %#', (errors, retryable) => {
    const error = new SendTasksError([{ sent }, ...errors.map((each) => ({ error: each }))]);
    expect(error).toMatchObject({
      name: 'SendTasksError',
      code: 'SEND_TASKS_FAILED',
      retryable,
      cause: errors[0],
      sent: [sent, ...errors.map(() => undefined)],
      failures: errors.map((each, index) => ({ index: index + 1, error: each })),
    });
  });

  test('names the first failure, whatever was thrown', () => {
    expect(new SendTasksError([{ sent }, { error: passing }]).message).toContain(
      '1 of 2 tasks were sent, 1 failed. The first, tasks[1]: down',
    );
    expect(new SendTasksError([{ error: 'text' }]).message).toContain('tasks[0]: text');
  });
});

test.each<[Partial<SendTaskOptions>, string]>([
  [{ inlineUnder: -1 }, 'sendTask: inlineUnder must be'],
  [{ attributes: { a: {} as never } }, 'sendTask: attributes.a '],
  [{ delaySeconds: 5, at: new Date() }, 'sendTask: delaySeconds and at exclude each other'],
  [{ schedule: { roleArn: '' } }, 'sendTask: schedule.roleArn'],
  [{ schedule: { roleArn: 'not an arn:' } }, 'sendTask: schedule.roleArn'],
])('%j names its function', async (options, message) => {
  await expect(sendTask({ task_name: 'work', task_kwargs: {} }, options)).rejects.toThrow(message);
  const { deduplicationId: _, ...rest } = options;
  await expect(sendTasks([{ task_name: 'work', task_kwargs: {} }], rest)).rejects.toThrow(
    message.replace('sendTask', 'sendTasks'),
  );
});
