import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand, PublishCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker, type WorkerOptions } from '../../local/index.ts';
import {
  type CallbackPublisherOptions,
  callbackPublisher,
  endChain,
  failurePolicy,
  fanOut,
  NonRetryableError,
  queued,
  readData,
  routeTasks,
  type SendGroupOptions,
  sendGroup,
  sendTask,
  sqsSnsUnwrap,
  stageMiddleware,
  storeData,
  storedDataHydrate,
  type TaskFunction,
  type TaskRun,
} from '../../middlewares/index.ts';
import { createRandom } from '../soak/createRandom.ts';
import { type Attempt, faultyClients, reset, timeOut } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

// On a machine that does other work too.
jest.setTimeout(120_000);

let aws: LocalAws;
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  aws = await startLocalAws();
});
/** A worker stops after its last poll, for which the next test need not wait. */
const closing: Promise<void>[] = [];
afterEach(() => {
  const { stop } = aws;
  closing.push(Promise.all(stops.splice(0).map((stopWorker) => stopWorker())).then(stop));
});
afterAll(async () => {
  await Promise.all(closing);
});

const tasksOf = (functions: Record<string, TaskFunction>) => [...Object.keys(functions), 'gather'];

const start = async (
  functions: Record<string, TaskFunction>,
  {
    policy = true,
    publisher = {},
    ...options
  }: Partial<WorkerOptions<string>> & { policy?: boolean; publisher?: CallbackPublisherOptions } = {},
) => {
  const { s3, sns, sqs, bucket } = aws;
  const stack = middy(queued(routeTasks(functions)))
    .use(callbackPublisher({ s3, sns, sqs, bucket, ...publisher }))
    .use(storedDataHydrate({ s3, bucket }))
    .use(sqsSnsUnwrap())
    .use(sqsPartialBatchFailure({ logger: () => {} }));
  const handler = policy ? stack.use(failurePolicy({ sqs, backoff: false })) : stack;
  const worker = await startWorker({
    aws,
    handler: handler as never,
    tasks: tasksOf(functions),
    visibilityTimeoutSeconds: 30,
    retryDelaySeconds: 1,
    onInvocation: () => {},
    onError: () => {},
    ...options,
  });
  stops.push(worker.stop);
  return worker;
};

type Worker = Awaited<ReturnType<typeof start>>;
const senders = (worker: Worker) => {
  const { s3, sns, sqs, bucket } = aws;
  const shared = { s3, sns, bucket, topics: worker.topics };
  return {
    send: (task: Parameters<typeof sendTask>[0]) => sendTask(task, shared),
    sendGroup: (tasks: Parameters<typeof sendGroup>[0], options: SendGroupOptions) =>
      sendGroup(tasks as never, { ...shared, sqs, ...options }),
  };
};

/** Sends the dead letter of a task to its queue again, and waits for the outcome. */
const redrive = async (worker: Worker, taskName: string) => {
  const [letter] = await worker.deadLetters(taskName);
  const { body: MessageBody } = letter as { body: string };
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: worker.queues[taskName]?.url, MessageBody }));
  await worker.idle();
};

/** Branches that return their number, and a list of what the join got. */
const numbered = () => {
  const joins: unknown[] = [];
  return {
    joins,
    functions: {
      thumb: ({ n }) => n * n,
      album: (kwargs) => {
        joins.push(kwargs);
      },
    } as Record<string, TaskFunction>,
  };
};
const thumbs = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ task_name: 'thumb', task_kwargs: { n } }));

describe('sendGroup', () => {
  test.each([0, 1, 2, 3, 25])('of %i branches joins once with the results in order', async (count) => {
    const { joins, functions } = numbered();
    const worker = await start(functions);
    const sent = await senders(worker).sendGroup(thumbs(count), { then: 'album' });
    expect(sent).toEqual({
      groupId: expect.stringMatching(/^[0-9A-Za-z]{21}$/),
      chainId: expect.any(String),
    });
    await worker.idle();
    expect(joins).toEqual([{ results: Array.from({ length: count }, (_, n) => n * n) }]);
  });
});

