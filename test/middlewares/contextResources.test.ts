import { afterEach, describe, expect, jest, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import warmup from '@middy/warmup';
import type { Context, SQSEvent } from 'aws-lambda';
import { OptionError } from '../../core/errors.ts';
import {
  type ContextOf,
  contextResources,
  queued,
  sqsSnsUnwrap,
  type Task,
} from '../../middlewares/index.ts';
import { ResourceCycleError } from '../../middlewares/resources/resourceCycle.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Middy = typeof middy7;
const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];

type TestContext = Context & Record<string, Promise<unknown>> & { aws: Context };
type Worker = (task: Task<{ n: number }>, context: TestContext) => unknown;

const batchOf = (size: number): SQSEvent => ({
  Records: Array.from({ length: size }, (_, n) => sqsRecord({ task_name: 'work', task_kwargs: { n } })),
});

function handlerOf(worker: Worker, stack: MiddlewareObj[], middy: Middy = middy7) {
  const handler = middy(queued(worker as never)) as unknown as ReturnType<Middy>;
  for (const middleware of [sqsPartialBatchFailure({ logger: () => {} }), sqsSnsUnwrap(), ...stack]) {
    handler.use(middleware as MiddlewareObj);
  }
  return (event: unknown = batchOf(3), context = lambdaContext()) =>
    handler(event as never, context) as Promise<unknown>;
}

