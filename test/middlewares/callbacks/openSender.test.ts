import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import { formatGroupId } from '../../../core/groups/ticket.ts';
import type { TaskMessage } from '../../../core/tasks/taskPublisher.ts';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import { ErrorTaskNotToldError } from '../../../middlewares/callbacks/ErrorTaskNotToldError.ts';
import { openSender } from '../../../middlewares/callbacks/openSender.ts';
import {
  type CallbackPublisherOptions,
  fanOut,
  NonRetryableError,
  TaskInProgressError,
  type TaskRun,
} from '../../../middlewares/index.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
afterEach(() => {
  jest.restoreAllMocks();
});

const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
const work = { task_name: 'work', task_kwargs: { n: 1 }, callback: 'next' };

interface Given {
  message?: unknown;
  attributes?: Record<string, string>;
  receives?: number;
  isDirect?: boolean;
  isFinal?: boolean;
  over?: object;
}

/** A run of a message, as the stages see it after its handler. */
function runOf({
  message = work,
  attributes = {},
  receives = 1,
  isDirect = false,
  isFinal = false,
  over,
}: Given = {}) {
  const made = sqsRecord(message);
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, Value]) => [name, { Type: 'String', Value }]),
  );
  const record = {
    ...made,
    body: JSON.stringify({ ...JSON.parse(made.body), MessageAttributes }),
    attributes: { ...made.attributes, ApproximateReceiveCount: String(receives), MessageGroupId: 'G' },
  };
  const never = new AbortController().signal;
  const run = {
    record: isDirect ? undefined : record,
    task: isDirect ? message : record,
    context: { awsRequestId: 'request', invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:f' },
    part: 0,
    signal: never,
    cutoff: never,
    outgoingAttributes: {},
    result: undefined as unknown,
    endsChain: false,
    unwrap: () => (isDirect ? { content: message, attributes } : unwrap(record)),
    waitToSend: () => {},
    isFinal: () => isFinal,
    ...over,
  };
  return run as unknown as TaskRun;
}

/** A sender, with what it sends and stores. */
function open(options: Partial<CallbackPublisherOptions> = {}) {
  const sent: TaskMessage[] = [];
  const stored: string[] = [];
  const published: string[] = [];
  const s3 = {
    config: aws.s3.config,
    send(command: { input: { Key: string; Body?: unknown } }, sendOptions: unknown) {
      if (command.input.Body !== undefined) stored.push(command.input.Key);
      return aws.s3.send(command as never, sendOptions as never);
    },
  };
  const sns = {
    async send({ input: { TopicArn, PublishBatchRequestEntries: entries = [] } }: PublishBatchCommand) {
      published.push(...entries.map(() => String(TopicArn)));
      return { Successful: entries.map(({ Id }) => ({ Id, MessageId: `m-${Id}` })) };
    },
  };
  const clients = { s3, sns, bucket: aws.bucket, topics: topicArn } as unknown as CallbackPublisherOptions;
  const sender = openSender('owner', { ...clients, ...options });
  const send = async (message: TaskMessage) => {
    sent.push(message);
    return `m-${sent.length}`;
  };
  return { sender, send, sent, stored, published };
}

let hashes = 0;
/** Stores the plan of a group, and returns the callback of its first branch. */
async function branchOf(failures = 'wait'): Promise<{ id: string; callback: string }> {
  hashes += 1;
  const hash = String(hashes).padStart(15, '0');
  const id = formatGroupId(hash, Date.now());
  const plan = { version: 1, id, bucket: aws.bucket, count: 2, failures, attributes: {} };
  const Body = JSON.stringify(plan);
  await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: `groups/${hash}/plan`, Body }));
  return { id, callback: `gather#g-${id}-0-of-2` };
}