describe('fanOut', () => {
  test('sends branches, then the join, and then the rest of the chain, all in one chain', async () => {
    const chains = new Set<string | undefined>();
    const reports: unknown[] = [];
    const noting =
      (work: TaskFunction): TaskFunction =>
      (kwargs, context, extras) => {
        chains.add(
          /"chain_id":\{"Type":"String","Value":"([^"]+)"/.exec(
            (extras.record as { body: string }).body,
          )?.[1],
        );
        return work(kwargs, context, extras);
      };
    const worker = await start({
      split: noting(({ count }) => fanOut(thumbs(count), { then: 'album' })),
      thumb: noting(({ n }) => ({ n })),
      album: noting(({ results }) => ({
        sum: results.reduce((sum: number, { n }: { n: number }) => sum + n, 0),
      })),
      report: noting((kwargs) => {
        reports.push(kwargs);
      }),
    });
    const { chainId } = await senders(worker).send({
      task_name: 'split',
      task_kwargs: { count: 5 },
      callback: 'split#report',
    });
    await worker.idle();
    expect(reports).toEqual([{ sum: 10 }]);
    expect([...chains]).toEqual([chainId]);
  });

  test('takes branches that are chains, end early or return nothing', async () => {
    const { joins, functions } = numbered();
    const worker = await start({
      ...functions,
      split: () => {
        throw fanOut(
          [
            { task_name: 'thumb', task_kwargs: { n: 3 }, callback: 'thumb#double#plus' },
            { task_name: 'thumb', task_kwargs: { n: 4 }, callback: 'double' },
            { task_name: 'nothing', task_kwargs: {} },
            { task_name: 'ends', task_kwargs: {}, callback: 'ends#double' },
            { task_name: 'ends', task_kwargs: { result: 'early' }, callback: 'double' },
          ],
          { then: 'album' },
        );
      },
      thumb: ({ n }) => ({ n: n * n }),
      double: ({ n }) => ({ n: n * 2 }),
      plus: ({ n }) => ({ n: n + 1 }),
      nothing: () => undefined,
      ends: ({ result }) => endChain(result),
    });
    await senders(worker).send({ task_name: 'split' });
    await worker.idle();
    expect(joins).toEqual([{ results: [{ n: 19 }, { n: 32 }, null, null, 'early'] }]);
  });

  test('nests, and a task after a group fills the slot of the outer one', async () => {
    const { joins, functions } = numbered();
    const worker = await start({
      ...functions,
      outer: () =>
        fanOut([{ task_name: 'inner', task_kwargs: { count: 2 } }, ...thumbs(3).slice(2)], { then: 'album' }),
      inner: ({ count }) => fanOut(thumbs(count), { then: 'sum' }),
      sum: ({ results }) => results.reduce((sum: number, n: number) => sum + n, 0),
    });
    await senders(worker).send({ task_name: 'outer' });
    await worker.idle();
    expect(joins).toEqual([{ results: [1, 4] }]);
  });

  test('keeps its plan when a redelivery returns another list, and sends what is missing', async () => {
    const { joins, functions } = numbered();
    const { s3, sns, sqs, bucket } = aws;
    const worker = await start(functions);
    let count = 3;
    const handler = middy(queued(routeTasks({ split: () => fanOut(thumbs(count), { then: 'album' }) })))
      .use(sqsSnsUnwrap())
      .use(callbackPublisher({ s3, sns, sqs, bucket, topics: worker.topics }));
    const record = sqsRecord({ task_name: 'split' });
    const run = async () => {
      const settled = (await handler({ Records: [record] }, lambdaContext())) as PromiseSettledResult<{
        groupId: string;
      }>[];
      return (settled[0] as PromiseFulfilledResult<{ groupId: string }>).value.groupId;
    };
    const first = await run();
    count = 5;
    expect(await run()).toBe(first);
    count = 0;
    expect(await run()).toBe(first);
    await worker.idle();
    expect(joins.length).toBeGreaterThan(0);
    expect(new Set(joins.map((join) => JSON.stringify(join)))).toEqual(new Set(['{"results":[0,1,4]}']));
  });

  test('answers a direct invocation with the ids of the group', async () => {
    const { joins, functions } = numbered();
    const { s3, sns, sqs, bucket } = aws;
    const worker = await start(functions);
    const handler = middy(queued(routeTasks({ split: () => fanOut(thumbs(2), { then: 'album' }) }))).use(
      callbackPublisher({ s3, sns, sqs, bucket, topics: worker.topics }),
    );
    const answer = await handler({ task_name: 'split' } as never, lambdaContext());
    expect(answer).toEqual({ groupId: expect.any(String), chainId: expect.any(String) });
    await worker.idle();
    expect(joins).toEqual([{ results: [0, 1] }]);
  });

  test('fails its record in a stack that cannot send it', async () => {
    const handler = middy(queued(() => fanOut([], { then: 'album' }))).use(sqsSnsUnwrap());
    const record = sqsRecord({ task_name: 'split' });
    const [outcome] = (await handler(
      { Records: [record] },
      lambdaContext(),
    )) as PromiseSettledResult<unknown>[];
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FAN_OUT_NOT_SENT' } });
    const direct = await handler({ task_name: 'split' } as never, lambdaContext());
    expect(() => JSON.stringify(direct)).toThrow(/callbackPublisher/);
  });

  test.each([
    [() => fanOut([{ task_name: 'gather' }], { then: 'album' }), /gather/],
    [() => fanOut([{ task_name: 'a', callback: 'b#gather#c' }], { then: 'album' }), /gather/],
    [() => fanOut([{ task_name: 'a', callback: 'a#b#b' }], { then: 'album' }), /never end/],
    [() => fanOut([], { then: 'gather' }), /gather/],
    [() => fanOut([], { then: 'g-0123456789abcdefghijk-1-of-2' }), /tickets/],
    [() => fanOut([], {} as never), /then is missing/],
    [() => fanOut([], { then: 'a', failures: 'never' as never }), /wait or collect or fail/],
    [() => fanOut([], { then: 'a', deadlineSeconds: 1_209_601 }), /from 1 to 1209600/],
    [() => fanOut([], { then: 'a', deadlineSeconds: 0 }), /from 1 to 1209600/],
    [() => fanOut([], { then: 'a', failures: 'collect', onError: 'b' }), /never called/],
    [() => fanOut([], { then: 'a', thn: 'b' } as never), /no option "thn"/],
    [() => fanOut([7] as never, { then: 'a' }), /tasks\[0\]/],
    [() => fanOut(Array(100_001).fill({ task_name: 'a' }), { then: 'a' }), /at most 100000/],
  ])('refuses what cannot be sent: %#', (make, message) => {
    expect(make).toThrow(message);
  });

  test('checks all branches before it stores a plan', async () => {
    const worker = await start({ album: () => {} });
    const { sendGroup: send } = senders(worker);
    await expect(send([{ task_name: 'thumb' }], { then: 'album' })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    });
    await expect(
      send([{ task_name: 'album', task_kwargs: [1] as never }], { then: 'album' }),
    ).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
  });
});

