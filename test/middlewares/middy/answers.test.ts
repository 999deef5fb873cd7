import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context, SQSEvent } from 'aws-lambda';
import {
  endChain,
  type Invocation,
  queued,
  runTask,
  type SettledBatch,
  sqsSnsUnwrap,
  stageMiddleware,
} from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

let logged: jest.SpiedFunction<typeof console.error>;
beforeEach(() => {
  logged = jest.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  jest.restoreAllMocks();
});

type Answer = SettledBatch<unknown> & { batchItemFailures?: unknown };
const batchOf = (...names: string[]): SQSEvent => ({
  Records: names.map((task_name) => sqsRecord({ task_name })),
});
const notification = () => ({
  Records: [
    {
      EventSource: 'aws:sns',
      EventVersion: '1.0',
      EventSubscriptionArn: 'arn',
      Sns: { MessageId: 'm-1', TopicArn: 'arn', Message: '{"task_name":"work","task_kwargs":{}}' },
    },
  ],
});
const direct = () => ({ task_name: 'work', task_kwargs: {} });

const active = () => stageMiddleware({ name: 'active', around: (_run, next) => next() });
const unwrapping = () => sqsSnsUnwrap() as MiddlewareObj;

function stackOf(handler: unknown, stack: readonly MiddlewareObj[]) {
  const all = middy(handler as never) as unknown as ReturnType<typeof middy>;
  for (const middleware of stack) all.use(middleware);
  return (event: unknown, context: object = lambdaContext()) =>
    all(event as never, context as Context) as Promise<unknown>;
}

/** A middleware that calls a function with its invocation. */
const opening = (open: (invocation: Invocation) => void, more: object = {}) =>
  stageMiddleware({
    name: 'opening',
    passive: true,
    open(invocation) {
      open(invocation);
      return {};
    },
    ...more,
  });

describe('a loop of your own', () => {
  test('that runs no record fails the batch, which is logged once', async () => {
    const handler = stackOf(async () => 'done', [active()]);
    const failure = { name: 'PipelineNotRunError', code: 'PIPELINE_NOT_RUN', retryable: true };
    await expect(handler(batchOf('a'))).rejects.toMatchObject(failure);
    expect(logged.mock.calls).toEqual([[expect.objectContaining(failure)]]);
    logged.mockClear();
    await expect(
      stackOf(async () => 'done', [active(), opening(({ logFailures }) => logFailures())])(batchOf('a')),
    ).rejects.toMatchObject(failure);
    expect(logged).not.toHaveBeenCalled();
  });

  test('may run nothing of an empty batch', async () => {
    expect(await stackOf(async () => 'done', [active()])({ Records: [] })).toEqual('done');
  });

  test('is waited for if it does not await its tasks', async () => {
    let ended = 0;
    const loop = async ({ Records }: SQSEvent, context: Context) => {
      for (const record of Records)
        void runTask(record, context, async () => {
          await new Promise(setImmediate);
          ended += 1;
        });
      return { batchItemFailures: [] };
    };
    expect(await stackOf(loop, [active()])(batchOf('a', 'b'))).toEqual({ batchItemFailures: [] });
    expect(ended).toBe(2);
  });

  test('that is cut off reports the task that runs, and the record that it has not begun', async () => {
    const loop = async ({ Records: [first] }: SQSEvent, context: Context) => {
      void runTask(first as never, context, () => new Promise<never>(() => {})).catch(() => {});
      return 'done';
    };
    const before = performance.now();
    const getRemainingTimeInMillis = () => 1600 - (performance.now() - before);
    const answer = (await stackOf(loop, [active()])(
      batchOf('a', 'b'),
      lambdaContext({ getRemainingTimeInMillis }),
    )) as Answer;
    expect(answer).toMatchObject([
      { status: 'rejected', reason: { code: 'DEADLINE', retryable: true } },
      { status: 'rejected', reason: { code: 'NOT_RUN', retryable: true } },
    ]);
  });

  test('shows a hook before the wait which task is still running', async () => {
    const loop = async ({ Records: [first] }: SQSEvent, context: Context) => {
      void runTask(first as never, context, () => new Promise(setImmediate));
    };
    const seen: unknown[] = [];
    const reading = {
      after: ({ response }: { response: Answer }) => void seen.push(...response),
    } as unknown as MiddlewareObj;
    await stackOf(loop, [active(), reading])(batchOf('a', 'b'));
    expect(seen).toMatchObject([
      { status: 'rejected', reason: { code: 'STILL_RUNNING', retryable: true } },
      { status: 'rejected', reason: { code: 'NOT_RUN', retryable: true } },
    ]);
  });

  test('names records as failed, which a stage may ask for', async () => {
    const event = batchOf('a', 'b');
    const answer = { batchItemFailures: [{ itemIdentifier: event.Records[1]?.messageId }] };
    const found: unknown[] = [];
    const asking = opening(({ undone, onEnd }) => onEnd(() => void found.push(undone())));
    expect(await stackOf(async () => answer, [unwrapping(), asking])(event)).toEqual(answer);
    expect(found).toMatchObject([
      [{ index: 1, state: 'failed', reason: { code: 'NAMED_AS_FAILED', retryable: true } }],
    ]);
  });

  test('of a notification that it does not run fails, with the error of the task or with NOT_RUN', async () => {
    await expect(
      stackOf(
        async (event: { Records: [never] }, context: Context) => {
          await runTask(event.Records[0], context, () => {
            throw new Error('broken');
          }).catch(() => {});
        },
        [active()],
      )(notification()),
    ).rejects.toThrow('broken');
    const touching = async ({ Records: [record] }: { Records: [never] }, context: Context) => {
      void runTask(record, context, () => new Promise<never>(() => {})).catch(() => {});
    };
    const before = performance.now();
    const getRemainingTimeInMillis = () => 1600 - (performance.now() - before);
    await expect(
      stackOf(touching, [active()])(notification(), lambdaContext({ getRemainingTimeInMillis })),
    ).rejects.toMatchObject({ retryable: true });
  });

  test('of two notifications that runs one of them fails', async () => {
    const [record] = notification().Records;
    const loop = async ({ Records: [first] }: { Records: [never] }, context: Context) => {
      await runTask(first, context, () => {});
    };
    const event = { Records: [record, { ...record, Sns: { ...record?.Sns, MessageId: 'm-2' } }] };
    await expect(stackOf(loop, [active()])(event)).rejects.toMatchObject({
      code: 'NOT_RUN',
      retryable: true,
    });
  });

  test('of a notification may answer with a list of failures, which is ignored', async () => {
    const answering = { after: () => ({ batchItemFailures: [] }) } as unknown as MiddlewareObj;
    expect(
      await stackOf(
        queued(() => 'result'),
        [answering, unwrapping()],
      )(notification()),
    ).not.toEqual({
      batchItemFailures: [],
    });
  });
});

