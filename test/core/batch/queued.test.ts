import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import {
  directProperty,
  extendContext,
  openPipeline,
  pipelineProperty,
} from '../../../core/batch/pipeline.ts';
import {
  ajson,
  BatchFailedError,
  endChain,
  queued,
  type SnsEvent,
  type Task,
  type TaskExtras,
} from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const records = (count: number) =>
  Array.from({ length: count }, (_, n) => sqsRecord({ task_name: 'work', n }));
/** Without a middleware the handler gets the record itself. */
const numberOf = (record: unknown): number => JSON.parse(JSON.parse((record as SQSRecord).body).Message).n;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a batch', () => {
  test('settles each record, in the order of the event', async () => {
    const handler = queued(async (record: unknown) => {
      const n = numberOf(record);
      await pause(10 - n);
      if (n % 2) throw new Error(`broken ${n}`);
      return n;
    });
    const settled = await handler({ Records: records(4) }, lambdaContext());
    expect([...settled]).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: new Error('broken 1') },
      { status: 'fulfilled', value: 2 },
      { status: 'rejected', reason: new Error('broken 3') },
    ]);
  });

  test('runs up to `concurrency` tasks at a time, and no fewer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 20 }),
        async (concurrency, count) => {
          let underWay = 0;
          let most = 0;
          const handler = queued(
            async () => {
              underWay += 1;
              most = Math.max(most, underWay);
              await pause(0);
              underWay -= 1;
            },
            { concurrency },
          );
          const settled = await handler({ Records: records(count) }, lambdaContext());
          expect(settled).toHaveLength(count);
          expect(most).toBe(Math.min(concurrency, count));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a handler that throws synchronously, or throws a non-error, fails only its record', async () => {
    const handler = queued((record: unknown) => {
      if (numberOf(record) === 0) throw undefined;
      return 'fine';
    });
    expect([...(await handler({ Records: records(2) }, lambdaContext()))]).toEqual([
      { status: 'rejected', reason: undefined },
      { status: 'fulfilled', value: 'fine' },
    ]);
  });
});

describe('without a partial batch response', () => {
  test('a failure makes the outcome fail to serialise, and is logged once', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const handler = queued((record: unknown) => {
      if (numberOf(record) > 0) throw new Error(`broken ${numberOf(record)}`);
    });
    const answer = await handler({ Records: records(3) }, lambdaContext());
    expect(() => JSON.stringify(answer)).toThrow(BatchFailedError);
    expect(() => JSON.stringify(answer)).toThrow(/2 of 3 .* sqsPartialBatchFailure\(\)/);
    expect(logged.mock.calls.map(([error]) => error)).toEqual([new Error('broken 1'), new Error('broken 2')]);
  });

  test('an outcome without failures takes a few bytes, even if the results are 50 MB', async () => {
    const large = 'x'.repeat(5_000_000);
    const answer = await queued(() => large)({ Records: records(10) }, lambdaContext());
    expect(JSON.stringify(answer)).toBe('{"batchItemFailures":[]}');
  });

  test('the outcome lists the failures for code that reads it', async () => {
    const event = { Records: records(3) };
    const handler = queued((record: unknown) => {
      if (numberOf(record) === 1) throw new Error('broken');
    });
    const { batchItemFailures } = await handler(event, lambdaContext());
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[1]?.messageId }]);
  });
});

describe('throwOnFullBatchFailure', () => {
  const failing = (isBad: (n: number) => boolean, options: object = { throwOnFullBatchFailure: true }) =>
    queued((record: unknown) => {
      if (isBad(numberOf(record))) throw new Error(`broken ${numberOf(record)}`);
    }, options);

  test('fails the invocation when every record failed', async () => {
    const answer = failing(() => true)({ Records: records(2) }, lambdaContext());
    await expect(answer).rejects.toMatchObject({
      code: 'BATCH_FAILED',
      retryable: true,
      errors: [new Error('broken 0'), new Error('broken 1')],
      message: expect.stringMatching(/^2 of 2 .*throwOnFullBatchFailure/),
    });
  });

  test('returns the outcome when a record is done, and for an empty batch', async () => {
    const settled = await failing((n) => n > 0)({ Records: records(3) }, lambdaContext());
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect([...(await failing(() => true)({ Records: [] }, lambdaContext()))]).toEqual([]);
  });

  test('is off by default', async () => {
    expect(await failing(() => true, {})({ Records: records(2) }, lambdaContext())).toHaveLength(2);
  });
});