describe('a branch that fails for good', () => {
  const failing = (error: () => Error) => {
    const { joins, functions } = numbered();
    return {
      joins,
      functions: {
        ...functions,
        thumb: ({ n }) => {
          if (n === 1) throw error();
          return n;
        },
      } as Record<string, TaskFunction>,
    };
  };

  test('is collected as an error, and is dead-lettered', async () => {
    const { joins, functions } = failing(() => new NonRetryableError('broken'));
    const worker = await start(functions);
    await senders(worker).sendGroup(thumbs(3), { then: 'album', failures: 'collect' });
    await worker.idle();
    const error = { name: 'NonRetryableError', message: 'broken', code: 'NON_RETRYABLE' };
    expect(joins).toEqual([{ results: [{ value: 0 }, { error }, { value: 2 }] }]);
    expect(await worker.deadLetters('thumb')).toHaveLength(1);
  });

  test('is collected on its last receive, also from a chain whose first task fails', async () => {
    const { joins, functions } = failing(() => new Error('down'));
    const worker = await start(
      { ...functions, after: (kwargs) => kwargs },
      { maxReceiveCount: 2, publisher: { maxReceiveCount: 2 } },
    );
    const tasks = thumbs(2).map((task) => ({ ...task, callback: 'after' }));
    await senders(worker).sendGroup(tasks, { then: 'album', failures: 'collect' });
    await worker.idle();
    expect(joins).toEqual([{ results: [{ value: 0 }, { error: { name: 'Error', message: 'down' } }] }]);
  });

  test('ends the group with the error task, once, and without the join', async () => {
    const { joins, functions } = failing(() => new NonRetryableError('broken'));
    const told: unknown[] = [];
    const worker = await start({
      ...functions,
      thumb: ({ n }) => {
        if (n > 0) throw new NonRetryableError(`broken ${n}`);
        return n;
      },
      cleanup: (kwargs) => {
        told.push(kwargs);
      },
    });
    await senders(worker).sendGroup(thumbs(4), { then: 'album', failures: 'fail', onError: 'cleanup' });
    await worker.idle();
    expect(joins).toEqual([]);
    expect(told).toEqual([
      {
        error: {
          name: 'NonRetryableError',
          message: expect.stringMatching(/^broken [123]$/),
          code: 'NON_RETRYABLE',
        },
        task: expect.objectContaining({ task_name: 'thumb', task_kwargs: { n: expect.any(Number) } }),
      },
    ]);
    expect(await worker.deadLetters('thumb')).toHaveLength(3);
  });

  test('fails the slot of an outer group that collects', async () => {
    const { joins, functions } = failing(() => new NonRetryableError('broken'));
    const worker = await start({
      ...functions,
      inner: () => fanOut(thumbs(3), { then: 'album', failures: 'fail' }),
    });
    await senders(worker).sendGroup([{ task_name: 'inner' }], { then: 'album', failures: 'collect' });
    await worker.idle();
    expect(joins).toEqual([{ results: [{ error: expect.objectContaining({ message: 'broken' }) }] }]);
  });

  test('keeps a group open by default, and its redrive closes it', async () => {
    let isBroken = true;
    const { joins, functions } = numbered();
    const thumb: TaskFunction = ({ n }) => {
      if (n === 1 && isBroken) throw new NonRetryableError('broken');
      return n;
    };
    const worker = await start({ ...functions, thumb });
    await senders(worker).sendGroup(thumbs(3), { then: 'album' });
    await worker.idle();
    expect(joins).toEqual([]);
    isBroken = false;
    await redrive(worker, 'thumb');
    expect(joins).toEqual([{ results: [0, 1, 2] }]);
  });

  test('keeps its error when a redrive succeeds', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    let isBroken = true;
    const { joins, functions } = numbered();
    const thumb: TaskFunction = () => {
      if (isBroken) throw new NonRetryableError('broken');
      return 'late';
    };
    const worker = await start({ ...functions, thumb });
    await senders(worker).sendGroup(thumbs(1), { then: 'album', failures: 'collect' });
    await worker.idle();
    isBroken = false;
    await redrive(worker, 'thumb');
    expect(new Set(joins.map((join) => JSON.stringify(join))).size).toBe(1);
    expect(warn.mock.calls.flat().join()).toContain('has recorded a failure before');
    warn.mockRestore();
  });

  test('needs failurePolicy, unless the group waits', async () => {
    const { joins, functions } = numbered();
    const worker = await start(functions, { policy: false, maxReceiveCount: 1 });
    const { sendGroup: send } = senders(worker);
    await send(thumbs(1), { then: 'album', failures: 'collect' });
    await send(thumbs(2), { then: 'album' });
    await worker.idle();
    expect(joins).toEqual([{ results: [0, 1] }]);
    expect(await worker.deadLetters('thumb')).toHaveLength(1);
  });
});

