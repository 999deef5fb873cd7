import type { PublishBatchCommand } from '@aws-sdk/client-sns';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ChainEvent,
  type ChainEventsOptions,
  callbackPublisher,
  chainEvents,
  chainState,
  type EventTarget,
  memorySink,
  OptionError,
  queued,
  readChainEvent,
  s3Sink,
  sendTask,
  sqsSnsUnwrap,
  stageMiddleware,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let warnings: unknown[] = [];
const watchWarnings = () => {
  warnings = [];
  jest.spyOn(console, 'warn').mockImplementation((warning) => void warnings.push(warning));
};
/** Writes that did not end during a test. */
const stuckWrites: (() => void)[] = [];
const stuck = () => new Promise<void>((resolve) => stuckWrites.push(resolve));
afterEach(() => {
  for (const release of stuckWrites.splice(0)) release();
  jest.restoreAllMocks();
});

const work = { task_name: 'work', task_kwargs: {} };
const ignore = () => {};

const withStack = (worker: () => unknown, stack: MiddlewareObj[]) =>
  stack.reduce(
    (all, one) => all.use(one) as typeof all,
    middy(queued(worker)) as unknown as ReturnType<typeof middy>,
  );

/** Runs records through a stack, and resolves to the answer. */
async function invoke(
  to: EventTarget | EventTarget[],
  records: unknown[] = [sqsRecord(work)],
  {
    worker = ignore,
    more = [],
    millis = 60_000,
    ...options
  }: Partial<ChainEventsOptions> & {
    worker?: () => unknown;
    more?: MiddlewareObj[];
    millis?: number;
  } = {},
) {
  const stack = [
    chainEvents({ to, ...options }),
    sqsPartialBatchFailure({ logger: ignore }),
    sqsSnsUnwrap() as MiddlewareObj,
    ...more,
  ];
  const handler = withStack(worker, stack);
  const context = lambdaContext({ getRemainingTimeInMillis: () => millis });
  return (await handler({ Records: records } as never, context)) as { batchItemFailures: unknown[] };
}