/** A promise that a test waits for and resolves. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  jest.restoreAllMocks();
});

describe('1. created and disposed', () => {
  test('creates on first use, once per batch, even for concurrent callers', async () => {
    let made = 0;
    const create = jest.fn(async () => {
      await settle();
      made += 1;
      return made;
    });
    const seen: unknown[] = [];
    const handler = handlerOf(
      async (_, context) => seen.push(await context.db),
      [contextResources({ db: create })],
    );
    await handler(batchOf(10));
    expect(seen).toEqual(Array(10).fill(1));
    await handler(batchOf(2));
    expect(seen.slice(10)).toEqual([2, 2]);
  });

  test('does not create an unused resource', async () => {
    const create = jest.fn();
    await handlerOf((_, context) => void { ...context }, [contextResources({ db: create })])();
    expect(create).not.toHaveBeenCalled();
  });

  test('a failing factory fails its callers, and the next caller tries again', async () => {
    let tries = 0;
    const db = async () => {
      tries += 1;
      await settle();
      if (tries === 1) throw new Error('refused');
      return 'db';
    };
    const event = batchOf(3);
    const handler = middy7(
      queued(async (_: Task, context: TestContext) => context.db as Promise<unknown>, { concurrency: 2 }),
    )
      .use(sqsPartialBatchFailure({ logger: () => {} }))
      .use(contextResources({ db }));
    const answer = await handler(event as never, lambdaContext() as never);
    expect(answer).toEqual({
      batchItemFailures: event.Records.slice(0, 2).map(({ messageId }) => ({ itemIdentifier: messageId })),
    });
    expect(tries).toBe(2);
  });

  test('disposes in reverse order of creation, each even if another fails', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const ended: string[] = [];
    const resource = (name: string, fails = false) => ({
      create: () => name,
      dispose() {
        ended.push(name);
        if (fails) throw new Error(`${name} will not end`);
      },
    });
    const resources = contextResources({ a: resource('a'), b: resource('b', true), c: resource('c') });
    const worker: Worker = async (_, context) => {
      await context.a;
      await context.b;
      await context.c;
    };
    expect(await handlerOf(worker, [resources])()).toEqual({ batchItemFailures: [] });
    expect(ended).toEqual(['c', 'b', 'a']);
    expect(logged.mock.calls).toEqual([
      [expect.stringContaining('b could not be disposed of'), expect.any(Error)],
    ]);
  });

  test('disposes dependents before their dependencies, whichever was requested first', async () => {
    const ended: string[] = [];
    const resources = contextResources({
      repo: {
        create: async ({ resources }) => resources.db,
        dispose: () => ended.push('repo'),
      },
      db: { create: () => 'db', dispose: () => ended.push('db') },
    });
    await handlerOf((_, context) => context.repo, [resources])();
    expect(ended).toEqual(['repo', 'db']);
  });

  test('honours Symbol.asyncDispose and Symbol.dispose; dispose takes precedence', async () => {
    const ended: string[] = [];
    const resources = contextResources({
      sync: () => ({ [Symbol.dispose]: () => ended.push('sync') }),
      async: () => ({
        [Symbol.asyncDispose]: async () => ended.push('async'),
        [Symbol.dispose]: () => ended.push('no'),
      }),
      named: {
        create: () => ({ [Symbol.dispose]: () => ended.push('no') }),
        dispose: () => ended.push('named'),
      },
    });
    const worker: Worker = async (_, context) => {
      await context.sync;
      await context.async;
      await context.named;
    };
    await handlerOf(worker, [resources])();
    expect(ended).toEqual(['named', 'async', 'sync']);
  });

  describe.each(versions)('disposes however the invocation ends, @middy/core %s', (_, middy) => {
    const asking: Worker = async (_, context) => {
      await context.db;
    };
    /** Requests the resource in a `before`, since some of these cases never reach the handler. */
    const askBefore: MiddlewareObj = {
      async before(request) {
        await (request.context as unknown as TestContext).db;
      },
    };
    const waysOut: [string, MiddlewareObj[], Worker?][] = [
      ['as usual', []],
      ['a before that returns', [warmup({ isWarmingUp: () => true })]],
      [
        'a before that sets an early response',
        [{ before: (r) => void Object.assign(r, { earlyResponse: null }) }],
      ],
      ['a before that throws', [{ before: () => Promise.reject(new Error('no')) }]],
      ['an after that returns', [{ after: () => 'early' }]],
      ['an after that throws', [{ after: () => Promise.reject(new Error('no')) }]],
      [
        'an onError that returns',
        [{ before: () => Promise.reject(new Error('no')), onError: () => 'handled' }],
      ],
      [
        'an onError that throws',
        [
          {
            before: () => Promise.reject(new Error('no')),
            onError: () => Promise.reject(new Error('again')),
          },
        ],
      ],
    ];
    test.each(waysOut)('%s', async (_, others) => {
      for (const position of ['first', 'last'] as const) {
        const create = jest.fn(() => 'db');
        const dispose = jest.fn();
        const asked = [contextResources({ db: { create, dispose } }), askBefore];
        const stack = position === 'first' ? [...asked, ...others] : [...others, ...asked];
        await Promise.allSettled([handlerOf(asking, stack, middy)()]);
        const made = create.mock.calls.length;
        if (position === 'first') expect(made).toBe(1);
        expect({ position, ended: dispose.mock.calls }).toEqual({
          position,
          ended: Array(made).fill(['db']),
        });
      }
    });

    test('an early answer waits for disposal, and fails if a message would be lost', async () => {
      let ended = false;
      const dispose = async () => {
        await settle();
        ended = true;
      };
      const stack = [
        contextResources({ db: { create: () => 'db', dispose } }),
        askBefore,
        { before: () => ({ early: true }) },
      ];
      await expect(handlerOf(asking, stack, middy)()).rejects.toMatchObject({ code: 'NOT_RUN' });
      expect(ended).toBe(true);
    });

    test('at the timeout: acknowledges finished tasks, disposes the resource, refuses late callers', async () => {
      const ended: string[] = [];
      const late = gate();
      const asked = gate();
      let refusal: unknown;
      const resources = contextResources({
        db: { create: () => 'db', dispose: () => ended.push('db') },
        other: () => 'other',
      });
      const worker: Worker = async ({ task_kwargs }, context) => {
        await context.db;
        if (task_kwargs?.n !== 1) return;
        await late.opened;
        refusal = await Promise.resolve(context.other).catch((error) => error);
        asked.open();
      };
      const end = Date.now() + 550;
      const context = lambdaContext({ getRemainingTimeInMillis: () => end - Date.now() });
      const event = batchOf(2);
      const answer = await handlerOf(worker, [resources], middy)(event, context);
      expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: event.Records[1]?.messageId }] });
      expect(ended).toEqual(['db']);
      late.open();
      await asked.opened;
      expect(refusal).toMatchObject({ code: 'BATCH_ENDED', retryable: true });
    });
  });

  test('a dispose that hangs does not cost the batch its answer', async () => {
    const dispose = () => new Promise(() => {});
    const end = Date.now() + 800;
    const context = lambdaContext({ getRemainingTimeInMillis: () => end - Date.now() });
    const resources = contextResources({ db: { create: () => 'db', dispose } });
    expect(await handlerOf((_, c) => c.db, [resources])(batchOf(1), context)).toEqual({
      batchItemFailures: [],
    });
    // The remaining time is for the answer.
    expect(end - Date.now()).toBeGreaterThan(100);
  });

  test('a dispose that hangs does not hang the batch under fake timers', async () => {
    jest.useFakeTimers();
    const dispose = () => new Promise(() => {});
    const resources = contextResources({ db: { create: () => 'db', dispose } });
    const context = lambdaContext({ getRemainingTimeInMillis: () => 700 });
    try {
      expect(await handlerOf((_, c) => c.db, [resources])(batchOf(1), context)).toEqual({
        batchItemFailures: [],
      });
    } finally {
      jest.useRealTimers();
    }
  });

  test('a failing factory releases the container resources it requested', async () => {
    const ended: string[] = [];
    let good = true;
    const resources = contextResources({
      secret: {
        scope: 'container',
        create: () => 'secret',
        validate: () => good,
        dispose: () => ended.push('secret'),
      },
      db: {
        scope: 'container',
        create: async ({ resources }: { resources: Record<string, Promise<unknown>> }) => {
          await resources['secret'];
          throw new Error('refused');
        },
      },
    });
    const worker: Worker = async ({ task_kwargs }, context) => {
      await Promise.resolve(task_kwargs?.n ? context.secret : context.db).catch(() => {});
    };
    const handler = handlerOf(worker, [resources]);
    await handler(batchOf(1));
    good = false;
    await handler({ Records: [sqsRecord({ task_name: 'work', task_kwargs: { n: 1 } })] });
    expect(ended).toEqual(['secret']);
  });

  test('aborts the signal after dispose, which may need it', async () => {
    let signal: AbortSignal | undefined;
    let atEnd: boolean | undefined;
    const resources = contextResources({
      db: {
        create(parts) {
          signal = parts.signal;
          return 'db';
        },
        dispose() {
          atEnd = signal?.aborted;
        },
      },
    });
    await handlerOf((_, context) => context.db, [resources])(batchOf(1));
    expect([atEnd, signal?.aborted]).toEqual([false, true]);
  });

  test('a resource created too late is disposed at once, and its signal is aborted', async () => {
    const made = gate();
    const ended = gate();
    let signal: AbortSignal | undefined;
    const resources = contextResources({
      db: {
        create: async (parts) => {
          signal = parts.signal;
          await made.opened;
          return 'db';
        },
        dispose: ended.open,
      },
    });
    await handlerOf((_, context) => void context.db, [resources])();
    expect(signal?.aborted).toBe(true);
    made.open();
    await ended.opened;
  });

  describe('container scope', () => {
    test('survives invocations and is not disposed with the batch', async () => {
      const create = jest.fn(() => ({}));
      const dispose = jest.fn();
      const seen = new Set<unknown>();
      const resources = contextResources({ db: { create, dispose, scope: 'container' } });
      const handler = handlerOf(async (_, context) => seen.add(await context.db), [resources]);
      await handler();
      await handler();
      expect([create.mock.calls.length, seen.size, dispose.mock.calls.length]).toEqual([1, 1, 0]);
    });

    test('is recreated after maxAgeSeconds, and the old one is disposed', async () => {
      const now = jest.spyOn(Date, 'now').mockReturnValue(0);
      let made = 0;
      const ended: number[] = [];
      const create = () => ++made;
      const resources = contextResources({
        db: { create, dispose: (db) => ended.push(db), scope: 'container', maxAgeSeconds: 1 },
      });
      const seen: unknown[] = [];
      const handler = handlerOf(async (_, context) => seen.push(await context.db), [resources]);
      for (const time of [0, 999, 1000, 1999, 2000]) {
        now.mockReturnValue(time);
        await handler(batchOf(1));
      }
      expect(seen).toEqual([1, 1, 2, 2, 3]);
      expect(ended).toEqual([1, 2]);
    });

    test.each(['create', 'validate', 'part'])(
      'is recreated in the next invocation if its %s hangs, and the late one is disposed',
      async (what) => {
        const late = gate();
        const ended: number[] = [];
        let made = 0;
        const hangs = async () => {
          if (made < 2) await late.opened;
        };
        const resources = contextResources({
          part: {
            scope: 'container',
            create: async () => {
              if (what === 'part') made += 1;
              if (what === 'part') await hangs();
            },
          },
          db: {
            scope: 'container',
            create: async ({ resources }: { resources: Record<string, Promise<unknown>> }) => {
              await resources['part'];
              if (what !== 'part') made += 1;
              const number = made;
              if (what === 'create') await hangs();
              return number;
            },
            validate: async () => {
              if (what === 'validate') await hangs();
              return true;
            },
            dispose: (db: unknown) => ended.push(db as number),
          },
        });
        const seen: unknown[] = [];
        const handler = handlerOf(async (_, context) => seen.push(await context.db), [resources]);
        const invoke = (millis: number) => {
          const end = Date.now() + millis;
          return handler(batchOf(1), lambdaContext({ getRemainingTimeInMillis: () => end - Date.now() }));
        };
        if (what === 'validate') await invoke(5000);
        expect(await invoke(600)).toMatchObject({ batchItemFailures: [{}] });
        expect(await invoke(5000)).toEqual({ batchItemFailures: [] });
        expect([made, seen.at(-1)]).toEqual([2, 2]);
        late.open();
        await settle();
        expect(ended).toEqual(what === 'part' ? ended : [1]);
      },
    );

    test('releases the resources requested after its end if it was created too late', async () => {
      const late = gate();
      const ended: string[] = [];
      let good = true;
      const resources = contextResources({
        part: {
          scope: 'container',
          create: () => 'part',
          validate: () => good,
          dispose: () => ended.push('part'),
        },
        db: {
          scope: 'container',
          create: async ({ resources }: { resources: Record<string, Promise<unknown>> }) => {
            await late.opened;
            return resources['part'];
          },
        },
      });
      const worker: Worker = async ({ task_kwargs }, context) => {
        if (task_kwargs?.n) await context.part;
        else void context.db;
      };
      const handler = handlerOf(worker, [resources]);
      await handler(batchOf(1));
      late.open();
      await settle();
      good = false;
      await handler({ Records: [sqsRecord({ task_name: 'work', task_kwargs: { n: 1 } })] });
      expect(ended).toEqual(['part']);
    });

    test('a stale resource whose dispose hangs does not delay the new one', async () => {
      let made = 0;
      const resources = contextResources({
        db: {
          scope: 'container',
          create: () => ++made,
          validate: (db: number) => db > 1,
          dispose: () => new Promise(() => {}),
        },
      });
      const seen: unknown[] = [];
      const handler = handlerOf(async (_, context) => seen.push(await context.db), [resources]);
      await handler(batchOf(1));
      const end = Date.now() + 600;
      await handler(batchOf(1), lambdaContext({ getRemainingTimeInMillis: () => end - Date.now() }));
      expect(seen).toEqual([1, 2]);
    });

    test('calls validate once per batch, and recreates a resource that is invalid or throws', async () => {
      let made = 0;
      const ended: number[] = [];
      const validate = jest.fn((db: number) => {
        if (db === 2) throw new Error('gone');
        return db !== 1;
      });
      const resources = contextResources({
        db: { create: () => ++made, dispose: (db) => ended.push(db), validate, scope: 'container' },
      });
      const seen: unknown[] = [];
      const handler = handlerOf(async (_, context) => seen.push(await context.db), [resources]);
      for (let batch = 0; batch < 4; batch += 1) await handler(batchOf(2));
      expect(seen).toEqual([1, 1, 2, 2, 3, 3, 3, 3]);
      expect(validate.mock.calls).toEqual([[1], [2], [3]]);
      expect(ended).toEqual([1, 2]);
    });

    test('does not dispose a stale resource while a batch uses it', async () => {
      const ended: number[] = [];
      let made = 0;
      const holds = gate();
      const holding = gate();
      const resources = contextResources({
        db: {
          create: () => ++made,
          dispose: (db) => ended.push(db),
          validate: () => false,
          scope: 'container',
        },
      });
      const worker: Worker = async ({ task_kwargs }, context) => {
        const db = await context.db;
        if (task_kwargs?.n !== 7) return;
        holding.open();
        await holds.opened;
        expect([db, ended]).toEqual([1, []]);
      };
      const handler = handlerOf(worker, [resources]);
      const first = handler({ Records: [sqsRecord({ task_name: 'work', task_kwargs: { n: 7 } })] });
      await holding.opened;
      await handler(batchOf(1));
      expect([made, ended]).toEqual([2, []]);
      holds.open();
      expect(await first).toEqual({ batchItemFailures: [] });
      expect(ended).toEqual([1]);
    });

    test('retries a failed resource in the same batch and in the next', async () => {
      let tries = 0;
      const db = {
        scope: 'container' as const,
        create() {
          tries += 1;
          if (tries < 3) throw new Error('refused');
          return tries;
        },
      };
      const seen: unknown[] = [];
      const worker: Worker = async (_, context) => {
        seen.push(await Promise.resolve(context.db).catch(() => 'no'));
        seen.push(await Promise.resolve(context.db).catch(() => 'no'));
      };
      const handler = handlerOf(worker, [contextResources({ db })]);
      await handler(batchOf(1));
      await handler(batchOf(1));
      expect(seen).toEqual(['no', 'no', 3, 3]);
    });
  });
});