describe('faults', () => {
  test('a failure that cannot be recorded comes back, and is not dead-lettered before', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    let faults = 0;
    const isSlot = ({ operation, target }: Attempt) => operation === 'PUT' && /\/s0!/.test(target);
    const { s3, destroy } = faultyClients(aws, (attempt) => {
      if (!isSlot(attempt) || faults === 1) return undefined;
      faults += 1;
      return { status: 503, code: 'SlowDown' };
    });
    let runs = 0;
    const { joins, functions } = numbered();
    const thumb: TaskFunction = () => {
      runs += 1;
      throw new NonRetryableError('broken');
    };
    const worker = await start({ ...functions, thumb }, { publisher: { s3 } });
    await senders(worker).sendGroup(thumbs(1), { then: 'album', failures: 'collect' });
    await worker.idle();
    expect({ faults, runs }).toEqual({ faults: 1, runs: 2 });
    expect(joins).toEqual([{ results: [{ error: expect.objectContaining({ message: 'broken' }) }] }]);
    expect(await worker.deadLetters('thumb')).toHaveLength(1);
    warn.mockRestore();
    destroy();
  });

  test('409, 412 and lost answers of S3 and SNS neither lose a group nor change its results', async () => {
    const random = createRandom(5);
    let faults = 0;
    const { s3, sns, destroy } = faultyClients(
      aws,
      ({ service, operation }) => {
        if (random() > 0.15) return undefined;
        faults += 1;
        if (service === 's3' && operation === 'PUT' && random() < 0.5) {
          return { status: 409, code: 'ConditionalRequestConflict' };
        }
        return random() < 0.5 ? { lost: reset() } : timeOut();
      },
      { maxAttempts: 2 },
    );
    const joins = new Set<string>();
    const worker = await start(
      {
        split: () => fanOut(thumbs(12), { then: 'album' }),
        thumb: ({ n }) => `${n} ${random()}`,
        album: ({ results }) => void joins.add(JSON.stringify(results)),
      },
      { publisher: { s3, sns }, maxReceiveCount: 20 },
    );
    await senders(worker).send({ task_name: 'split' });
    await worker.idle();
    expect(faults).toBeGreaterThan(5);
    expect(joins.size).toBe(1);
    destroy();
  }, 90_000);
});