describe('the outcome of a batch', () => {
  test('keeps what the handler has returned, and rejects what is not done', async () => {
    const reason = new Error('broken');
    const loop = async ({ Records: [first] }: SQSEvent, context: Context) => {
      await runTask(first as never, context, () => {});
      return [{ status: 'fulfilled', value: 1 }];
    };
    const answer = (await stackOf(loop, [unwrapping(), active()])(batchOf('a', 'b', 'c'))) as Answer;
    expect([...answer]).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { code: 'NOT_RUN', retryable: true } },
      { status: 'rejected', reason: { code: 'NOT_RUN', retryable: true } },
    ]);
    const other = async ({ Records: [first, second] }: SQSEvent, context: Context) => {
      await runTask(first as never, context, () => {});
      await runTask(second as never, context, () => {
        throw reason;
      }).catch(() => {});
    };
    const settled = (await stackOf(other, [active()])(batchOf('a', 'b'))) as Answer;
    expect([...settled]).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason },
    ]);
  });

  test('keeps the reasons of the handler', async () => {
    const reason = new Error('for the log');
    const loop = async ({ Records: [first] }: SQSEvent, context: Context) => {
      await runTask(first as never, context, () => Promise.reject(new Error('broken'))).catch(() => {});
      return [{ status: 'rejected', reason }];
    };
    const answer = (await stackOf(loop, [unwrapping(), active()])(batchOf('a', 'b'))) as Answer;
    expect([...answer]).toMatchObject([
      { status: 'rejected', reason },
      { status: 'rejected', reason: { code: 'NOT_RUN' } },
    ]);
  });

  test.each([[[0]], [[1]], [[0, 1]]])(
    'does not believe a hook that marks records as done: %j',
    async (indexes) => {
      const forging = {
        after({ response }: { response: unknown[] }) {
          for (const index of indexes) response[index] = { status: 'fulfilled', value: 'forged' };
        },
      } as unknown as MiddlewareObj;
      const failing = queued(() => Promise.reject(new Error('broken')));
      const answer = (await stackOf(failing, [forging, unwrapping()])(batchOf('a', 'b'))) as Answer;
      expect(answer.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(() => JSON.stringify(answer)).toThrow();
    },
  );

  test('is that of queued itself, if nothing is missing in it', async () => {
    let settled: unknown;
    const failing = queued(() => Promise.reject(new Error('broken')));
    const handler = async (event: SQSEvent, context: Context) => {
      settled = await failing(event, context);
      return settled;
    };
    expect(await stackOf(handler, [unwrapping()])(batchOf('a', 'b'))).toBe(settled);
  });

  test('is rejected in whole if the invocation must fail', async () => {
    const replacing = {
      after(request: { event: unknown }) {
        request.event = { Records: [] };
      },
    } as unknown as MiddlewareObj;
    const emptying = {
      onError(request: { response: unknown }) {
        request.response = [];
      },
    } as unknown as MiddlewareObj;
    const answer = (await stackOf(
      queued(() => 1),
      [unwrapping(), emptying, replacing],
    )(batchOf('a', 'b'))) as Answer;
    const rejected = { status: 'rejected', reason: expect.objectContaining({ code: 'EVENT_REPLACED' }) };
    expect([...answer]).toEqual([rejected, rejected]);
  });

  test('is the same object for each hook', async () => {
    const seen: unknown[] = [];
    const reading = {
      after: ({ response }: { response: unknown }) => void seen.push(response),
    } as unknown as MiddlewareObj;
    const loop = async ({ Records: [first] }: SQSEvent, context: Context) => {
      await runTask(first as never, context, () => {});
      return [];
    };
    await stackOf(loop, [reading, reading, active()])(batchOf('a', 'b'));
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(seen[1]);
  });
});