describe('2. in the handler', () => {
  test('types come from the factories, without casts', async () => {
    const resources = contextResources({
      db: async () => ({ query: (text: string) => [text] }),
      region: ({ aws }) => aws.functionName.length,
      repo: async ({ resources }) => ({ all: (await resources.db).query('all') }),
    });
    const worker = async (_: Task, context: ContextOf<typeof resources>): Promise<string> => {
      const rows: string[] = (await context.db).query('first');
      const length: number = await context.region;
      const { all } = await context.repo;
      return [...rows, ...all, length.toFixed(), context.aws.functionName].join();
    };
    const handler = middy7(queued(worker)).use(resources);
    expect(await handler({ task_name: 'work' } as never, lambdaContext() as never)).toBe(
      'first,all,6,worker',
    );
  });

  test('context.aws is the original AWS context, even if other middlewares extend the context', async () => {
    const awsContext = lambdaContext();
    const before = Object.getOwnPropertyDescriptors(awsContext);
    let aws: unknown;
    const copying: MiddlewareObj = {
      before(request) {
        request.context = { ...request.context };
      },
    };
    const stack = [contextResources({ db: () => 1, other: () => 2 }), copying];
    let sum = 0;
    const worker: Worker = async (_, context) => {
      aws = context.aws;
      sum = ((await context.db) as number) + ((await context.other) as number);
    };
    await handlerOf(worker, stack)(batchOf(1), awsContext);
    expect(aws).toBe(awsContext);
    expect(Object.getOwnPropertyDescriptors(awsContext)).toEqual(before);
    expect(sum).toBe(3);
  });

  test('values that a task stores on context last for the batch', async () => {
    const seen: unknown[] = [];
    const worker = (_: Task, context: TestContext & { cache?: number }) => {
      seen.push(context.cache);
      context.cache = (context.cache ?? 0) + 1;
    };
    const handler = handlerOf(worker as Worker, [contextResources({})]);
    const awsContext = lambdaContext();
    await handler(batchOf(3), awsContext);
    await handler(batchOf(2), awsContext);
    expect(seen).toEqual([undefined, 1, 2, undefined, 1]);
  });

  test('works in a direct invocation, with and without queued', async () => {
    const ended: string[] = [];
    const resources = contextResources({
      db: { create: () => 'db', dispose: (db: string) => ended.push(db) },
    });
    const worker = (_: unknown, context: unknown) => (context as TestContext).db;
    for (const handler of [middy7(queued(worker)).use(resources), middy7(worker as never).use(resources)]) {
      expect(await handler({ task_name: 'work' } as never, lambdaContext() as never)).toBe('db');
    }
    expect(ended).toEqual(['db', 'db']);
  });
});