describe('the settings of workers', () => {
  test('may have folders that differ, since groups have their own', async () => {
    const { joins, functions } = numbered();
    const worker = await start(functions, { publisher: { folder: 'elsewhere' } });
    await senders(worker).sendGroup(thumbs(2), { then: 'album', folder: 'cache' });
    await worker.idle();
    expect(joins).toEqual([{ results: [0, 1] }]);
    const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket }));
    expect(Contents.every(({ Key }) => /^groups\/[0-9A-Za-z]{15}/.test(Key as string))).toBe(true);
  });

  test('must have one bucket: a branch with another one fails before it runs', async () => {
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'another' }));
    const { joins, functions } = numbered();
    const worker = await start(functions, { publisher: { bucket: 'another' } });
    await senders(worker).sendGroup(thumbs(2), { then: 'album' });
    await worker.idle();
    expect(joins).toEqual([]);
    const [letter] = await worker.deadLetters('thumb');
    expect(letter?.messageAttributes.failure_code?.stringValue).toBe('GROUP_NOT_FOUND');
    expect(letter?.messageAttributes.failure_reason?.stringValue).toContain('another');
  });
});

test.each([
  ['skips the handler', (run: TaskRun) => run.skip('replayed'), 'replayed'],
  ['ends the chain', () => Promise.reject(endChain()), null],
])('a stage that %s before the task is unwrapped fills the slot too', async (_, around, result) => {
  const { joins, functions } = numbered();
  const { s3, sns, sqs, bucket } = aws;
  const worker = await start(functions, { tasks: ['album', 'thumb', 'gather'] });
  await aws.sns.send(new CreateTopicCommand({ Name: 'nobody' }));
  const nobody = worker.topics.thumb?.replace('thumb', 'nobody') as string;
  const topics = { ...worker.topics, nobody };
  const { groupId } = await senders(worker).sendGroup([{ task_name: 'nobody' }], { then: 'album', topics });
  const handler = middy(queued(() => 'not called'))
    .use(callbackPublisher({ s3, sns, sqs, bucket, topics }))
    .use(sqsSnsUnwrap())
    .use(stageMiddleware({ name: 'early', order: { after: 'publish' }, around: around as never }));
  const record = sqsRecord({ task_name: 'nobody', callback: `gather#g-${groupId}-0-of-1` });
  const [outcome] = (await handler(
    { Records: [record] },
    lambdaContext(),
  )) as PromiseSettledResult<unknown>[];
  expect(outcome).toMatchObject({ status: 'fulfilled' });
  await worker.idle();
  expect(joins).toEqual([{ results: [result] }]);
});

test('a join that is sent twice, and returns a group, has one group', async () => {
  const { joins, functions } = numbered();
  const { s3, sns, sqs, bucket } = aws;
  const worker = await start(functions);
  const handler = middy(queued(routeTasks({ album: () => fanOut(thumbs(2), { then: 'album' }) })))
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ s3, sns, sqs, bucket, topics: worker.topics }));
  const ids = new Set<unknown>();
  for (let copy = 0; copy < 2; copy += 1) {
    // Each copy has its own id of SNS.
    const record = sqsRecord({ task_name: 'album', task_kwargs: { results: [] } });
    const MessageAttributes = { group_id: { Type: 'String', Value: '0123456789abcde1xWnfK' } };
    record.body = JSON.stringify({ ...JSON.parse(record.body), MessageAttributes });
    const [outcome] = (await handler({ Records: [record] }, lambdaContext())) as PromiseSettledResult<{
      groupId: string;
    }>[];
    ids.add((outcome as PromiseFulfilledResult<{ groupId: string }>).value.groupId);
  }
  expect(ids.size).toBe(1);
  await worker.idle();
  expect(new Set(joins.map((join) => JSON.stringify(join))).size).toBe(1);
});