describe('a sink', () => {
  test('may be a function, which gets the events of a batch together', async () => {
    const writes: (readonly ChainEvent[])[] = [];
    await invoke((events) => void writes.push(events), [sqsRecord(work), sqsRecord(work)]);
    expect(writes.map((events) => events.map(({ type }) => type))).toEqual([
      ['received', 'started', 'received', 'started', 'succeeded', 'succeeded'],
    ]);
  });

  test('that fails is named once, with its code, and does not change the answer', async () => {
    watchWarnings();
    const failing = jest.fn(async () =>
      Promise.reject(Object.assign(new Error('denied'), { code: 'NO_ACCESS' })),
    );
    const events = memorySink();
    for (let batch = 0; batch < 3; batch += 1) {
      expect(await invoke([failing, events])).toEqual({ batchItemFailures: [] });
    }
    expect(failing.mock.calls.length).toBeGreaterThan(2);
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'EVENTS_NOT_WRITTEN', message: expect.stringContaining('NO_ACCESS') }),
    ]);
    expect(events.chainIds()).toHaveLength(3);
  });

  test('that throws before it returns a promise is no different', async () => {
    watchWarnings();
    const throwing = () => {
      throw undefined;
    };
    expect(await invoke(throwing)).toEqual({ batchItemFailures: [] });
    expect(warnings).toEqual([expect.objectContaining({ code: 'EVENTS_NOT_WRITTEN' })]);
  });

  test('that does not answer delays a batch by waitMillis, and less when the time is short', async () => {
    const started = performance.now();
    await invoke(stuck, undefined, { waitMillis: 50 });
    const waited = performance.now() - started;
    expect(waited).toBeGreaterThan(40);
    expect(waited).toBeLessThan(5000);
    await invoke(stuck, undefined, { waitMillis: 60_000, millis: 700 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('that does not answer is given up 100 ms before the invocation ends', async () => {
    let isWritten = false;
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      isWritten = true;
    };
    let left = 60_000;
    const worker = () => {
      left = 99;
    };
    const handler = withStack(worker, [
      chainEvents({ to: slow, waitMillis: 10_000 }),
      sqsSnsUnwrap() as MiddlewareObj,
    ]);
    await handler(work as never, lambdaContext({ getRemainingTimeInMillis: () => left }));
    expect(isWritten).toBe(false);
  });

  test('that is slow gets at most 10,000 events later, and the rest is dropped with a warning', async () => {
    watchWarnings();
    let release = ignore;
    const got: ChainEvent[] = [];
    const slow = async (events: readonly ChainEvent[]) => {
      got.push(...events);
      if (got.length === events.length) await new Promise<void>((resolve) => (release = resolve));
    };
    await invoke(slow, undefined, { waitMillis: 0 });
    const first = got.length;
    const records = Array.from({ length: 3500 }, () => sqsRecord(work));
    await invoke(slow, records, { waitMillis: 0 });
    expect(warnings).toEqual([expect.objectContaining({ code: 'EVENTS_DROPPED' })]);
    release();
    for (let turn = 0; turn < 50 && got.length < first + 10_000; turn += 1) await new Promise(setImmediate);
    expect(got).toHaveLength(first + 10_000);
  });

  test('gets the events in order, one write after the other', async () => {
    const got: number[] = [];
    let running = 0;
    const sink = {
      lingerMillis: 0,
      async write(events: readonly ChainEvent[]) {
        running += 1;
        expect(running).toBe(1);
        await new Promise(setImmediate);
        got.push(...events.map(({ at }) => at));
        running -= 1;
      },
    };
    await invoke(
      sink,
      Array.from({ length: 20 }, () => sqsRecord(work)),
      {
        worker: () => new Promise((resolve) => setTimeout(resolve, 2)),
      },
    );
    expect(got).toHaveLength(60);
    expect(got).toEqual(got.toSorted((a, b) => a - b));
  });

  test.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['a text', 's3'],
    ['an object without write', {}],
    ['a list with a number', [memorySink(), 1]],
  ])('%s is refused', (_, to) => {
    expect(() => chainEvents({ to: to as never })).toThrow(OptionError);
    if (to !== undefined) return;
    expect(() => chainEvents(undefined as never)).toThrow(OptionError);
  });

  test('options with bad values are refused', () => {
    expect(() => chainEvents({ to: ignore, waitMillis: -1 })).toThrow(/waitMillis/);
    expect(() => memorySink({ maxEvents: 0 })).toThrow(/maxEvents/);
    for (const folder of ['', '/a', 'a//b', 'a/', '../a', 'a/..', 'a/../b', 'ä']) {
      expect(() => s3Sink({ folder })).toThrow(/folder/);
    }
  });
});