describe('the invocation that a middleware opens', () => {
  test.each<[string, unknown, number]>([
    ['a batch', batchOf('a', 'b'), 2],
    ['a notification', notification(), 1],
    ['a direct invocation', direct(), 0],
  ])('has the records of %s', async (_, event, count) => {
    const records: unknown[] = [];
    const handler = stackOf(
      queued(() => {}),
      [opening((invocation) => void records.push(...invocation.records)), unwrapping()],
    );
    await handler(event);
    expect(records).toHaveLength(count);
  });

  test.each<[string, unknown]>([
    ['a batch', batchOf('a')],
    ['a direct invocation', direct()],
  ])('calls onAnswer before the answer of %s, or its error', async (_, event) => {
    const order: string[] = [];
    const asking = () => opening(({ onAnswer }) => onAnswer(() => void order.push('answer')));
    await stackOf(
      queued(() => 1),
      [asking(), unwrapping()],
    )(event);
    expect(order.length).toBeGreaterThan(0);
    order.length = 0;
    const failing = {
      before: () => {
        throw new Error('broken');
      },
    };
    await expect(
      stackOf(
        queued(() => 1),
        [asking(), failing, unwrapping()],
      )(event),
    ).rejects.toThrow('broken');
    await new Promise(setImmediate);
    expect(order.length).toBeGreaterThan(0);
  });

  test('has the error of the invocation once there is one', async () => {
    const errors: unknown[] = [];
    const asking = opening((invocation) => invocation.onEnd(() => void errors.push(invocation.error)));
    await stackOf(
      queued(() => 1),
      [asking, unwrapping()],
    )(batchOf('a'));
    const failing = { before: () => Promise.reject(new Error('broken')) };
    await expect(
      stackOf(
        queued(() => 1),
        [asking, failing, unwrapping()],
      )(batchOf('a')),
    ).rejects.toThrow('broken');
    expect(errors).toEqual([undefined, expect.objectContaining({ message: 'broken' })]);
  });

  test('has the error NOT_RUN if another middleware answers early', async () => {
    const errors: unknown[] = [];
    const asking = opening((invocation) => invocation.onEnd(() => void errors.push(invocation.error)));
    const answering = { before: () => 'cached' } as unknown as MiddlewareObj;
    await stackOf(
      queued(() => 1),
      [asking, answering],
    )(direct());
    await stackOf(
      queued(() => 1),
      [asking, answering],
    )({ Records: [] });
    await stackOf(
      queued(() => 1),
      [asking, answering],
    )(batchOf('a')).catch(() => {});
    expect(errors).toEqual([undefined, undefined, expect.objectContaining({ code: 'NOT_RUN' })]);
  });

  test('may write the answer of a direct invocation; the first one that does counts', async () => {
    const writing = (name: string) =>
      opening(({ writeAnswer }) => writeAnswer((result) => ({ [name]: result })), { name });
    const answer = await stackOf(
      queued(() => ({ done: true })),
      [writing('inner'), writing('outer'), unwrapping()],
    )(direct());
    expect(answer).toEqual({ inner: { done: true } });
    expect(
      await stackOf(
        queued(() => endChain(5)),
        [writing('inner'), unwrapping()],
      )(direct()),
    ).toEqual({ inner: 5 });
    // A batch has no answer that can be written.
    expect(
      await stackOf(
        queued(() => 1),
        [writing('inner'), unwrapping()],
      )(batchOf('a')),
    ).toMatchObject([{ value: 1 }]);
  });

  test('that fails at its end is logged, and the answer stays', async () => {
    const failing = opening(({ onEnd }) =>
      onEnd(() => {
        throw new Error('cleanup');
      }),
    );
    const answer = (await stackOf(
      queued(() => 1),
      [failing, unwrapping()],
    )(batchOf('a'))) as Answer;
    expect(answer).toMatchObject([{ status: 'fulfilled' }]);
    expect(logged.mock.calls).toEqual([
      ['Cleaning up after an invocation failed:', expect.objectContaining({ message: 'cleanup' })],
    ]);
  });

  test.each([true, false])('with always: %j, after an earlier failure', async (always) => {
    let opened = 0;
    const failing = { before: () => Promise.reject(new Error('broken')) };
    const stage = opening(
      () => {
        opened += 1;
      },
      { always },
    );
    await expect(
      stackOf(
        queued(() => 1),
        [failing, stage],
      )(batchOf('a')),
    ).rejects.toThrow('broken');
    expect(opened).toBe(always ? 1 : 0);
    opened = 0;
    await expect(
      stackOf(
        queued(() => 1),
        [stage, failing],
      )(batchOf('a')),
    ).rejects.toThrow('broken');
    expect(opened).toBe(1);
  });
});