test('then gets the other callbacks and the error task of the task that made the group, and branches get the error task', async () => {
  const attributes: Record<string, unknown> = {};
  const noting: TaskFunction = (_, __, { record, task }) => {
    const { MessageAttributes } = JSON.parse((record as { body: string }).body);
    attributes[task.task_name] = Object.keys(MessageAttributes).sort();
  };
  const archived: unknown[] = [];
  const worker = await start({
    split: () => fanOut(thumbs(2), { then: 'album' }),
    thumb: noting,
    album(kwargs, context, extras) {
      noting(kwargs, context, extras);
      return { bound: true };
    },
    archive: (kwargs) => void archived.push(kwargs),
    cleanup: () => {},
  });
  const { s3, sns, bucket } = aws;
  await sendTask(
    { task_name: 'split' },
    { s3, sns, bucket, topics: worker.topics, alsoCallbacks: ['archive'], onError: 'cleanup' },
  );
  await worker.idle();
  expect(attributes).toEqual({
    thumb: ['chain_id', 'on_error'],
    album: ['also_callbacks', 'chain_id', 'group_id', 'on_error'],
  });
  expect(archived).toEqual([{ bound: true }]);
});

describe('a deadline', () => {
  test.each([
    { failures: 'wait' as const, first: 0 },
    { failures: 'collect' as const, first: { value: 0 } },
  ])('closes a group with errors for what is missing: $failures', async ({ failures, first }) => {
    const { joins, functions } = numbered();
    const worker = await start({ ...functions, stuck: () => {} });
    // A task that ends its chain in another place than its group.
    await aws.sns.send(new CreateTopicCommand({ Name: 'nobody' }));
    const nobody = worker.topics.stuck?.replace('stuck', 'nobody') as string;
    await senders(worker).sendGroup([...thumbs(1), { task_name: 'nobody' }], {
      then: 'album',
      failures,
      deadlineSeconds: 1,
      topics: { ...worker.topics, nobody },
    });
    await worker.idle();
    expect(joins).toEqual([
      { results: [first, { error: expect.objectContaining({ code: 'GROUP_DEADLINE' }) }] },
    ]);
  });

  test('calls the error task of a group that fails', async () => {
    const told: unknown[] = [];
    const { joins, functions } = numbered();
    const worker = await start({ ...functions, cleanup: (kwargs) => void told.push(kwargs) });
    await aws.sns.send(new CreateTopicCommand({ Name: 'nobody' }));
    const nobody = worker.topics.thumb?.replace('thumb', 'nobody') as string;
    await senders(worker).sendGroup([...thumbs(1), { task_name: 'nobody' }], {
      then: 'album',
      failures: 'fail',
      onError: 'cleanup',
      deadlineSeconds: 1,
      topics: { ...worker.topics, nobody },
    });
    await worker.idle();
    expect(joins).toEqual([]);
    expect(told).toEqual([{ error: expect.objectContaining({ code: 'GROUP_DEADLINE' }) }]);
  });

  test('needs a standard queue named gather', async () => {
    const worker = await start({ thumb: () => {}, album: () => {} }, { tasks: ['thumb', 'album'] });
    const { sendGroup: send } = senders(worker);
    const gather = worker.topics.thumb?.replace('thumb', 'gather') as string;
    const withGather = (arn: string) =>
      send(thumbs(1), { then: 'album', deadlineSeconds: 5, topics: { ...worker.topics, gather: arn } });
    await expect(withGather(`${gather}.fifo`)).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(withGather(gather)).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringContaining(':sqs:'),
    });
  });

  test.each(['arn', 'url'] as const)('goes to the queue in the option queues, by its %s', async (form) => {
    const { joins, functions } = numbered();
    const worker = await start({ ...functions, closer: () => {} });
    await aws.sns.send(new CreateTopicCommand({ Name: 'nobody' }));
    const { gather: _, ...topics } = worker.topics;
    const nobody = worker.topics.thumb?.replace('thumb', 'nobody') as string;
    await senders(worker).sendGroup([{ task_name: 'nobody' }], {
      then: 'album',
      deadlineSeconds: 1,
      topics: { ...topics, nobody },
      queues: { gather: worker.queues.closer?.[form] as string },
    });
    await worker.idle();
    expect(joins).toEqual([{ results: [{ error: expect.objectContaining({ code: 'GROUP_DEADLINE' }) }] }]);
  });

  test('of a worker goes to the queue in its option queues', async () => {
    const { joins, functions } = numbered();
    await aws.sns.send(new CreateTopicCommand({ Name: 'nobody' }));
    const queues: Record<string, string> = {};
    const worker = await start(
      {
        ...functions,
        split: () => fanOut([{ task_name: 'nobody' }], { then: 'album', deadlineSeconds: 1 }),
        closer: () => {},
      },
      { publisher: { queues: (task) => queues[task] } },
    );
    await senders(worker).send({ task_name: 'split' });
    queues.gather = worker.queues.closer?.arn as string;
    await worker.idle();
    expect(joins).toEqual([{ results: [{ error: expect.objectContaining({ code: 'GROUP_DEADLINE' }) }] }]);
  });

  test.each([
    [{ queues: {} }, 'QUEUE_NOT_FOUND'],
    [{ queues: { gather: 'gather' } }, 'QUEUE_NOT_FOUND'],
    [{ queues: { gather: 'arn:aws:sqs:us-east-1:1:gather.fifo' } }, 'BAD_OPTION'],
    [{ queues: 7 as never }, 'BAD_OPTION'],
  ])('is refused with %j', async (options, code) => {
    const worker = await start({ thumb: () => {}, album: () => {} });
    const { sendGroup: send } = senders(worker);
    const sending = send(thumbs(1), { then: 'album', deadlineSeconds: 5, ...options });
    await expect(sending).rejects.toMatchObject({ code });
    expect(() => callbackPublisher({ queues: 'gather' as never })).toThrow(/queues/);
  });

  test('does nothing to a group that has ended', async () => {
    const { joins, functions } = numbered();
    const worker = await start(functions);
    await senders(worker).sendGroup(thumbs(3), { then: 'album', deadlineSeconds: 1 });
    await worker.idle();
    expect(joins).toEqual([{ results: [0, 1, 4] }]);
  });
});