describe('FIFO', () => {
  const fifo = (group: string, n: number) => {
    const record = sqsRecord(
      { task_name: 'work', n },
      { eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:work.fifo' },
    );
    record.attributes.MessageGroupId = group;
    return record;
  };

  test('runs a group in order and stops at a failure, groups in parallel', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ group: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), {
          maxLength: 10,
        }),
        fc.integer({ min: 1, max: 4 }),
        async (messages, concurrency) => {
          const running = new Set<string>();
          const started: number[] = [];
          const handler = queued(
            async (record: unknown) => {
              const n = numberOf(record);
              const { group, fails } = messages[n] ?? { group: '', fails: false };
              expect(running.has(group)).toBe(false);
              running.add(group);
              started.push(n);
              await pause(0);
              running.delete(group);
              if (fails) throw new Error('broken');
            },
            { concurrency },
          );
          const settled = await handler(
            { Records: messages.map(({ group }, n) => fifo(group, n)) },
            lambdaContext(),
          );
          messages.forEach(({ group, fails }, n) => {
            const halted = messages.slice(0, n).some((earlier) => earlier.group === group && earlier.fails);
            expect({ n, started: started.includes(n) }).toEqual({ n, started: !halted });
            expect(settled[n]?.status).toBe(fails || halted ? 'rejected' : 'fulfilled');
            if (halted)
              expect(settled[n]).toMatchObject({ reason: { code: 'GROUP_HALTED', retryable: true } });
          });
          for (const group of ['a', 'b', 'c']) {
            const order = started.filter((n) => messages[n]?.group === group);
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('the deadline', () => {
  test('acknowledges finished records, returns the rest, starts no more and aborts the signal', async () => {
    const started: number[] = [];
    const aborted: number[] = [];
    const handler = queued(
      async (record: unknown, _: unknown, { signal }: TaskExtras) => {
        const n = numberOf(record);
        started.push(n);
        if (n === 0) return 'done';
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted.push(n);
        return 'too late';
      },
      { concurrency: 2, reserveMillis: 1000 },
    );
    const context = lambdaContext({ getRemainingTimeInMillis: () => 1050 });
    const settled = await handler({ Records: records(5) }, context);
    expect(settled[0]).toEqual({ status: 'fulfilled', value: 'done' });
    const codes = ['DEADLINE', 'DEADLINE', 'NOT_STARTED', 'NOT_STARTED'];
    expect(settled.slice(1)).toMatchObject(codes.map((code) => ({ reason: { code, retryable: true } })));
    await pause(5);
    expect(started).toEqual([0, 1, 2]);
    expect(aborted).toEqual([1, 2]);
  });

  test('starts nothing without time left', async () => {
    const handler = queued(() => {
      throw new Error('started');
    });
    const settled = await handler(
      { Records: records(2) },
      lambdaContext({ getRemainingTimeInMillis: () => 100 }),
    );
    const message = expect.stringMatching(/started with 100 ms left, and reserveMillis is 500/);
    for (const outcome of settled)
      expect(outcome).toMatchObject({ reason: { code: 'NOT_STARTED', message } });
  });

  test("follows Middy's own signal", async () => {
    const controller = new AbortController();
    const handler = queued(() => new Promise(() => {}));
    const answer = handler({ Records: records(2) }, lambdaContext(), { signal: controller.signal });
    controller.abort();
    for (const outcome of await answer) expect(outcome).toMatchObject({ reason: { code: 'DEADLINE' } });
  });

  test('is that of the caller too, with and without a context', async () => {
    const message = expect.stringMatching(/^The invocation was aborted before its batch began/);
    for (const context of [undefined, {}, lambdaContext()]) {
      const signal = AbortSignal.abort();
      const settled = await queued(() => 'done')({ Records: records(1) }, context as never, { signal });
      expect([...settled]).toMatchObject([{ reason: { code: 'NOT_STARTED', message } }]);
    }
  });

  test('does not last longer than the invocation', async () => {
    const stop = new AbortController();
    let given: AbortSignal | undefined;
    const handler = queued((_record: unknown, _context: unknown, { signal }: TaskExtras) => {
      given = signal;
    });
    await handler({ Records: records(1) }, lambdaContext(), { signal: stop.signal });
    stop.abort();
    expect(given?.aborted).toBe(false);
  });

  test.each([Number.POSITIVE_INFINITY, 2 ** 40])(
    'is far off with %d milliseconds left',
    async (remaining) => {
      const handler = queued(() => pause(5));
      const context = lambdaContext({ getRemainingTimeInMillis: () => remaining });
      const [settled] = await handler({ Records: records(1) }, context);
      expect(settled).toMatchObject({ status: 'fulfilled' });
    },
  );

  test('leaves no timer behind', async () => {
    const set = jest.spyOn(globalThis, 'setTimeout');
    const clear = jest.spyOn(globalThis, 'clearTimeout');
    await queued(() => 'done')({ Records: records(1) }, lambdaContext());
    expect(clear.mock.calls.map(([timer]) => timer)).toEqual(set.mock.results.map(({ value }) => value));
  });
});

describe('an event that is not a batch', () => {
  const sns = (message: string): SnsEvent => ({
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: 'arn:aws:sns:us-east-1:123456789012:work:1',
        Sns: { MessageId: 'm', TopicArn: 't', Message: message, Timestamp: '2019-08-05T14:20:56.440Z' },
      },
    ],
  });

  test('from SNS: a failure throws, since SNS has no partial response', async () => {
    const broken = queued(() => {
      throw new Error('broken');
    });
    await expect(broken(sns('{}'), lambdaContext())).rejects.toThrow('broken');
    expect(JSON.stringify(await queued(() => 1)(sns('{}'), lambdaContext()))).toBe(
      '{"batchItemFailures":[]}',
    );
  });

  test("a direct invocation returns the handler's result", async () => {
    const handler = queued(async (task: Task, _: unknown, { record, signal }: TaskExtras) => {
      return { name: task.task_name, record, aborted: signal.aborted };
    });
    expect(await handler({ task_name: 'work' }, lambdaContext())).toEqual({
      name: 'work',
      record: undefined,
      aborted: false,
    });
  });
});

describe('a direct invocation', () => {
  const task = { task_name: 'work' };

  test('may end its chain, by a return or a throw', async () => {
    const returning = queued(() => endChain({ a: 1 }) as unknown);
    const throwing = queued(() => {
      throw endChain({ a: 1 });
    });
    const answers = [await returning(task, lambdaContext()), await throwing(task, lambdaContext())];
    expect(answers.map((answer) => JSON.stringify(answer))).toEqual(['{"a":1}', '{"a":1}']);
    for (const ending of [() => endChain(new Set()) as unknown, () => Promise.reject(endChain(new Set()))]) {
      await expect(queued(ending)(task, lambdaContext())).rejects.toMatchObject({ code: 'ANSWER_NOT_JSON' });
    }
    const failing = queued(() => Promise.reject(new Error('broken')));
    await expect(failing(task, lambdaContext())).rejects.toThrow('broken');
  });

  test('in a stack has its answer checked there, where it may be written by ajson', async () => {
    const answer = new Set([1]);
    const context = extendContext(lambdaContext(), { own: directProperty });
    expect(await queued(() => answer)(task, context)).toBe(answer);
    await expect(queued(() => answer)(task, lambdaContext())).rejects.toMatchObject({
      code: 'ANSWER_NOT_JSON',
    });
  });

  test('of another handler, with the context of a batch', async () => {
    const own = pipelineProperty(openPipeline('sqs', records(1)));
    const inner = queued(({ task_name }: Task) => task_name);
    expect(await inner(task, extendContext(lambdaContext(), { own }))).toBe('work');
  });
});

test('an event that is not of its context, or not of tasks, is refused; so is a durable function', async () => {
  const handler = queued(() => 'done');
  const own = pipelineProperty(openPipeline('sqs', records(1)));
  const other = handler({ Records: records(1) }, extendContext(lambdaContext(), { own }));
  await expect(other).rejects.toMatchObject({ code: 'EVENT_REPLACED' });
  await expect(handler({ detail: {} } as never, lambdaContext())).rejects.toMatchObject({
    code: 'BAD_EVENT',
  });
  const durable = { ...lambdaContext(), [Symbol.for('@aws/durable-execution-sdk-js/durable-context')]: true };
  await expect(handler({ Records: records(1) }, durable)).rejects.toMatchObject({ code: 'DURABLE_FUNCTION' });
});

test('the middlewares of a stack know that their batch was queued, and whether it still is', async () => {
  const event = { Records: records(1) };
  const pipeline = openPipeline('sqs', event.Records);
  const stateOf = () => ({ isQueued: pipeline.isQueued, wasQueued: pipeline.wasQueued });
  const seen = [stateOf()];
  const handler = queued((_record: unknown, _context: unknown, { signal }: TaskExtras) => {
    seen.push(stateOf());
    expect(signal).toBe(pipeline.deadline?.signal);
  });
  await handler(event, extendContext(lambdaContext(), { own: pipelineProperty(pipeline) }));
  expect([...seen, stateOf()]).toEqual([
    { isQueued: false, wasQueued: false },
    { isQueued: true, wasQueued: true },
    { isQueued: false, wasQueued: true },
  ]);
});

test('`rebuild` rebuilds each task; a task that cannot be rebuilt fails alone', async () => {
  let rebuilt: unknown;
  const worker = (task: Task) => {
    rebuilt = task.task_kwargs;
  };
  const set = { _alg_class: 'set', value: [1] };
  await queued(worker, { rebuild: ajson })({ task_name: 'work', task_kwargs: { set } }, lambdaContext());
  expect(rebuilt).toEqual({ set: new Set([1]) });
  const rebuild = {
    rebuildEvent(record: unknown) {
      if (numberOf(record) === 0) throw new Error('not rebuilt');
      return numberOf(record);
    },
  };
  const settled = await queued((n: unknown) => n, { rebuild })({ Records: records(3) }, lambdaContext());
  expect([...settled]).toEqual([
    { status: 'rejected', reason: new Error('not rebuilt') },
    { status: 'fulfilled', value: 1 },
    { status: 'fulfilled', value: 2 },
  ]);
});

test('refuses a handler that is not a function, at once', () => {
  expect(() => queued({} as never)).toThrow('queued: the handler must be');
});

test.each([
  ['concurrency', { concurrency: 0 }],
  ['concurrency', { concurrency: 1.5 }],
  ['reserveMillis', { reserveMillis: -1 }],
  ['reserveMillis', { reserveMillis: Number.POSITIVE_INFINITY }],
  ['rebuild', { rebuild: {} as never }],
])('refuses a bad %s at once', (option, options) => {
  const must = option === 'reserveMillis' ? 'must be a number of milliseconds' : 'must be';
  expect(() => queued(() => {}, options)).toThrow(`queued: ${option} ${must}`);
});

describe('a large result is released before the batch ends', () => {
  class Hidden {
    readonly #data = 'x'.repeat(100_000);
    get data() {
      return this.#data;
    }
  }
  const heldOf = async (result: unknown) => {
    const [settled] = await queued(() => result)({ Records: records(1) }, lambdaContext());
    return (settled as PromiseFulfilledResult<unknown>).value;
  };

  test.each<[string, () => unknown]>([
    ['a string', () => 'x'.repeat(100_000)],
    ['a key', () => ({ ['x'.repeat(100_000)]: 1 })],
    ['a value behind a symbol', () => ({ [Symbol('data')]: 'x'.repeat(100_000) })],
    [
      'a value that is not enumerable',
      () => Object.defineProperty({}, 'data', { value: 'x'.repeat(100_000) }),
    ],
    ['a bigint', () => 2n ** 600_000n],
    ['an ArrayBuffer', () => new ArrayBuffer(100_000)],
    ['a typed array', () => new Float64Array(100_000)],
    ['a small view of a large buffer', () => new Uint8Array(new ArrayBuffer(100_000), 0, 8)],
    ['a Map', () => new Map([['data', 'x'.repeat(100_000)]])],
    ['an array in an object in a Set', () => new Set([{ list: Array(100_000).fill(0) }])],
    ['a sparse array', () => new Array(1e9)],
    ['an error', () => new Error('x'.repeat(100_000))],
    ['an instance with private fields', () => new Hidden()],
    ['a Blob', () => new Blob(['x'.repeat(100_000)])],
    ['a closure', () => () => {}],
    [
      'an object whose getter throws',
      () => ({
        get data() {
          throw new Error('no');
        },
      }),
    ],
  ])('%s', async (_, make) => {
    expect(await heldOf(make())).toBeUndefined();
  });

  test('a small result is kept', async () => {
    const kept = [
      1,
      'text',
      10n,
      null,
      { list: [new Date(0), new Map([[1, new Set([2])]])] },
      new Uint8Array(8),
    ];
    for (const result of kept) expect(await heldOf(result)).toBe(result);
  });
});

test('the signal of a direct invocation aborts before its timeout', async () => {
  const handler = queued(
    (_task: Task, _context: unknown, { signal }: TaskExtras) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true })),
  );
  const context = lambdaContext({ getRemainingTimeInMillis: () => 520 });
  expect(await handler({ task_name: 'work' }, context)).toBe('stopped');
});

test('no message of a FIFO group starts after the deadline', async () => {
  let left = 60_000;
  const started: number[] = [];
  const group = records(2).map((record) => ({
    ...record,
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:work.fifo',
    attributes: { ...record.attributes, MessageGroupId: 'a' },
  }));
  const handler = queued((record: unknown) => {
    started.push(numberOf(record));
    left = 400;
    return 'done';
  });
  const settled = await handler({ Records: group }, lambdaContext({ getRemainingTimeInMillis: () => left }));
  expect(started).toEqual([0]);
  expect([...settled]).toMatchObject([
    { status: 'fulfilled', value: 'done' },
    { status: 'rejected', reason: { code: 'NOT_STARTED' } },
  ]);
});