describe('looking ahead', () => {
  test('finds the tasks that follow, their topics and their attributes', async () => {
    const attributes = { chain_id: 'chain', also_callbacks: 'log', on_error: 'cleanup', other: 'x' };
    const run = runOf({ message: { ...work, callback: 'work#next#last' }, attributes });
    expect(await open().sender.lookAhead(run)).toMatchObject({
      task: { task_name: 'work', callback: 'work#next#last' },
      plan: {
        taskName: 'work',
        role: 'callback',
        following: [
          { task_name: 'next', callback: 'work#next#last', topicArn: topicArn('next') },
          { task_name: 'log', topicArn: topicArn('log') },
        ],
        identity: { chainId: 'chain' },
        attributes: { chain_id: 'chain', on_error: 'cleanup' },
      },
      ticket: undefined,
      endsBranch: false,
    });
  });

  test('has no plan for a task that nothing follows on, and nothing for a message that is not a task', async () => {
    const { sender } = open();
    const alone = await sender.lookAhead(runOf({ message: { task_name: 'work' } }));
    expect(alone).toEqual({
      task: { task_name: 'work', callback: undefined },
      plan: undefined,
      ticket: undefined,
      endsBranch: false,
    });
    expect(await sender.lookAhead(runOf({ message: ['work'] }))).toBeUndefined();
  });

  test('takes the task of another stage instead of the message', async () => {
    const task = { task_name: 'other', callback: 'last' };
    const found = await open().sender.lookAhead(runOf({ over: { task } }));
    expect(found).toMatchObject({ task, plan: { taskName: 'other' } });
  });

  test('refuses a bad error task and an unknown topic', async () => {
    const { sender } = open({ topics: {} });
    const bad = sender.lookAhead(runOf({ message: { task_name: 'work' }, attributes: { on_error: 'a b' } }));
    await expect(bad).rejects.toMatchObject({ code: 'BAD_CALLBACK' });
    await expect(sender.lookAhead(runOf())).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
  });

  test('finds topics beside the function, or beside the queue', async () => {
    const { s3 } = aws;
    const sender = openSender('owner', { s3, bucket: aws.bucket });
    const topicFor = async (run: TaskRun) => (await sender.lookAhead(run))?.plan?.following[0]?.topicArn;
    expect(await topicFor(runOf())).toBe('arn:aws:sns:eu-west-1:1:next');
    expect(await topicFor(runOf({ over: { context: undefined } }))).toBe(topicArn('next'));
  });

  test('tells the last task of a branch, whose other callbacks remain', async () => {
    const { callback } = await branchOf();
    const { sender } = open();
    const last = await sender.lookAhead(runOf({ message: { ...work, callback } }));
    expect(last).toMatchObject({ plan: undefined, ticket: { index: 0, count: 2 }, endsBranch: true });
    const attributes = { also_callbacks: 'log' };
    const others = await sender.lookAhead(runOf({ message: { ...work, callback }, attributes }));
    expect(others?.plan?.following).toEqual([{ task_name: 'log', topicArn: topicArn('log') }]);
    const first = await sender.lookAhead(runOf({ message: { ...work, callback: `next#${callback}` } }));
    expect(first).toMatchObject({ ticket: { index: 0 }, endsBranch: false });
    expect(first?.plan?.following.map(({ task_name }) => task_name)).toEqual(['next']);
    const gather = await sender.lookAhead(runOf({ message: { ...work, callback: 'gather' } }));
    expect(gather).toMatchObject({ plan: { following: [{ task_name: 'gather' }] }, endsBranch: false });
  });
});

