import { GetObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import { AjsonError } from '../../core/ajson/AjsonError.ts';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { NonRetryableError, OptionError } from '../../core/errors.ts';
import { Decimal, queued, runTask, type SqsRecord, StoredData, type Task } from '../../core/index.ts';
import { markStored } from '../../core/storedData/StoredData.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { NotConfiguredError } from '../../middlewares/aws/environment.ts';
import { type CallbackPublisherOptions, callbackPublisher } from '../../middlewares/callbackPublisher.ts';
import { stageMiddleware } from '../../middlewares/middy/stageMiddleware.ts';
import { sqsSnsUnwrap, type UnwrappedEvent } from '../../middlewares/sqsSnsUnwrap.ts';
import { gate } from '../local/tools.ts';
import { type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let invokedFunctionArn: string;
beforeAll(async () => {
  aws = await startLocalAws();
  await aws.sns.send(new CreateTopicCommand({ Name: 'next' }));
  invokedFunctionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker`;
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
  delete process.env.ALGERNON_BUCKET_NAME;
  delete process.env.CACHE_FOLDER_NAME;
});

type Handler = (task: Task, context: unknown, extras: { signal: AbortSignal }) => unknown;

function createStack(work: Handler, options: CallbackPublisherOptions = {}) {
  const clients = faultyClients(aws, () => undefined);
  opened.push(clients);
  const { s3, sns, attempts } = clients;
  const publisher = callbackPublisher({ s3, sns, bucket: aws.bucket, ...options });
  const handler = middy(queued(work)).use(publisher).use(sqsSnsUnwrap());
  return {
    run: (event: unknown, over: Parameters<typeof lambdaContext>[0] = {}) =>
      handler(event as never, lambdaContext({ invokedFunctionArn, ...over })),
    attempts,
    publisher,
    operations: () => attempts.map(({ operation }) => operation),
    sent: () =>
      attempts
        .filter(({ operation }) => operation === 'PublishBatch')
        .flatMap(({ target }) => [...target.matchAll(/\.Message=(.*?)(?=&Publish|&Version|&TopicArn|$)/g)])
        .map(([, message = '']) => message),
  };
}

const record = (over: object = {}) => sqsRecord({ task_name: 'work', callback: 'next', ...over });
const read = async (message: string | undefined) => {
  const [bucket, key] = (JSON.parse(message ?? '').task_kwargs.value.pointer as string).split('#');
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Body?.transformToString();
};

describe('the callback', () => {
  test('is the next task with a pointer to the result, exactly as in WIRE.md', async () => {
    const { run, sent, attempts } = createStack(() => ({ width: 200 }));
    const record1 = record();
    await run({ Records: [record1] });
    // Named after the SNS id, which survives a redrive, and after the queue and task, since a topic may have two subscribers.
    const { MessageId, Timestamp } = JSON.parse(record1.body);
    const pointer = `${aws.bucket}#cache/${MessageId}-work-[\\w-]{8}!${Date.parse(Timestamp) / 1000}.*.json`;
    expect(sent()).toEqual([
      expect.stringMatching(
        `^{"task_name":"next","task_kwargs":{"_alg_class":"StoredData","_alg_module":"algernon.aws.snakes","value":{"pointer":"${pointer}"}}}$`,
      ),
    ]);
    expect(attempts.at(-1)?.target).toContain('Subject=callback');
    expect(await read(sent()[0])).toBe('{"data_string":{"width":200},"full_unpack":true,"safe_mode":false}');
  });

  test('carries the whole chain from each link', async () => {
    const { run, sent } = createStack(() => null, {
      topics: (name) => `arn:aws:sns:us-east-1:${aws.accountId}:${name === 'inlined' ? '' : 'next'}`,
    });
    for (const [task_name, callback] of [
      ['outside', 'a#b#c'],
      ['a', 'a#b#c'],
      ['b', 'a#b#c'],
      ['c', 'a#b#c'],
      ['a', 'b'],
    ]) {
      await run({ Records: [record({ task_name, callback })] });
    }
    expect(sent()).toEqual([
      '{"task_name":"a","task_kwargs":{},"callback":"a#b#c"}',
      '{"task_name":"b","task_kwargs":{},"callback":"a#b#c"}',
      '{"task_name":"c","task_kwargs":{},"callback":"a#b#c"}',
      '{"task_name":"b","task_kwargs":{}}',
    ]);
  });

  test.each([undefined, null, ''])('is not sent if the task has none (%j)', async (callback) => {
    const { run, operations } = createStack(() => ({}));
    await run({ Records: [record({ callback })] });
    expect(operations()).toEqual([]);
  });

  test.each([undefined, null])(
    'has no arguments for a result of %j, and nothing is stored',
    async (result) => {
      const { run, sent, operations } = createStack(() => result);
      await run({ Records: [record()] });
      expect(sent()).toEqual(['{"task_name":"next","task_kwargs":{}}']);
      expect(operations()).toEqual(['PublishBatch']);
    },
  );

  const pointer = 'bucket#cache/x!1.5.json';
  test.each<[string, unknown]>([
    ['that was not read', new StoredData({ pointer })],
    ['that was read', markStored(new StoredData({ pointer, value: { a: 1 } }))],
    [
      'that is still a tag',
      { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer } },
    ],
  ])('has the pointer of a result that is a StoredData %s, and nothing is stored', async (_, result) => {
    const { run, sent, operations } = createStack(() => result);
    await run({ Records: [record()] });
    expect(JSON.parse(sent()[0] ?? '').task_kwargs.value).toEqual({ pointer });
    expect(operations()).toEqual(['PublishBatch']);
  });

  test('has the result in ajson, with tags that were not rebuilt', async () => {
    const { run, sent } = createStack(({ task_kwargs }) => ({
      ...task_kwargs,
      total: new Decimal('1.10'),
      at: new Date(1_577_934_245_123),
    }));
    const set = { _alg_class: 'set', value: [1] };
    const unknown = { _alg_class: 'Order', _alg_module: 'shop.models', value: { _id: 1 } };
    await run({ Records: [record({ task_kwargs: { set, unknown } })] });
    expect(JSON.parse((await read(sent()[0])) ?? '').data_string).toEqual({
      set,
      unknown,
      total: { _alg_class: 'decimal', value: '1.10' },
      at: { _alg_class: 'datetime', value: { tz: 'UTC', timestamp: 1577934245.123 } },
    });
  });

  test('has the result itself if it is smaller than inlineUnder', async () => {
    const { run, sent, operations } = createStack(({ task_kwargs }) => task_kwargs, { inlineUnder: 13 });
    await run({ Records: [record({ task_kwargs: { text: 'ü' } })] });
    expect(sent()).toEqual(['{"task_name":"next","task_kwargs":{"text":"ü"}}']);
    await run({ Records: [record({ task_kwargs: { text: 'üü' } })] });
    expect(operations()).toEqual(['PublishBatch', 'PUT', 'PublishBatch']);
  });

  test('goes to the topic of the topics option: a map, a function, a promise', async () => {
    const next = `arn:aws:sns:${aws.region}:${aws.accountId}:next`;
    for (const topics of [{ elsewhere: next }, () => next, async () => next]) {
      const { run, attempts } = createStack(() => null, { topics });
      const settled = (await run({ Records: [record({ callback: 'elsewhere' })] })) as SettledBatch<unknown>;
      expect(settled).toMatchObject([{ status: 'fulfilled' }]);
      expect(attempts[0]?.target).toContain(`TopicArn=${next}`);
    }
  });
});