describe('memorySink', () => {
  test('forgets the chains that started first', () => {
    const sink = memorySink({ maxEvents: 2 });
    const of = (chainId: string) =>
      readChainEvent({ type: 'sent', chainId, messageId: 'm', at: 1 }) as ChainEvent;
    const seen: string[] = [];
    const unsubscribe = sink.subscribe((events) => seen.push(...events.map(({ chainId }) => chainId)));
    const { signal } = new AbortController();
    sink.write([of('a'), of('b')], { signal });
    sink.write([of('c')], { signal });
    unsubscribe();
    sink.write([of('c')], { signal });
    expect(sink.chainIds()).toEqual(['c']);
    expect(sink.events('c')).toHaveLength(2);
    expect(sink.events()).toHaveLength(2);
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('hostile messages', () => {
  const eventsOf = async (record: unknown, worker?: () => unknown) => {
    const sink = memorySink();
    await invoke(sink, [record], { ...(worker && { worker }) }).catch(ignore);
    return sink.events();
  };
  const withEnvelope = (parts: object) => {
    const record = sqsRecord(work);
    return { ...record, body: JSON.stringify({ ...JSON.parse(record.body), ...parts }) };
  };

  test.each<[string, unknown]>([
    ['not JSON', sqsRecord('{')],
    ['not a task', sqsRecord('[1]')],
    ['a name like that of a prototype', sqsRecord({ task_name: '__proto__' })],
    ['a name of a megabyte', sqsRecord({ task_name: 'x'.repeat(1_000_000) })],
    ['a callback that is a number', sqsRecord({ ...work, callback: 7 })],
    ['a callback of a megabyte', sqsRecord({ ...work, callback: 'a#'.repeat(500_000) })],
    ['an envelope with an id of a megabyte', withEnvelope({ MessageId: 'x'.repeat(1_000_000) })],
    ['an envelope with a path as its id', withEnvelope({ MessageId: '../../other' })],
    ['an envelope whose id is dots', withEnvelope({ MessageId: '..' })],
    [
      'a chain id that is dots',
      withEnvelope({ MessageAttributes: { chain_id: { Type: 'String', Value: '..' } } }),
    ],
    ['no attributes', { ...sqsRecord(work), attributes: undefined }],
    ['an empty message id', withEnvelope({ MessageId: '' })],
  ])('%s', async (_, record) => {
    const events = await eventsOf(record);
    expect(events.length).toBeGreaterThan(1);
    expect(JSON.stringify(events).length).toBeLessThan(60_000);
    const chains = new Set(events.map(({ chainId }) => chainId));
    expect(chains.size).toBe(1);
    for (const event of events) {
      expect(event.chainId).toMatch(/^(?!\.{1,2}$)[\w.:-]{0,128}$/);
      if (event.messageId !== '') expect(readChainEvent(event)).toEqual(event);
    }
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a symbol', Symbol('x')],
    ['an object without a prototype', Object.create(null)],
    [
      'a proxy that throws',
      new Proxy(new Error('x'), {
        get() {
          throw new Error('no');
        },
      }),
    ],
    [
      'an error that is its own cause',
      Object.assign(new Error('x'), {
        get cause() {
          return this;
        },
      }),
    ],
    ['an error of a megabyte', new Error('x'.repeat(1_000_000))],
    ['an error whose name is an object', Object.assign(new Error('x'), { name: {} })],
  ])('a worker that throws %s', async (_, thrown) => {
    const events = await eventsOf(sqsRecord(work), () => {
      throw thrown;
    });
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { name: expect.any(String) } });
    expect(JSON.stringify(events).length).toBeLessThan(60_000);
    for (const event of events) expect(readChainEvent(event)).toEqual(event);
  });
});

describe('other invocations', () => {
  test('a direct one has the chain of its request', async () => {
    const events = memorySink();
    const sent: unknown[] = [];
    const sns = {
      async send({ input }: PublishBatchCommand) {
        sent.push(input.PublishBatchRequestEntries?.[0]?.MessageAttributes?.chain_id?.StringValue);
        return { Successful: [{ Id: '0', MessageId: 'm-2' }] };
      },
      config: {},
    };
    const worker = async () => {
      await sendTask(
        { task_name: 'next' },
        { sns: sns as never, functionArn: 'arn:aws:lambda:eu-west-1:1:x' },
      );
    };
    const handler = withStack(worker, [chainEvents({ to: events }), sqsSnsUnwrap() as MiddlewareObj]);
    const context = lambdaContext();
    await handler(work as never, context);
    expect(sent).toEqual([context.awsRequestId]);
    expect(chainState(events.events())?.tasks).toMatchObject([
      { taskName: 'work', status: 'succeeded', attempts: [{ receiver: context.invokedFunctionArn }] },
      { taskName: 'next', depth: 1, status: 'waiting' },
    ]);
    // Its scope ends with it.
    await sendTask({ task_name: 'next' }, { sns: sns as never, functionArn: 'arn:aws:lambda:eu-west-1:1:x' });
    expect(sent[1]).not.toBe(context.awsRequestId);
    expect(events.events()).toHaveLength(4);
  });

  test('one without a context is observed too', async () => {
    const events = memorySink();
    const handler = withStack(ignore, [chainEvents({ to: events }), sqsSnsUnwrap() as MiddlewareObj]);
    for (const context of [undefined, {}]) {
      await handler({ Records: [sqsRecord(work)] } as never, context as never);
      await handler(work as never, context as never);
    }
    expect(events.events().filter(({ type }) => type === 'succeeded')).toHaveLength(4);
  });

  test('one that a loop of your own handles needs no runTask for it', async () => {
    const answer = { batchItemFailures: [] };
    const handler = middy(async () => answer).use(chainEvents({ to: ignore }));
    expect(await handler({ Records: [sqsRecord(work)] }, lambdaContext())).toEqual(answer);
  });

  test.each([
    [{}, true],
    [{ stacks: true }, true],
    [{ stacks: false }, false],
  ])('a failure with the options %j', async (options, hasStack) => {
    const events = memorySink();
    const worker = () => {
      throw new Error('no');
    };
    await invoke(events, undefined, { worker, ...options });
    const failure = events.events().find(({ type }) => type === 'failed');
    expect(failure?.type === 'failed' && 'stack' in failure.error).toBe(hasStack);
  });

  test('a direct one that fails has failed for good', async () => {
    const events = memorySink();
    const handler = withStack(() => {
      throw new Error('no');
    }, [chainEvents({ to: events }), sqsSnsUnwrap() as MiddlewareObj]);
    await expect(handler(work as never, lambdaContext())).rejects.toThrow('no');
    expect(events.events().map(({ type }) => type)).toEqual([
      'received',
      'started',
      'failed',
      'deadLettered',
    ]);
    expect(chainState(events.events())?.status).toBe('failed');
  });

  test('a notification from SNS is received by the function', async () => {
    const events = memorySink();
    const Sns = {
      MessageId: 'm-1',
      TopicArn: 'arn',
      Message: JSON.stringify(work),
      Timestamp: '2026-01-01T00:00:00.000Z',
    };
    const handler = withStack(ignore, [chainEvents({ to: events }), sqsSnsUnwrap() as MiddlewareObj]);
    await handler(
      {
        Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: 'arn', Sns }],
      } as never,
      lambdaContext(),
    );
    expect(events.events().map(({ type, messageId }) => [type, messageId])).toEqual([
      ['received', 'm-1'],
      ['started', 'm-1'],
      ['succeeded', 'm-1'],
    ]);
    expect(events.events()[0]).not.toHaveProperty('recordId');
  });

  test('a stage that skips the handler: the task has succeeded, and was not started', async () => {
    const events = memorySink();
    const skip = stageMiddleware({ name: 'skip', around: (run) => run.skip('cached') });
    await invoke(events, undefined, { more: [skip] });
    expect(events.events().map(({ type }) => type)).toEqual(['received', 'succeeded']);
    expect(events.events()[1]).not.toHaveProperty('durationMillis');
  });

  test('the time of the handler does not include its callbacks, and a callback that is sent is told although another is not', async () => {
    const events = memorySink();
    const sns = {
      async send({ input }: PublishBatchCommand) {
        await new Promise((resolve) => setTimeout(resolve, 400));
        if (input.TopicArn?.endsWith('bad')) throw Object.assign(new Error('no'), { name: 'NotFound' });
        const { PublishBatchRequestEntries: entries = [] } = input;
        return { Successful: entries.map(({ Id }) => ({ Id, MessageId: `m-${Id}` })) };
      },
      config: {},
    };
    const record = sqsRecord({ ...work, callback: 'good' });
    const envelope = JSON.parse(record.body);
    envelope.MessageAttributes = { also_callbacks: { Type: 'String', Value: 'bad' } };
    const publisher = callbackPublisher({ sns: sns as never, inlineUnder: 1000, lingerMillis: 0 });
    const records = [{ ...record, body: JSON.stringify(envelope) }, sqsRecord({ ...work, callback: 'good' })];
    await invoke(events, records, { worker: () => ({ n: 1 }), more: [publisher] });
    const [first, second] = records.map(({ messageId }) =>
      events.events().filter((event) => 'recordId' in event && event.recordId === messageId),
    );
    const good = [{ messageId: expect.stringMatching(/^m-\d$/), taskName: 'good', role: 'callback' }];
    expect(first?.find(({ type }) => type === 'published')).toMatchObject({ messages: good });
    expect(first?.at(-1)).toMatchObject({ type: 'failed', error: { code: 'PUBLISH_FAILED' } });
    expect(second?.at(-1)).toMatchObject({ type: 'succeeded', next: ['good'] });
    const durationOf = (event: unknown) => (event as { durationMillis: number }).durationMillis;
    expect(durationOf(first?.at(-1))).toBeLessThan(300);
    expect(durationOf(second?.at(-1))).toBeLessThan(300);
    expect(durationOf(second?.find(({ type }) => type === 'published'))).toBeGreaterThan(350);
  });

  test('a stage of the user reports a fact', async () => {
    const events = memorySink();
    const joins = stageMiddleware({
      name: 'joins',
      async around(run, next) {
        await next();
        run.report?.({ type: 'joined', group: { id: 'g', index: 1, of: 3 } });
      },
    });
    await invoke(events, undefined, { more: [joins] });
    expect(chainState(events.events())?.groups).toMatchObject([{ id: 'g', of: 3, joined: [1] }]);
  });
});