describe('3. resources that depend on each other', () => {
  test('a factory gets the AWS context, a signal and the other resources', async () => {
    const awsContext = lambdaContext();
    let parts: { aws: unknown; signal: AbortSignal; resources: object } | undefined;
    const resources = contextResources({
      db: (got) => {
        parts = got;
        return got.signal.aborted;
      },
      other: () => 1,
    });
    let aborted: unknown;
    await handlerOf(
      async (_, c) => {
        aborted = await c.db;
      },
      [resources],
    )(batchOf(1), awsContext);
    expect([parts?.aws, aborted, Object.getOwnPropertyNames(parts?.resources)]).toEqual([
      awsContext,
      false,
      ['db', 'other'],
    ]);
    expect(parts?.signal.aborted).toBe(true);
  });

  test.each(['batch', 'container'] as const)('an error names the cycle, in scope %s', async (scope) => {
    const of = (name: string) => ({
      scope,
      create: ({ resources }: { resources: Record<string, Promise<unknown>> }) => resources[name],
    });
    const resources = contextResources({ a: of('b'), b: of('c'), c: of('a'), self: of('self') });
    const errors: Error[] = [];
    const worker: Worker = async (_, context) => {
      for (const name of ['a', 'self']) await context[name]?.catch((error) => errors.push(error));
    };
    await handlerOf(worker, [resources])(batchOf(1));
    expect(errors).toEqual([expect.any(ResourceCycleError), expect.any(ResourceCycleError)]);
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining('c → a → b → c'),
      expect.stringContaining('self → self'),
    ]);
  });

  test('an error names a cycle that two concurrent tasks enter at different resources', async () => {
    const of =
      (name: string) =>
      async ({ resources }: { resources: Record<string, Promise<unknown>> }) => {
        await settle();
        return resources[name];
      };
    const resources = contextResources({ a: of('b'), b: of('a') });
    const errors: Error[] = [];
    const worker: Worker = async ({ task_kwargs }, context) => {
      await context[task_kwargs?.n ? 'a' : 'b']?.catch((error) => errors.push(error));
    };
    await handlerOf(worker, [resources])(batchOf(2));
    expect(errors).toEqual([expect.any(ResourceCycleError), expect.any(ResourceCycleError)]);
  });

  test('two resources that share a dependency are not a cycle', async () => {
    const resources = contextResources({
      db: () => 1,
      b: async ({ resources }) => resources.db,
      c: async ({ resources }) => resources.db,
      d: async ({ resources }) => Promise.all([resources.b, resources.c, resources.db]),
    });
    expect(await handlerOf((_, context) => context.d, [resources])({ task_name: 'work' })).toEqual([1, 1, 1]);
  });

  test('a container resource keeps its dependencies alive, and cannot depend on batch scope', async () => {
    const ended: string[] = [];
    let good = true;
    const resources = contextResources({
      secret: {
        create: () => 'secret',
        dispose: () => ended.push('secret'),
        scope: 'container',
        validate: () => good,
      },
      db: {
        create: async ({ resources }) => resources.secret,
        dispose: () => ended.push('db'),
        scope: 'container',
        validate: () => good,
      },
      short: () => 'short',
      wrong: { create: ({ resources }) => resources.short, scope: 'container' },
    });
    const handler = handlerOf((_, context) => context.db, [resources]);
    await handler(batchOf(1));
    expect(ended).toEqual([]);
    good = false;
    await handler(batchOf(1));
    expect(ended).toEqual(['db', 'secret']);
    const refused = handlerOf((_, context) => context.wrong, [resources]);
    await expect(refused({ task_name: 'work' })).rejects.toMatchObject({ code: 'RESOURCE_SCOPE' });
  });
});