describe('order of operations within a task', () => {
  test('handler, upload, publish, acknowledge', async () => {
    const { operations, run } = createStack(() => {
      expect(operations()).toEqual([]);
      return {};
    });
    const settled = (await run({ Records: [record()] })) as SettledBatch<unknown>;
    expect(settled).toMatchObject([{ status: 'fulfilled' }]);
    expect(operations()).toEqual(['PUT', 'PublishBatch']);
  });

  test('publishes nothing if the invocation ends in between', async () => {
    const stop = new AbortController();
    const { publisher, operations } = createStack(() => {});
    const failed: unknown[] = [];
    const handler = middy(async ({ Records: [first] }: UnwrappedEvent, context: object) => {
      // Aborts while the result is serialised, between the handler and the publish.
      const result = {
        get late() {
          stop.abort();
          return 1;
        },
      };
      await runTask(first as SqsRecord, context, () => result, { signal: stop.signal }).catch((error) =>
        failed.push(error),
      );
    })
      .use(publisher)
      .use(sqsSnsUnwrap());
    await handler({ Records: [record()] }, lambdaContext({ invokedFunctionArn }));
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ retryable: true });
    expect(operations()).not.toContain('PublishBatch');
  });

  test('does not delay a callback for a slow neighbour', async () => {
    const { opened: done, open: end } = gate();
    const { run, sent } = createStack(async ({ task_kwargs }) => {
      if (task_kwargs?.slow) await done;
      return null;
    });
    const running = run({ Records: [record({ task_kwargs: { slow: true } }), record()] });
    while (sent().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    end();
    await running;
    expect(sent()).toHaveLength(2);
  });

  test('a task that throws publishes nothing; its neighbours do', async () => {
    const { run, sent } = createStack(({ task_kwargs }) => {
      if (task_kwargs?.bad) throw new Error('bad');
      return null;
    });
    const settled = (await run({
      Records: [record({ task_kwargs: { bad: 1 } }), record()],
    })) as SettledBatch<unknown>;
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(sent()).toHaveLength(1);
  });

  test('a result that cannot be serialised fails its record, with the path', async () => {
    const { run, sent } = createStack(({ task_kwargs }) => (task_kwargs?.bad ? { list: [() => {}] } : null));
    const settled = (await run({
      Records: [record({ task_kwargs: { bad: 1 } }), record()],
    })) as SettledBatch<unknown>;
    expect(settled[0]).toMatchObject({ reason: expect.any(AjsonError) });
    expect(settled[0]).toMatchObject({ reason: { path: '$.list[0]', retryable: false } });
    expect(sent()).toHaveLength(1);
  });
});