describe('a result', () => {
  const sendOn = async (run: TaskRun, opened: ReturnType<typeof open>) => {
    await opened.sender.sendOn(run, await opened.sender.lookAhead(run), opened.send);
    return opened;
  };

  test('is stored, and its pointer goes to each task that follows', async () => {
    const facts: unknown[] = [];
    const over = {
      result: { n: 2 },
      outgoingAttributes: { tenant: 'blue' },
      report: (fact: unknown) => void facts.push(fact),
    };
    const run = runOf({ attributes: { chain_id: 'chain', also_callbacks: 'log' }, over });
    const { sent, stored } = await sendOn(run, open());
    expect(stored).toEqual([expect.stringMatching(/^cache\/[\w-]+-work-[\w-]{8}![\d.]+\.json$/)]);
    const pointer = { pointer: `${aws.bucket}#${stored[0]}` };
    expect(sent).toEqual(
      ['next', 'log'].map((name) => ({
        topicArn: topicArn(name),
        subject: 'callback',
        attributes: { chain_id: 'chain', tenant: 'blue' },
        message: expect.stringContaining(`{"task_name":"${name}"`),
        groupId: 'G',
        deduplicationId: expect.stringContaining(`.${name}`),
      })),
    );
    expect(sent.map(({ message }) => JSON.parse(message).task_kwargs.value)).toEqual([pointer, pointer]);
    expect(facts).toMatchObject([
      { type: 'stored', pointer: pointer.pointer },
      { type: 'published', messages: [{ role: 'callback' }, { role: 'callback' }] },
    ]);
    expect(run.result).toEqual({ n: 2 });
  });

  test('is not stored if the attributes of its message are bad', async () => {
    const opened = open();
    const over = { result: { n: 2 }, outgoingAttributes: { 'a b': 'x' } };
    await expect(sendOn(runOf({ over }), opened)).rejects.toMatchObject({ code: 'BAD_ATTRIBUTES' });
    expect([opened.stored, opened.sent]).toEqual([[], []]);
  });

  test('goes nowhere without a task that follows, and if its chain has ended', async () => {
    const alone = await sendOn(runOf({ message: { task_name: 'work' }, over: { result: 1 } }), open());
    const ended = await sendOn(runOf({ over: { result: 1, endsChain: true } }), open());
    const noTask = await sendOn(runOf({ message: 5, over: { result: 1 } }), open());
    for (const { sent, stored } of [alone, ended, noTask]) expect([sent, stored]).toEqual([[], []]);
  });

  test('is in the message up to inlineUnder bytes, if it fits there', async () => {
    const result = { text: 'x'.repeat(100) };
    const run = () => runOf({ over: { result } });
    const inline = await sendOn(run(), open({ inlineUnder: 1000 }));
    expect(inline.stored).toEqual([]);
    expect(JSON.parse(inline.sent[0]?.message ?? '').task_kwargs).toEqual(result);
    const stored = await sendOn(run(), open({ inlineUnder: 1000, maxMessageBytes: 400 }));
    expect(stored.stored).toEqual([]);
    const tooLarge = await sendOn(run(), open({ inlineUnder: 1000, maxMessageBytes: 150 }));
    expect(tooLarge.stored).toHaveLength(1);
    expect(JSON.parse(tooLarge.sent[0]?.message ?? '').task_kwargs.value).toHaveProperty('pointer');
    const never = await sendOn(run(), open({ maxMessageBytes: 10 }));
    expect(never.stored).toHaveLength(1);
  });

  test('of more than 65,536 characters is not held while its message waits', async () => {
    const heldOf = async (length: number, isDirect = false) => {
      const run = runOf({ isDirect, over: { result: 'x'.repeat(length - 2) } });
      await sendOn(run, open());
      return run.result !== undefined;
    };
    expect(await heldOf(65_536)).toBe(true);
    expect(await heldOf(65_537)).toBe(false);
    // A direct invocation returns it.
    expect(await heldOf(65_537, true)).toBe(true);
  });

  test('that is a group is sent, and its ids are the result', async () => {
    const group = fanOut([{ task_name: 'thumb', task_kwargs: {} }], { then: 'album' });
    const run = runOf({ over: { result: group } });
    const { published, sent } = await sendOn(run, open());
    expect([published, sent]).toEqual([[topicArn('thumb')], []]);
    expect(run.result).toEqual({ groupId: expect.any(String), chainId: expect.any(String) });
  });

  test('of the last task of a branch, or of one that ends its chain, is recorded in the group', async () => {
    const recorded = async (rest: string, endsChain: boolean) => {
      const { id, callback } = await branchOf();
      const message = { ...work, callback: `${rest}${callback}` };
      const { stored, sent } = await sendOn(runOf({ message, over: { result: 7, endsChain } }), open());
      return { slots: stored.filter((key) => key.startsWith(`groups/${id}/s0!`)).length, sent: sent.length };
    };
    expect(await recorded('', false)).toEqual({ slots: 1, sent: 0 });
    expect(await recorded('next#', true)).toEqual({ slots: 1, sent: 0 });
    expect(await recorded('next#', false)).toEqual({ slots: 0, sent: 1 });
  });
});