describe('results', () => {
  test('that are large, or StoredData, arrive as values; the first one of a branch wins', async () => {
    const { joins, functions } = numbered();
    const { s3, bucket } = aws;
    const stored = await storeData({ stored: true }, { s3, bucket });
    const worker = await start({
      ...functions,
      thumb: ({ n }) => (n === 0 ? 'x'.repeat(100_000) : n === 1 ? stored : new Date(5)),
    });
    await senders(worker).sendGroup(thumbs(3), { then: 'album' });
    await worker.idle();
    expect(joins).toEqual([
      {
        results: ['x'.repeat(100_000), { stored: true }, expect.objectContaining({ _alg_class: 'datetime' })],
      },
    ]);
  });

  test.each([
    { options: { maxBytes: 1000 }, note: 'that exceed maxBytes' },
    { options: { results: 'pointers' as const }, note: 'by choice' },
  ])('arrive as pointers, to be read one by one: $note', async ({ options }) => {
    const { joins, functions } = numbered();
    const worker = await start({ ...functions, thumb: ({ n }) => String(n).repeat(n === 0 ? 70_000 : 600) });
    await senders(worker).sendGroup(thumbs(2), { then: 'album', ...options });
    await worker.idle();
    const [{ results }] = joins as [{ results: string[] }];
    const { s3, bucket } = aws;
    const values = [];
    for (const pointer of results) values.push(await readData(pointer, { s3, bucket }));
    expect(values).toEqual(['0'.repeat(70_000), '1'.repeat(600)]);
  });
});