describe('the observers of a task', () => {
  /** The types of the facts that a stage outside gets about a task with an error task. */
  async function factsOf(work: Handler) {
    const { publisher } = createStack(work);
    const facts: string[] = [];
    const observing = stageMiddleware({
      name: 'observing',
      order: { before: 'publish' },
      async around(run, next) {
        run.report = ({ type }) => void facts.push(type);
        await next();
      },
    });
    const handler = middy(queued(work)).use(publisher).use(sqsSnsUnwrap()).use(observing);
    const { body, ...rest } = record();
    const MessageAttributes = { on_error: { Type: 'String', Value: 'next' } };
    const Records = [{ ...rest, body: JSON.stringify({ ...JSON.parse(body), MessageAttributes }) }];
    await handler({ Records } as never, lambdaContext({ invokedFunctionArn }));
    return facts;
  }

  test('learn when its handler has returned, before the result is stored and sent', async () => {
    expect(await factsOf(() => ({ n: 1 }))).toEqual(['returned', 'stored', 'published']);
  });

  test('learn when its handler has failed, before the error task is told', async () => {
    const facts = await factsOf(() => {
      throw new NonRetryableError('never');
    });
    expect(facts).toEqual(['returned', 'published']);
  });
});

describe('event sources', () => {
  test('a direct invocation publishes its callback and returns its result', async () => {
    const { run, sent } = createStack(() => ({ done: true }));
    expect(await run({ task_name: 'work', callback: 'next' })).toEqual({ done: true });
    expect(await read(sent()[0])).toContain('{"done":true}');
  });

  test('a direct invocation with a bad callback does not run', async () => {
    const { run, operations } = createStack(() => {
      throw new Error('it ran');
    });
    await expect(run({ task_name: 'work', callback: 'a:b' })).rejects.toThrow('cannot be followed');
    expect(operations()).toEqual([]);
  });

  test('SNS without a queue', async () => {
    const { run, sent } = createStack(() => ({}));
    const Sns = {
      MessageId: 'from-sns',
      TopicArn: `arn:aws:sns:${aws.region}:${aws.accountId}:work`,
      Message: '{"task_name":"work","callback":"next"}',
      Timestamp: '2026-01-02T03:04:05.678Z',
    };
    await run({ Records: [{ EventSource: 'aws:sns', EventVersion: '1', EventSubscriptionArn: '', Sns }] });
    expect(sent()[0]).toMatch(/cache\/from-sns-work-[\w-]{8}!1767323045\.678\.json/);
  });

  test('without sqsSnsUnwrap every record fails and nothing runs', async () => {
    const { publisher, operations } = createStack(() => {});
    let runs = 0;
    const handler = middy(
      queued(() => {
        runs += 1;
      }),
    ).use(publisher);
    const settled = (await handler({ Records: [record()] }, lambdaContext())) as SettledBatch<unknown>;
    expect(settled).toMatchObject([{ reason: expect.objectContaining({ code: 'NOT_UNWRAPPED' }) }]);
    expect({ runs, operations: operations() }).toEqual({ runs: 0, operations: [] });
  });
});

describe('environment variables', () => {
  // Deletes `bucket`, since undefined is refused.
  const withoutBucket = (work: Handler) => {
    const { s3, sns, attempts, destroy } = faultyClients(aws, () => undefined);
    opened.push({ destroy } as FaultyClients);
    const handler = middy(queued(work)).use(callbackPublisher({ s3, sns })).use(sqsSnsUnwrap());
    return { attempts, run: () => handler({ Records: [record()] }, lambdaContext({ invokedFunctionArn })) };
  };

  test('for bucket and folder are read at the first result', async () => {
    const { run, attempts } = withoutBucket(() => ({}));
    process.env.ALGERNON_BUCKET_NAME = aws.bucket;
    process.env.CACHE_FOLDER_NAME = 'of-the-environment';
    await run();
    expect(attempts[0]?.target).toContain(`/${aws.bucket}/of-the-environment/`);
  });

  test('without a bucket are an error that says what to set, but only if a result needs it', async () => {
    const { run } = withoutBucket(() => ({}));
    const [outcome] = (await run()) as SettledBatch<unknown>;
    expect(outcome).toMatchObject({ reason: expect.any(NotConfiguredError) });
    expect(outcome).toMatchObject({
      reason: { message: expect.stringMatching(/ALGERNON_BUCKET_NAME.*bucket/) },
    });
    const nothing = (await withoutBucket(() => null).run()) as SettledBatch<unknown>;
    expect(nothing).toMatchObject([{ status: 'fulfilled' }]);
  });

  test.each(['a/../b', 'a#b', 'a!b', '..'])(
    'with a bad folder %j are an error that says what to set',
    async (folder) => {
      process.env.ALGERNON_BUCKET_NAME = aws.bucket;
      process.env.CACHE_FOLDER_NAME = folder;
      const [outcome] = (await withoutBucket(() => ({})).run()) as SettledBatch<unknown>;
      expect(outcome).toMatchObject({
        reason: { message: expect.stringMatching(/CACHE_FOLDER_NAME.*folder/) },
      });
    },
  );
});