describe('an error', () => {
  const error = Object.assign(new TypeError('bad'), { code: 'E' });
  const onError = { on_error: 'cleanup' };
  const message = { task_name: 'work', task_kwargs: { n: 1 } };

  test.each<[string, boolean, Given, Partial<CallbackPublisherOptions>]>([
    ['may pass', false, { receives: 2 }, {}],
    ['is final', true, { isFinal: true }, {}],
    ['comes on the last receive', true, { receives: 3 }, {}],
    ['comes after the last receive', true, { receives: 4 }, {}],
    ['comes on the last receive of the option', true, { receives: 2 }, { maxReceiveCount: 2 }],
    ['comes before the last receive of the option', false, { receives: 4 }, { maxReceiveCount: 5 }],
    ['comes from a direct invocation', false, { isFinal: true, isDirect: true }, {}],
  ])('that %s is told: %j', async (_, isTold, given, options) => {
    const { sender, send, sent } = open({ inlineUnder: 1000, ...options });
    const run = runOf({ message, attributes: onError, ...given });
    expect(await sender.tellError(run, error, send)).toBe(error);
    expect(sent).toHaveLength(isTold ? 1 : 0);
  });

  test('has its error and task in the message of the error task', async () => {
    const facts: { type: string }[] = [];
    const report = (fact: { type: string }) => void facts.push(fact);
    const { sender, send, sent, stored } = open();
    const run = runOf({
      message,
      attributes: { ...onError, chain_id: 'c' },
      isFinal: true,
      over: { report },
    });
    await sender.tellError(run, error, send);
    expect(stored).toEqual([expect.stringMatching(/^cache\/[\w-]+-work-error-[\w-]{8}!/)]);
    expect(sent).toMatchObject([
      { topicArn: topicArn('cleanup'), attributes: { chain_id: 'c', on_error: 'cleanup' } },
    ]);
    const object = new GetObjectCommand({ Bucket: aws.bucket, Key: stored[0] });
    const text = await (await aws.s3.send(object)).Body?.transformToString();
    expect(JSON.parse(text ?? '').data_string).toEqual({
      error: { name: 'TypeError', message: 'bad', code: 'E' },
      task: message,
    });
    // The task has no result.
    expect(facts).toMatchObject([{ type: 'published', messages: [{ role: 'error', taskName: 'cleanup' }] }]);
  });

  test('of a message that is not a task is told too', async () => {
    const { sender, send, sent, stored } = open();
    await sender.tellError(runOf({ message: [1], attributes: onError, isFinal: true }), error, send);
    expect(stored).toEqual([expect.stringContaining('-owner-error-')]);
    expect(sent).toHaveLength(1);
  });

  test('is not told without an error task, or if another delivery runs the task', async () => {
    const { sender, send, sent } = open();
    expect(await sender.tellError(runOf({ message, isFinal: true }), error, send)).toBe(error);
    const inProgress = new TaskInProgressError(0, 'running');
    const run = runOf({ message, attributes: onError, receives: 9, isFinal: true });
    expect(await sender.tellError(run, inProgress, send)).toBe(inProgress);
    expect(sent).toEqual([]);
  });

  test('of a branch is recorded in its group, also if the error task cannot be told', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { id, callback } = await branchOf('collect');
    const { sender, stored } = open({ inlineUnder: 1000 });
    const run = runOf({ message: { ...message, callback }, attributes: onError, isFinal: true });
    await sender.tellError(run, error, () => Promise.reject(new NonRetryableError('down')));
    expect(stored).toContainEqual(expect.stringContaining(`groups/${id}/s0!`));
  });

  test.each<[string, Given, Error, boolean]>([
    ['comes back', { isFinal: true }, new Error('down'), true],
    ['would never succeed', { isFinal: true }, new NonRetryableError('refused'), false],
    ['comes on the last receive', { receives: 3 }, new Error('down'), false],
  ])('that cannot be told, and %s', async (_, given, cause, comesBack) => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { sender } = open({ inlineUnder: 1000 });
    const run = runOf({ message, attributes: onError, ...given });
    const outcome = await sender.tellError(run, error, () => Promise.reject(cause));
    if (comesBack) {
      expect(outcome).toBeInstanceOf(ErrorTaskNotToldError);
      expect(outcome).toMatchObject({ cause, retryable: true });
      expect(warned).not.toHaveBeenCalled();
    } else {
      expect(outcome).toBe(error);
      expect(warned.mock.calls).toEqual([[expect.stringMatching(/^owner: /), cause]]);
    }
  });
});

test('a group must end before groupExpiryDays', async () => {
  const queues = { gather: 'https://sqs.eu-west-1.amazonaws.com/1/gather' };
  const { sender, send } = open({ queues, groupExpiryDays: 2 });
  const run = runOf({ over: { result: fanOut([], { then: 'album', deadlineSeconds: 86_400 }) } });
  const sending = sender.sendOn(run, await sender.lookAhead(run), send);
  await expect(sending).rejects.toMatchObject({ code: 'BAD_OPTION' });
});