test('4. overlapping batches never share a batch-scoped resource', async () => {
  let made = 0;
  let underWay = 0;
  const ended: unknown[] = [];
  const both = gate();
  const resources = contextResources({
    db: { create: () => ++made, dispose: (db: number) => ended.push(db) },
  });
  const seen: Record<number, unknown[]> = { 0: [], 10: [] };
  const worker: Worker = async ({ task_kwargs }, context) => {
    underWay += 1;
    if (underWay === 6) both.open();
    const group = (task_kwargs?.n ?? 0) < 10 ? 0 : 10;
    const first = await context.db;
    await both.opened;
    expect(ended).toEqual([]);
    seen[group]?.push(first, await context.db);
  };
  const handler = handlerOf(worker, [resources]);
  const far = { Records: [10, 11, 12].map((n) => sqsRecord({ task_name: 'work', task_kwargs: { n } })) };
  await Promise.all([handler(batchOf(3)), handler(far)]);
  expect([new Set(seen[0]).size, new Set(seen[10]).size, made]).toEqual([1, 1, 2]);
  expect(seen[0]?.[0]).not.toBe(seen[10]?.[0]);
  expect(ended.toSorted()).toEqual([1, 2]);
});

describe('5. refused when the middleware is created', () => {
  test.each(['aws', 'awsRequestId', 'getRemainingTimeInMillis', 'done', 'then'])('the name %s', (name) => {
    const make = () => contextResources({ [name]: () => 1 });
    expect(make).toThrow(OptionError);
    expect(make).toThrow(name);
  });

  test.each<[string, unknown]>([
    ['no factory', { db: {} }],
    ['null', { db: null }],
    ['an unknown scope', { db: { create: () => 1, scope: 'forever' } }],
    ['a maxAgeSeconds of 0', { db: { create: () => 1, scope: 'container', maxAgeSeconds: 0 } }],
    ['maxAgeSeconds in scope batch', { db: { create: () => 1, maxAgeSeconds: 5 } }],
    ['an option that does not exist', { db: { create: () => 1, scope: 'container', maxAge: 5 } }],
    ['a dispose that is not a function', { db: { create: () => 1, dispose: true } }],
  ])('%s', (_, resources) => {
    expect(() => contextResources(resources as { db: () => unknown })).toThrow(OptionError);
  });
});

test('concurrent invocations have their own resources, even if one runs within a task of the other', async () => {
  let made = 0;
  const resources = () => contextResources({ id: () => ++made });
  const shared = resources();
  type WithId = { id: Promise<number> };
  const inner = middy7(queued(async (_: unknown, context: unknown) => (context as WithId).id)).use(
    resources(),
  );
  const handler = middy7(
    queued(async (_: unknown, context: unknown) => {
      const [nested] = (await inner(
        { Records: [sqsRecord({ task_name: 'inner' })] } as never,
        context as never,
      )) as {
        value?: number;
      }[];
      return [await (context as WithId).id, nested?.value];
    }),
  ).use(shared);
  const invoke = () => handler({ Records: [sqsRecord({ task_name: 'outer' })] } as never, lambdaContext());
  const outcomes = (await Promise.all([invoke(), invoke()])) as { value: number[] }[][];
  const ids = outcomes.flatMap(([outcome]) => outcome?.value ?? []);
  expect([...ids].sort()).toEqual([1, 2, 3, 4]);
});