test.each<[string, CallbackPublisherOptions]>([
  ['inlineUnder', { inlineUnder: -1 }],
  ['maxMessageBytes', { maxMessageBytes: 0 }],
  ['lingerMillis', { lingerMillis: Number.NaN }],
  ['folder', { folder: 'a!b' }],
  ['folder', { folder: '..' }],
])('refuses a bad %s at the call', (option, options) => {
  expect(() => callbackPublisher(options)).toThrow(OptionError);
  expect(() => callbackPublisher(options)).toThrow(option);
});

describe('names and ids', () => {
  const keysOf = (attempts: readonly { service: string; target: string }[]) =>
    attempts.filter(({ service }) => service === 's3').map(({ target }) => target);
  const direct = (n: number) => ({ task_name: 'work', task_kwargs: { n }, callback: 'next' });

  test('direct tasks of one request get different names, even with separate contexts; a retry gets the same', async () => {
    const { publisher, attempts } = createStack(() => null);
    const handler = middy(async ({ task_kwargs }: Task) => task_kwargs).use(publisher);
    const context = lambdaContext({ invokedFunctionArn });
    for (const n of [1, 2, 1]) await handler(direct(n) as never, { ...context });
    const [first, second, retried] = keysOf(attempts);
    expect(second).not.toBe(first);
    expect(retried).toBe(first);
  });

  test('equal tasks counted by one context get different names', async () => {
    const { publisher, attempts } = createStack(() => null);
    const handler = middy(async () => 'result').use(publisher);
    const context = lambdaContext({ invokedFunctionArn });
    for (const n of [1, 1]) await handler(direct(n) as never, context);
    expect(new Set(keysOf(attempts)).size).toBe(2);
  });

  test('versions and aliases of a function write the same object', async () => {
    const { run, attempts } = createStack(() => 'result');
    for (const suffix of ['', ':7', ':live']) {
      await run(direct(1), { invokedFunctionArn: `${invokedFunctionArn}${suffix}` });
    }
    expect(new Set(keysOf(attempts)).size).toBe(1);
  });

  test('a deduplication id has at most 128 characters and differs between messages and next tasks', async () => {
    const ids: string[] = [];
    const topics = () => 'arn:aws:sns:us-east-1:123456789012:next.fifo';
    const sns = {
      config: {},
      send: async ({ input }: { input: { PublishBatchRequestEntries: Record<string, string>[] } }) => {
        const entries = input.PublishBatchRequestEntries;
        ids.push(...entries.map(({ MessageDeduplicationId = '' }) => MessageDeduplicationId));
        return { Successful: entries.map(({ Id }) => ({ Id })) };
      },
    };
    const { run } = createStack(() => null, { sns: sns as never, topics });
    const callbacks = ['n'.repeat(200), `${'n'.repeat(199)}m`];
    const Records = callbacks.flatMap((callback) =>
      ['a', 'b'].map((end) => ({
        ...sqsRecord({ task_name: 'work', callback }, { raw: true, messageId: `${'i'.repeat(150)}${end}` }),
      })),
    );
    await run({ Records });
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(128);
  });

  test('the error task gets the task as it was sent, even if the handler changed it', async () => {
    const { run, sent } = createStack(
      (task) => {
        Object.assign(task, { task_name: 'other', task_kwargs: 'changed' });
        throw new NonRetryableError('never');
      },
      { inlineUnder: 10_000 },
    );
    const message = { task_name: 'work', task_kwargs: { n: 1 } };
    const messageAttributes = { on_error: { dataType: 'String', stringValue: 'next' } } as never;
    await run({ Records: [sqsRecord(message, { raw: true, messageAttributes })] });
    expect(JSON.parse(sent()[0] ?? '').task_kwargs.task).toEqual(message);
  });
});
