import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import {
  AlgObject,
  createAjson,
  Decimal,
  endChain,
  fanOut,
  isFinal,
  NonRetryableError,
  OptionError,
  queued,
  StoredData,
  type Task,
} from '../../core/index.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import {
  type CallbackPublisherOptions,
  callbackPublisher,
  type IdempotentOptions,
  idempotent,
  sqsSnsUnwrap,
  stageMiddleware,
  storedDataHydrate,
  TaskInProgressError,
} from '../../middlewares/index.ts';
import { gate } from '../local/tools.ts';
import {
  type Attempt,
  type Fault,
  type FaultyClients,
  faultyClients,
  reset,
} from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
  for (const Name of ['next', 'cleanup']) await aws.sns.send(new CreateTopicCommand({ Name }));
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
  jest.restoreAllMocks();
});

let folders = 0;
type Options = IdempotentOptions & {
  faultOf?: (attempt: Attempt, isRecord: boolean) => Fault | undefined;
  maxAttempts?: number;
  others?: MiddlewareObj[];
  publisher?: CallbackPublisherOptions;
};

/** A worker with a folder for its records. */
function createStack(
  work: (task: Task<never>) => unknown,
  { faultOf = () => undefined, maxAttempts = 1, others = [], publisher = {}, ...options }: Options = {},
) {
  folders += 1;
  const folder = `once${folders}`;
  const isRecord = ({ service, target }: Attempt) => service === 's3' && target.includes(`/${folder}/`);
  const clients = faultyClients(aws, (attempt) => faultOf(attempt, isRecord(attempt)), { maxAttempts });
  opened.push(clients);
  const { s3, sns, attempts } = clients;
  const common = { s3, bucket: aws.bucket };
  const arn = (name: string) => `arn:aws:sns:${aws.region}:${aws.accountId}:${name}`;
  const topics = { next: arn('next'), cleanup: arn('cleanup') };
  const calls: Task<never>[] = [];
  const run = (task: Task<never>) => {
    calls.push(task);
    return work(task);
  };
  const all = [
    sqsSnsUnwrap() as MiddlewareObj,
    // Before idempotent, since the stages of a direct invocation nest in this order.
    callbackPublisher({ ...common, sns, topics, inlineUnder: 1000, lingerMillis: 0, ...publisher }),
    idempotent({ ...common, folder, ...options } as IdempotentOptions),
    storedDataHydrate(common),
    ...others,
  ];
  const handler = all.reduce(
    (stack, one) => stack.use(one) as typeof stack,
    middy(queued(run as never)) as unknown as ReturnType<typeof middy>,
  );
  return {
    calls,
    deliver: async (...Records: ReturnType<typeof sqsRecord>[]) => {
      const settled = (await handler({ Records }, lambdaContext())) as unknown as SettledBatch<unknown>;
      return settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
    },
    invoke: (task: object, context: object = {}) => handler(task as never, lambdaContext(context)),
    deliverUntil: (record: ReturnType<typeof sqsRecord>, context: object) =>
      handler({ Records: [record] }, lambdaContext(context)) as unknown as Promise<SettledBatch<unknown>>,
    /** The messages that SNS got. */
    sent: () =>
      attempts.flatMap(({ operation, target }) =>
        operation === 'PublishBatch'
          ? [...target.matchAll(/\.Message=(.*?)(?=&Publish|&Version|&TopicArn|$)/g)].map(([, text]) => text)
          : [],
      ),
    /** The calls for records. */
    recordCalls: () => attempts.filter(isRecord).map(({ operation }) => operation),
    keys: () => keysIn(folder),
    async record() {
      const [Key] = await keysIn(folder);
      const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '');
    },
    async overwrite(text: string) {
      const [Key] = await keysIn(folder);
      await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key, Body: Buffer.from(text) }));
    },
  };
}

async function keysIn(folder: string): Promise<string[]> {
  const { Contents = [] } = await aws.s3.send(
    new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `${folder}/` }),
  );
  return Contents.map(({ Key = '' }) => Key);
}