describe('a branch of a Python worker', () => {
  test('is recorded by its pointer, which is not read, and the first one wins', async () => {
    const { joins, functions } = numbered();
    const worker = await start(functions);
    const { s3, sns, bucket } = aws;
    await sns.send(new CreateTopicCommand({ Name: 'python' }));
    const python = worker.topics.thumb?.replace('thumb', 'python') as string;
    const { groupId } = await senders(worker).sendGroup([{ task_name: 'python' }, ...thumbs(3).slice(2)], {
      then: 'album',
      topics: { ...worker.topics, python },
    });
    // The message of a Python worker: no attributes, the chain as a whole, and a pointer as the only argument.
    const pointer = `${bucket}#cache/9b0e1d6e-uuid!1565012856.447914.json`;
    const task_kwargs = {
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer },
    };
    const message = (kwargs: object) =>
      JSON.stringify({ task_name: 'gather', task_kwargs: kwargs, callback: `gather#g-${groupId}-0-of-2` });
    for (const kwargs of [task_kwargs, { late: true }]) {
      await sns.send(
        new PublishCommand({ TopicArn: worker.topics.gather, Subject: 'callback', Message: message(kwargs) }),
      );
      await worker.idle();
    }
    // It was not read when it was recorded: it did not exist.
    expect(joins).toEqual([]);
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: pointer.split('#')[1],
        Body: '{"data_string":{"from":"python"},"full_unpack":true,"safe_mode":false}',
      }),
    );
    await redrive(worker, 'album');
    expect(joins).toEqual([{ results: [{ from: 'python' }, 4] }]);
  });
});

describe('a forged ticket', () => {
  test.each([
    ['of no group', (id: string) => `gather#g-${'0'.repeat(15)}${id.slice(15)}-0-of-2`, 'GROUP_NOT_FOUND'],
    ['of an expired group', () => 'gather#g-0123456789abcde000000-0-of-2', 'GROUP_EXPIRED'],
    ['with another count', (id: string) => `gather#g-${id}-1-of-3`, 'BAD_TICKET'],
    [
      'with the time of another group',
      (id: string) => `gather#g-${id.slice(0, 20)}${id.endsWith('0') ? '1' : '0'}-0-of-2`,
      'BAD_TICKET',
    ],
    ['for a deadline that the group has not', (id: string) => `gather#g-${id}-deadline`, 'BAD_TICKET'],
    ['with a bad pointer', (id: string) => `gather#g-${id}-0-of-2`, 'BAD_POINTER'],
  ])('%s is refused before anything is stored', async (_, callbackFor, code) => {
    const worker = await start({ album: () => {}, thumb: () => {} }, { tasks: ['album', 'thumb', 'gather'] });
    const { s3, sns, bucket } = aws;
    await sns.send(new CreateTopicCommand({ Name: 'nobody' }));
    const nobody = worker.topics.thumb?.replace('thumb', 'nobody') as string;
    const { groupId } = await senders(worker).sendGroup([{ task_name: 'nobody' }, { task_name: 'nobody' }], {
      then: 'album',
      topics: { ...worker.topics, nobody },
    });
    const task_kwargs = {
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer: code === 'BAD_POINTER' ? '../x' : 'bucket#cache/x!1.json' },
    };
    const Message = JSON.stringify({ task_name: 'gather', task_kwargs, callback: callbackFor(groupId) });
    await sns.send(new PublishCommand({ TopicArn: worker.topics.gather, Message }));
    await worker.idle();
    const [letter] = await worker.deadLetters('gather');
    expect(letter?.messageAttributes.failure_code?.stringValue).toBe(code);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'groups/' }));
    expect(Contents.map(({ Key }) => Key)).toEqual([`groups/${groupId.slice(0, 15)}/plan`]);
  });

  test('in a task fails it before its function runs', async () => {
    let runs = 0;
    const worker = await start({
      thumb: () => {
        runs += 1;
      },
    });
    await senders(worker).send({
      task_name: 'thumb',
      callback: 'thumb#gather#g-0123456789abcde0W1Y9a-0-of-2',
    });
    await worker.idle();
    expect(runs).toBe(0);
    expect(await worker.deadLetters('thumb')).toHaveLength(1);
  });

  test('a task named gather without a ticket is a task like any other', async () => {
    const got: unknown[] = [];
    const worker = await start(
      { thumb: () => ({ n: 1 }), gather: (kwargs) => void got.push(kwargs) },
      { tasks: ['thumb', 'gather'] },
    );
    await senders(worker).send({ task_name: 'thumb', callback: 'thumb#gather' });
    await worker.idle();
    expect(got).toEqual([{ n: 1 }]);
  });
});