describe('the context', () => {
  const adding = (name: string, parts: PropertyDescriptorMap) =>
    opening(({ addToContext }) => addToContext(parts), { name });
  const seeing = (seen: unknown[]) =>
    ({ before: ({ context }: { context: unknown }) => void seen.push(context) }) as unknown as MiddlewareObj;

  test('is copied once for all middlewares that add to it', async () => {
    const [given, seen] = [lambdaContext(), [] as unknown[]];
    const stack = [
      adding('a', { a: { value: 1 } }),
      seeing(seen),
      adding('b', { b: { value: 2 } }),
      seeing(seen),
    ];
    await stackOf(
      queued(() => 1),
      [...stack, unwrapping()],
    )(batchOf('a'), given);
    expect(seen[1]).toBe(seen[0]);
    expect(seen[1]).toMatchObject({ a: 1, b: 2, awsRequestId: given.awsRequestId });
    expect(given).not.toHaveProperty('a');
  });

  test('is copied again for a property that exists', async () => {
    const seen: unknown[] = [];
    const stack = [
      adding('a', { a: { value: 1 } }),
      seeing(seen),
      adding('b', { b: { value: 2 }, a: { value: 3 } }),
      seeing(seen),
    ];
    await stackOf(
      queued(() => 1),
      [...stack, unwrapping()],
    )(batchOf('a'));
    expect(seen).toMatchObject([{ a: 1 }, { a: 3, b: 2 }]);
    expect(seen[0]).not.toHaveProperty('b');
  });

  test('that another middleware has set is copied, and not changed', async () => {
    const [own, seen] = [lambdaContext(), [] as unknown[]];
    const setting = {
      before(request: { context: unknown }) {
        request.context = own;
      },
    } as unknown as MiddlewareObj;
    const stack = [adding('a', { a: { value: 1 } }), setting, adding('b', { b: { value: 2 } }), seeing(seen)];
    await stackOf(
      queued(() => 1),
      [...stack, unwrapping()],
    )(batchOf('a'));
    expect(seen).toEqual([expect.objectContaining({ a: 1, b: 2 })]);
    expect(own).not.toHaveProperty('a');
    expect(own).not.toHaveProperty('b');
  });
});

test('the response and the error of a request are listed as before', async () => {
  const seen: string[][] = [];
  const listing = {
    before: (request: object) => void seen.push(Object.keys(request)),
  } as unknown as MiddlewareObj;
  await stackOf(
    queued(() => 1),
    [unwrapping(), listing],
  )(batchOf('a'));
  expect(seen[0]).toEqual(expect.arrayContaining(['event', 'context', 'response', 'error']));
});

test('a batch that a stack cannot run fails, whatever a hook answers', async () => {
  const answering = {
    onError(request: { response: unknown }) {
      request.response = { batchItemFailures: [] };
    },
  } as unknown as MiddlewareObj;
  const running = stackOf(
    queued(() => 1),
    [answering, active(), active()],
  )(batchOf('a'));
  await expect(running).rejects.toMatchObject({ code: 'DUPLICATE_STAGE' });
});

test('a handler that throws undefined fails with an error that says so', async () => {
  const throwing = () => {
    throw undefined;
  };
  for (const event of [direct(), batchOf('a')])
    await expect(stackOf(throwing, [opening(() => {}), unwrapping()])(event)).rejects.toMatchObject({
      code: 'THREW_UNDEFINED',
      retryable: true,
    });
});

test('a middleware that needs the task says to unwrap it, and the messages come back', async () => {
  const { storedDataHydrate } = await import('../../../middlewares/storedDataHydrate.ts');
  const answer = (await stackOf(
    queued(() => 1),
    [storedDataHydrate({ bucket: 'b' })],
  )(batchOf('a'))) as Answer;
  expect(answer).toMatchObject([{ status: 'rejected', reason: { retryable: true } }]);
});