const task = (task_kwargs: object = {}, callback = 'next') => ({ task_name: 'work', task_kwargs, callback });
const again = (record: ReturnType<typeof sqsRecord>, receives = 2) => ({
  ...record,
  receiptHandle: `${record.receiptHandle}-${receives}`,
  attributes: { ...record.attributes, ApproximateReceiveCount: String(receives) },
});
const inProgress = { code: 'TASK_IN_PROGRESS', retryable: true };
/** Waits for something, checking every few milliseconds. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await wait(5);
}
const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

describe('a redelivery', () => {
  test('of a task that is done does not run it, and publishes its callback again', async () => {
    const { calls, deliver, sent, recordCalls } = createStack(() => ({ n: 1, at: performance.now() }));
    const record = sqsRecord(task());
    const [first] = await deliver(record);
    expect(recordCalls()).toEqual(['PUT', 'PUT']);
    expect(await deliver(again(record))).toEqual([first]);
    expect(recordCalls()).toEqual(['PUT', 'PUT', 'PUT', 'GET']);
    expect(calls).toHaveLength(1);
    expect(sent()).toHaveLength(2);
    expect(new Set(sent()).size).toBe(1);
  });

  test('under another id of SQS, as after a redrive, is the same task', async () => {
    const { calls, deliver } = createStack(() => 1);
    const record = sqsRecord(task());
    await deliver(record);
    await deliver({ ...again(record), messageId: 'redriven' });
    expect(calls).toHaveLength(1);
  });

  test('to another queue is another task, and so is the same content in another message', async () => {
    const { calls, deliver, keys } = createStack(() => 1);
    const record = sqsRecord(task());
    await deliver(
      record,
      { ...again(record), eventSourceARN: `${record.eventSourceARN}-2` },
      sqsRecord(task()),
    );
    expect(calls).toHaveLength(3);
    expect(await keys()).toHaveLength(3);
  });

  test('at the same instant runs once, and the other comes back when the lease has ended', async () => {
    const { opened: promise, open } = gate();
    const { calls, deliver } = createStack(() => promise, { leaseSeconds: 60 });
    const record = sqsRecord(task());
    let answers = 0;
    const deliveries = [2, 3, 4, 5, 6].map(async (receives) => {
      const outcome = await deliver(again(record, receives));
      answers += 1;
      // The one that runs waits for the others.
      if (answers === 4) open();
      return outcome;
    });
    const outcomes = (await Promise.all(deliveries)).flat();
    expect(calls).toHaveLength(1);
    const failed = outcomes.filter((outcome) => outcome instanceof TaskInProgressError);
    expect(failed).toHaveLength(4);
    for (const error of failed) {
      expect(error).toMatchObject(inProgress);
      expect(isFinal(error)).toBe(false);
      expect(error.retryAfterSeconds).toBeGreaterThanOrEqual(50);
      expect(error.retryAfterSeconds).toBeLessThanOrEqual(61);
    }
  });

  test('by default waits for what is left of the invocation, and ten seconds', async () => {
    const { opened: promise, open } = gate();
    const { calls, deliver, deliverUntil } = createStack(() => promise);
    const record = sqsRecord(task());
    const running = deliverUntil(record, { getRemainingTimeInMillis: () => 30_000 });
    await until(() => calls.length === 1);
    const [error] = await deliver(again(record));
    open();
    await running;
    expect((error as TaskInProgressError).retryAfterSeconds).toBeGreaterThanOrEqual(35);
    expect((error as TaskInProgressError).retryAfterSeconds).toBeLessThanOrEqual(41);
  });

  test('after a failure runs again, at once', async () => {
    let runs = 0;
    const { calls, deliver, record } = createStack(() => {
      runs += 1;
      if (runs < 3) throw new Error(`broken ${runs}`);
      return { runs };
    });
    const message = sqsRecord(task());
    expect(await deliver(message)).toMatchObject([{ message: 'broken 1' }]);
    expect(await record()).toMatchObject({ state: 'free' });
    expect(await deliver(again(message))).toMatchObject([{ message: 'broken 2' }]);
    expect(await deliver(again(message, 3))).toEqual([{ runs: 3 }]);
    expect(await deliver(again(message, 4))).toEqual([{ runs: 3 }]);
    expect(calls).toHaveLength(3);
  });

  test('of a run that was killed waits for its lease, and then takes over', async () => {
    const { calls, deliver } = createStack(
      () => (calls.length === 1 ? new Promise(() => {}) : { run: calls.length }),
      { leaseSeconds: 2 },
    );
    const record = sqsRecord(task());
    void deliver(record);
    await until(() => calls.length === 1);
    expect(await deliver(again(record))).toMatchObject([inProgress]);
    await wait(2100);
    expect(await deliver(again(record, 3))).toEqual([{ run: 2 }]);
    expect(await deliver(again(record, 4))).toEqual([{ run: 2 }]);
  });

  test('of a run that was cut off waits too, since the handler may still be running', async () => {
    const { deliver, deliverUntil } = createStack(() => new Promise(() => {}));
    const record = sqsRecord(task());
    const [cut] = await deliverUntil(record, { getRemainingTimeInMillis: () => 2000 });
    expect(cut).toMatchObject({ reason: { code: 'DEADLINE' } });
    expect(await deliver(again(record))).toMatchObject([inProgress]);
  });

  test('that took over makes the slow run fail, and come back to its result', async () => {
    const { opened: promise, open } = gate();
    const { calls, deliver, sent } = createStack(
      async () => {
        const run = calls.length;
        if (run === 1) await promise;
        return { run };
      },
      { leaseSeconds: 1 },
    );
    const record = sqsRecord(task());
    const slow = deliver(record);
    await until(() => calls.length === 1);
    await wait(1100);
    expect(await deliver(again(record))).toEqual([{ run: 2 }]);
    open();
    expect(await slow).toMatchObject([inProgress]);
    expect(sent()).toHaveLength(1);
    expect(await deliver(again(record, 3))).toEqual([{ run: 2 }]);
    expect(sent()[1]).toBe(sent()[0]);
  });

  test('after ttlSeconds runs again', async () => {
    const { calls, deliver } = createStack(() => ({ run: calls.length }), { ttlSeconds: 2 });
    const record = sqsRecord(task());
    await deliver(record);
    expect(await deliver(again(record))).toEqual([{ run: 1 }]);
    await wait(2100);
    expect(await deliver(again(record, 3))).toEqual([{ run: 2 }]);
  });

  test('counts in the summary of its batch', async () => {
    const counts: object[] = [];
    const counting = stageMiddleware({
      name: 'counting',
      order: { after: 'log' },
      async around(run, next) {
        await next();
        counts.push({ ...run.counts });
      },
    });
    const { deliver } = createStack(() => 1, { others: [counting] });
    const record = sqsRecord(task());
    await deliver(record);
    await deliver(again(record));
    expect(counts).toEqual([{}, { tasks_replayed: 1 }]);
  });
});

describe('a replayed result', () => {
  class Order extends AlgObject {
    number: string;
    constructor(number: string) {
      super();
      this.number = number;
    }
    static parseJson({ number }: { number: string }) {
      return new Order(number);
    }
  }
  const ajson = createAjson({ classes: [{ class: Order, module: 'shop', name: 'Order' }] });

  test.each<[string, unknown, boolean?]>([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['an empty string', ''],
    ['classes', { order: new Order('A-1'), at: new Date(5), tags: new Set(['a']), sum: new Decimal('1.10') }],
    ['an integer past 2^53', { id: 9_007_199_254_740_993n }],
    ['tags that were not rebuilt', { at: { _alg_class: 'set', value: ['a'] } }, true],
    ['a pointer', new StoredData({ pointer: 'b#cache/x!1.5.json' }), true],
    ['a class that is not registered', { _alg_class: 'Other', _alg_module: 'shop', value: { a: 1 } }, true],
  ])('is %s again, and its callback has the same text', async (_, result, isTagged = false) => {
    const results: unknown[] = [];
    const looking = stageMiddleware({
      name: 'looking',
      order: { before: 'once' },
      async around(run, next) {
        await next();
        results.push(run.result);
      },
    });
    const stack = createStack(() => result, { ajson, publisher: { ajson }, others: [looking] });
    const record = sqsRecord(task());
    await stack.deliver(record);
    await stack.deliver(again(record));
    expect([stack.calls.length, stack.sent().length]).toEqual([1, 2]);
    expect(stack.sent()[1]).toBe(stack.sent()[0]);
    if (isTagged) return;
    expect(results[1]).toEqual(result);
    expect(Object(results[1]).order).toEqual(Object(result).order);
    expect(Object(results[1]).order?.constructor).toBe(Object(result).order?.constructor);
  });

  test('that ended its chain ends it again', async () => {
    for (const throws of [false, true]) {
      const { calls, deliver, sent } = createStack(() => {
        if (throws) throw endChain({ n: 1 });
        return endChain({ n: 1 });
      });
      const record = sqsRecord(task());
      expect(await deliver(record)).toEqual([{ n: 1 }]);
      expect(await deliver(again(record))).toEqual([{ n: 1 }]);
      expect([calls.length, sent()]).toEqual([1, []]);
    }
  });

  test('that is a group is sent, although the first delivery could not send it', async () => {
    let isDown = true;
    const stack = createStack(
      () =>
        fanOut(
          [1, 2].map((n) => ({ task_name: 'next', task_kwargs: { n } })),
          { then: 'cleanup' },
        ),
      {
        faultOf: ({ operation }) =>
          operation === 'PublishBatch' && isDown ? { status: 503, code: 'ServiceUnavailable' } : undefined,
      },
    );
    const record = sqsRecord(task({}, 'cleanup'));
    expect(await stack.deliver(record)).toMatchObject([{ retryable: true }]);
    isDown = false;
    const failed = stack.sent().length;
    const [replayed] = await stack.deliver(again(record));
    expect(replayed).not.toBeInstanceOf(Error);
    expect(stack.calls).toHaveLength(1);
    const sent = stack.sent().slice(failed);
    expect(sent.map((text) => JSON.parse(text ?? '').task_kwargs)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('that cannot be rebuilt fails its record, and the task does not run again', async () => {
    const stack = createStack(() => ({ at: new Date(5) }));
    const record = sqsRecord(task());
    await stack.deliver(record);
    const result = '{"at":{"_alg_class":"datetime","value":{"tz":"UTC"}}}';
    await stack.overwrite(JSON.stringify({ ...(await stack.record()), result }));
    expect(await stack.deliver(again(record))).toMatchObject([{ code: 'AJSON_TAG', path: '$.at' }]);
    expect(stack.calls).toHaveLength(1);
  });

  test('of a kind that a newer version stored fails its record, and is kept', async () => {
    const stack = createStack(() => 1);
    const record = sqsRecord(task());
    await stack.deliver(record);
    await stack.overwrite(JSON.stringify({ ...(await stack.record()), kind: 'fromTheFuture' }));
    expect(await stack.deliver(again(record))).toMatchObject([{ code: 'STORED_DATA_BODY' }]);
    expect(stack.calls).toHaveLength(1);
  });

  test('may be large, within maxBytes', async () => {
    const result = { text: 'x'.repeat(300_000) };
    const { calls, deliver, sent } = createStack(() => result);
    const record = sqsRecord(task());
    await deliver(record);
    await deliver(again(record));
    expect([calls.length, sent().length, sent()[0] === sent()[1]]).toEqual([1, 2, true]);
    const small = createStack(() => result, { maxBytes: 1000 });
    expect(await small.deliver(sqsRecord(task()))).toMatchObject([{ code: 'STORED_DATA_TOO_LARGE' }]);
  });

  test.each([
    ['in an object', (image: StoredData) => ({ image })],
    ['alone', (image: StoredData) => image],
  ])('stores the value of a pointer %s before the record says that it is done', async (kind, wrap) => {
    const pointer = `${aws.bucket}#cache/unstored-${kind.slice(0, 2)}!1.5.json`;
    let isStored = false;
    const stack = createStack(() => wrap(new StoredData({ pointer, value: { n: 1 } })), {
      faultOf({ operation, target }, isRecord) {
        if (target.includes('unstored')) isStored = true;
        else if (isRecord && operation === 'PUT' && stack.calls.length > 0) expect(isStored).toBe(true);
        return undefined;
      },
    });
    await stack.deliver(sqsRecord(task()));
    expect(isStored).toBe(true);
  });

  test('was changed by the stages inside once, not twice', async () => {
    const wrapping = stageMiddleware({
      name: 'wrapping',
      async around(run, next) {
        await next();
        run.result = { wrapped: run.result };
      },
    });
    const { deliver } = createStack(() => 1, { others: [wrapping] });
    const record = sqsRecord(task());
    expect(await deliver(record)).toEqual([{ wrapped: 1 }]);
    expect(await deliver(again(record))).toEqual([{ wrapped: 1 }]);
  });

  test('that ajson cannot write fails the task', async () => {
    const { deliver } = createStack(() => ({ f: () => {} }));
    expect(await deliver(sqsRecord(task()))).toMatchObject([{ code: 'AJSON_VALUE' }]);
  });
});

describe('a key', () => {
  const key = (given: Task) => given.task_kwargs?.order as string;

  test('makes different messages the same work', async () => {
    const { calls, deliver, sent } = createStack(() => ({ run: calls.length }), { key });
    expect(await deliver(sqsRecord(task({ order: 'A' })))).toEqual([{ run: 1 }]);
    expect(await deliver(sqsRecord(task({ order: 'A', more: 1 })))).toEqual([{ run: 1 }]);
    expect(await deliver(sqsRecord(task({ order: 'B' })))).toEqual([{ run: 2 }]);
    expect(sent()).toHaveLength(3);
  });

  test('is not shared with another task, or another queue', async () => {
    const { calls, deliver } = createStack(() => 1, { key });
    const record = sqsRecord(task({ order: 'A' }));
    await deliver(record);
    await deliver(sqsRecord({ ...task({ order: 'A' }), task_name: 'other' }));
    await deliver(sqsRecord(task({ order: 'A' }), { eventSourceARN: `${record.eventSourceARN}-2` }));
    expect(calls).toHaveLength(3);
  });

  test('sees the arguments that the handler sees: hydrated', async () => {
    const Key = 'cache/order!1.5.json';
    const Body = '{"data_string":{"order":"A"},"full_unpack":true,"safe_mode":false}';
    await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key, Body }));
    const kwargs = {
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer: `${aws.bucket}#${Key}` },
    };
    const { calls, deliver } = createStack(() => 1, { key });
    await deliver(sqsRecord(task(kwargs)));
    await deliver(sqsRecord(task({ order: 'A' })));
    expect(calls).toHaveLength(1);
  });

  test('that is undefined leaves it to the message', async () => {
    const { calls, deliver } = createStack(() => 1, { key });
    const record = sqsRecord(task());
    await deliver(record, sqsRecord(task()));
    await deliver(again(record));
    expect(calls).toHaveLength(2);
  });

  test('of a message is never the key of an option', async () => {
    const record = sqsRecord(task());
    const { MessageId } = JSON.parse(record.body);
    const { calls, deliver, keys } = createStack(() => 1, {
      key: ({ task_kwargs }) => task_kwargs?.id as never,
    });
    await deliver(record, sqsRecord(task({ id: MessageId })), sqsRecord(task({ id: record.messageId })));
    expect([calls.length, (await keys()).length]).toEqual([3, 3]);
  });

  test('and the message give a record the same name in each version of the library', async () => {
    const folder = 'idempotence';
    const name = (parts: readonly unknown[]) =>
      `${folder}/${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}.json`;
    const { s3, bucket } = aws;
    const options = { s3, bucket, key: (given: Task) => given.task_kwargs?.order as string };
    const handler = middy(queued(() => 1))
      .use(sqsSnsUnwrap())
      .use(idempotent(options as never));
    const messageId = 'id-of-sqs';
    const [message, work] = [{}, { order: 'A' }].map((kwargs) =>
      sqsRecord(task(kwargs), { raw: true, messageId }),
    );
    await handler({ Records: [message] } as never, lambdaContext());
    const queue = message?.eventSourceARN;
    const ofMessage = name(['message', queue, 'work', messageId, 0, '']);
    expect(await keysIn(folder)).toEqual([ofMessage]);
    await handler({ Records: [work] } as never, lambdaContext());
    const ofKey = name(['key', queue, 'work', 'A']);
    expect(await keysIn(folder)).toEqual([ofMessage, ofKey].sort());
  });

  test.each([
    ['a path', '../../other'],
    ['a folder', 'a/b'],
    ['a control character', '\u0000'],
    ['__proto__', '__proto__'],
    ['an emoji', '😀'],
    ['a long text', 'x'.repeat(100_000)],
    ['JSON', '{"a":1}'],
  ])('from a hostile message stays in its folder: %s', async (_, order) => {
    const { calls, deliver, keys } = createStack(() => 1, { key });
    await deliver(sqsRecord(task({ order })));
    await deliver(sqsRecord(task({ order })));
    expect(calls).toHaveLength(1);
    expect(await keys()).toEqual([expect.stringMatching(/^once\d+\/[\da-f]{64}\.json$/)]);
  });

  test.each([
    ['', 'an empty string'],
    [7, 'a value of type number'],
    [null, 'a value of type object'],
    [{}, 'a value of type object'],
    [['a'], 'a value of type object'],
    [true, 'a value of type boolean'],
  ])('%j is an error of its record', async (order, type) => {
    const { calls, deliver, keys } = createStack(() => 1, { key });
    const message = expect.stringContaining(`returned ${type}.`);
    expect(await deliver(sqsRecord(task({ order })))).toMatchObject([
      { code: 'BAD_KEY', retryable: false, message },
    ]);
    expect([calls, await keys()]).toEqual([[], []]);
  });

  test('that throws fails its record alone', async () => {
    const { deliver } = createStack(() => 1, {
      key: ({ task_kwargs }) => (task_kwargs as { a: { b: string } }).a.b,
    });
    const outcomes = await deliver(sqsRecord(task()), sqsRecord(task({ a: { b: 'x' } })));
    expect(outcomes).toEqual([expect.any(TypeError), 1]);
  });

  test('with another payload is refused for good', async () => {
    const payload = ({ task_kwargs }: Task) => [task_kwargs?.cents];
    const { calls, deliver } = createStack(() => 1, { key, payload });
    await deliver(sqsRecord(task({ order: 'A', cents: 5 })));
    await deliver(sqsRecord(task({ order: 'A', cents: 5, more: true })));
    const [error] = await deliver(sqsRecord(task({ order: 'A', cents: 6 })));
    expect(error).toMatchObject({ code: 'PAYLOAD_MISMATCH', retryable: false });
    expect(calls).toHaveLength(1);
  });

  test('with another payload is refused while it is in progress too, and free after a failure', async () => {
    const payload = ({ task_kwargs }: Task) => task_kwargs?.cents;
    const { opened: promise, open } = gate();
    const { calls, deliver } = createStack(
      async () => {
        if (calls.length === 1) {
          await promise;
          throw new Error('broken');
        }
      },
      { key, payload },
    );
    const running = deliver(sqsRecord(task({ order: 'A', cents: 5 })));
    await until(() => calls.length === 1);
    const other = () => deliver(sqsRecord(task({ order: 'A', cents: 6 })));
    expect(await other()).toMatchObject([{ code: 'PAYLOAD_MISMATCH' }]);
    open();
    await running;
    expect(await other()).toEqual([undefined]);
  });

  test('with a payload that was not checked before is accepted', async () => {
    const before = createStack(() => 1, { key, folder: 'shared' });
    await before.deliver(sqsRecord(task({ order: 'A', cents: 5 })));
    const after = createStack(() => 1, { key, folder: 'shared', payload: () => 7 });
    expect(await after.deliver(sqsRecord(task({ order: 'A', cents: 6 })))).toEqual([1]);
    expect(after.calls).toEqual([]);
  });
});

describe('a fault of S3', () => {
  const down: Fault = { status: 503, code: 'ServiceUnavailable' };

  test('before the handler fails the record, and the handler does not run', async () => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { calls, deliver } = createStack(() => 1, {
      faultOf: (_, isRecord) => (isRecord ? down : undefined),
    });
    const [error] = await deliver(sqsRecord(task()));
    expect(error).toMatchObject({ code: 'STORED_DATA_UNAVAILABLE', retryable: true });
    expect(calls).toEqual([]);
    // No lease was taken that could be given back.
    expect(warned).not.toHaveBeenCalled();
  });

  test('after the handler fails the record; it runs again once the lease has ended', async () => {
    let puts = 0;
    const { calls, deliver, sent } = createStack(() => ({ run: calls.length }), {
      leaseSeconds: 2,
      faultOf({ operation }, isRecord) {
        if (isRecord && operation === 'PUT') puts += 1;
        return isRecord && puts === 2 ? down : undefined;
      },
    });
    const record = sqsRecord(task());
    expect(await deliver(record)).toMatchObject([{ code: 'STORED_DATA_UNAVAILABLE', retryable: true }]);
    expect(sent()).toEqual([]);
    expect(await deliver(again(record))).toMatchObject([inProgress]);
    await wait(2100);
    expect(await deliver(again(record, 3))).toEqual([{ run: 2 }]);
    expect(sent()).toHaveLength(1);
  });

  test.each([0, 1])('that loses the answer to PUT %i costs nothing: the SDK repeats it', async (lost) => {
    let puts = -1;
    const { calls, deliver, sent } = createStack(() => ({ run: calls.length }), {
      maxAttempts: 3,
      faultOf({ operation }, isRecord) {
        if (isRecord && operation === 'PUT') puts += 1;
        return isRecord && operation === 'PUT' && puts === lost ? { lost: reset() } : undefined;
      },
    });
    const record = sqsRecord(task());
    expect(await deliver(record)).toEqual([{ run: 1 }]);
    expect(await deliver(again(record))).toEqual([{ run: 1 }]);
    expect([calls.length, sent().length]).toEqual([1, 2]);
  });

  test('that loses the answer to a take-over costs nothing either', async () => {
    let isLost = false;
    const stack = createStack(
      () => {
        if (stack.calls.length === 1) throw new Error('broken');
        return 2;
      },
      {
        maxAttempts: 3,
        faultOf({ operation }, isRecord) {
          // The first PUT after a GET replaces the free record.
          const isTakeOver = isRecord && operation === 'PUT' && stack.recordCalls().at(-2) === 'GET';
          if (!isTakeOver || isLost) return undefined;
          isLost = true;
          return { lost: reset() };
        },
      },
    );
    const record = sqsRecord(task());
    await stack.deliver(record);
    expect(await stack.deliver(again(record))).toEqual([2]);
    expect([stack.calls.length, isLost]).toEqual([2, true]);
  });

  test('while a lease is given back is a warning, and the lease ends by itself', async () => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    let puts = 0;
    const { deliver } = createStack(
      () => {
        throw new Error('broken');
      },
      {
        faultOf({ operation }, isRecord) {
          if (isRecord && operation === 'PUT') puts += 1;
          return isRecord && puts === 2 ? down : undefined;
        },
      },
    );
    const record = sqsRecord(task());
    expect(await deliver(record)).toMatchObject([{ message: 'broken' }]);
    expect(warned).toHaveBeenCalledTimes(1);
    expect(await deliver(again(record))).toMatchObject([inProgress]);
  });

  test('that makes a call hang does not outlast the invocation: each call has a signal', async () => {
    const calls: [string, boolean][] = [];
    const { s3 } = aws;
    const watched = {
      config: s3.config,
      send(command: { constructor: { name: string } }, options?: { abortSignal?: unknown }) {
        calls.push([command.constructor.name, options?.abortSignal instanceof AbortSignal]);
        return s3.send(command as never, options as never);
      },
    };
    let isBroken = true;
    const { deliver } = createStack(
      () => {
        if (isBroken) throw new Error('broken');
      },
      { s3: watched as never },
    );
    const record = sqsRecord(task());
    await deliver(record);
    isBroken = false;
    await deliver(again(record));
    const [put, get] = [
      ['PutObjectCommand', true],
      ['GetObjectCommand', true],
    ];
    // Claimed and given back; looked up, claimed and completed.
    expect(calls).toEqual([put, put, put, get, put, put]);
  });

  test('that is a lack of s3:GetObject says so', async () => {
    const { deliver } = createStack(() => 1, {
      faultOf: ({ operation }, isRecord) =>
        isRecord && operation === 'GET' ? { status: 403, code: 'AccessDenied' } : undefined,
    });
    const record = sqsRecord(task());
    await deliver(record);
    const [error] = await deliver(again(record));
    expect(error).toMatchObject({ code: 'RECORD_UNREADABLE', retryable: true });
    expect((error as Error).message).toContain('s3:GetObject');
  });

  test.each([
    '',
    'nonsense',
    'null',
    '[]',
    '{}',
    '{"state":"done","owner":"x"}',
    '{"state":"running","owner":"x","until":"1"}',
  ])('that left %j as a record fails for good', async (text) => {
    const stack = createStack(() => 1);
    const record = sqsRecord(task());
    await stack.deliver(record);
    await stack.overwrite(text);
    expect(await stack.deliver(again(record))).toMatchObject([
      { code: 'STORED_DATA_BODY', retryable: false },
    ]);
  });

  test('a record of more than maxBytes is not read', async () => {
    const stack = createStack(() => 1, { maxBytes: 1000 });
    const record = sqsRecord(task());
    await stack.deliver(record);
    await stack.overwrite(JSON.stringify({ ...(await stack.record()), result: `"${'x'.repeat(2000)}"` }));
    expect(await stack.deliver(again(record))).toMatchObject([{ code: 'STORED_DATA_TOO_LARGE' }]);
  });
});

describe('the error task', () => {
  const attributes = { on_error: { Type: 'String', Value: 'cleanup' } };
  const withErrorTask = () => {
    const record = sqsRecord(task());
    return { ...record, body: JSON.stringify({ ...JSON.parse(record.body), MessageAttributes: attributes }) };
  };

  test('is not told of a task that is in progress, even on its last receive', async () => {
    const { opened: promise, open } = gate();
    const { calls, deliver, sent } = createStack(() => promise.then(() => 1));
    const record = withErrorTask();
    const running = deliver(record);
    await until(() => calls.length === 1);
    expect(await deliver(again(record, 3))).toMatchObject([inProgress]);
    expect(sent()).toEqual([]);
    open();
    expect(await running).toEqual([1]);
  });

  test('is told of a task that failed for good, and its lease is given back', async () => {
    const { deliver, sent, record } = createStack(() => {
      throw new NonRetryableError('never');
    });
    await deliver(withErrorTask());
    expect(sent()).toHaveLength(1);
    expect(await record()).toMatchObject({ state: 'free' });
  });
});

describe('a direct invocation', () => {
  test('with a key gets the stored result, and its callback is published again', async () => {
    const { calls, invoke, sent } = createStack(() => ({ run: calls.length }), {
      key: ({ task_kwargs }) => task_kwargs?.order as string,
    });
    expect(await invoke(task({ order: 'A' }), { awsRequestId: '1' })).toEqual({ run: 1 });
    expect(await invoke(task({ order: 'A' }), { awsRequestId: '2' })).toEqual({ run: 1 });
    expect(await invoke(task({ order: 'B' }), { awsRequestId: '3' })).toEqual({ run: 2 });
    expect(sent()).toHaveLength(3);
  });

  test('that is retried by Lambda has the same request id', async () => {
    const { calls, invoke } = createStack(() => ({ run: calls.length }));
    const context = { awsRequestId: 'request' };
    expect(await invoke(task({ n: 1 }), context)).toEqual({ run: 1 });
    expect(await invoke(task({ n: 1 }), context)).toEqual({ run: 1 });
    expect(await invoke(task({ n: 2 }), context)).toEqual({ run: 2 });
  });

  test('that ended its chain ends it again', async () => {
    const { calls, invoke, sent } = createStack(() => endChain({ n: 1 }));
    const context = { awsRequestId: 'ended' };
    expect([await invoke(task(), context), await invoke(task(), context)]).toEqual([{ n: 1 }, { n: 1 }]);
    expect([calls.length, sent()]).toEqual([1, []]);
  });

  test('that fails may run again', async () => {
    const { invoke, record } = createStack(() => {
      throw new Error('broken');
    });
    await expect(invoke(task(), { awsRequestId: 'failing' })).rejects.toThrow('broken');
    expect(await record()).toMatchObject({ state: 'free' });
  });

  test('without an id or a key is refused', async () => {
    const { calls, invoke } = createStack(() => 1);
    await expect(invoke(task(), { awsRequestId: '' })).rejects.toMatchObject({ code: 'BAD_KEY' });
    expect(calls).toEqual([]);
  });
});

test('a stage that keeps an error to itself frees the task', async () => {
  const keeping = stageMiddleware({
    name: 'keeping',
    async around(run, next) {
      await next().catch((error) => {
        run.failure = error;
      });
    },
  });
  const { calls, deliver, record } = createStack(
    () => {
      throw new Error('kept');
    },
    { others: [keeping] },
  );
  const message = sqsRecord(task({}, undefined));
  expect(await deliver(message)).toEqual([undefined]);
  expect(await record()).toMatchObject({ state: 'free' });
  await deliver(again(message));
  expect(calls).toHaveLength(2);
});

test('a task that a stage inside skips is not recorded', async () => {
  const skipping = stageMiddleware({
    name: 'skipping',
    order: { after: 'once' },
    around: (run) => run.skip('skipped'),
  });
  const { calls, deliver, keys } = createStack(() => 1, { others: [skipping] });
  expect(await deliver(sqsRecord(task()))).toEqual(['skipped']);
  expect([calls, await keys()]).toEqual([[], []]);
});

test('a check that fails after the claim frees the task', async () => {
  let isClosed = true;
  const checking = stageMiddleware({
    name: 'checking',
    around(run, next) {
      run.beforeHandler(() => {
        if (isClosed) throw new Error('closed');
      });
      return next();
    },
  });
  const { calls, deliver } = createStack(() => 1, { others: [checking] });
  const record = sqsRecord(task());
  expect(await deliver(record)).toMatchObject([{ message: 'closed' }]);
  isClosed = false;
  expect(await deliver(again(record))).toEqual([1]);
  expect(calls).toHaveLength(1);
});

test.each<[string, object]>([
  ['a key that is no function', { key: 'order' }],
  ['a payload that is no function', { payload: 'order' }],
  ['a bad ttl', { ttlSeconds: 0 }],
  ['a lease without end', { leaseSeconds: Number.POSITIVE_INFINITY }],
  ['a bad folder', { folder: 'a#b' }],
  ['a bad bucket', { bucket: 'arn:aws:s3:::b' }],
  ['a bad maxBytes', { maxBytes: 0 }],
  ['an ajson that does not read', { ajson: { dumps() {} } }],
  ['an unknown option', { table: 'x' }],
])('%s is an OptionError', (_, options) => {
  expect(() => idempotent(options as never)).toThrow(OptionError);
});
