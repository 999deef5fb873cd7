import { describe, expect, jest, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSEvent } from 'aws-lambda';
import {
  contextResources,
  endChain,
  OptionError,
  queued,
  runTask,
  sqsSnsUnwrap,
  stageMiddleware,
  type Task,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';
import { unhandledIn } from '../support/unhandledIn.ts';

type Middy = typeof middy7;
type Around = NonNullable<Parameters<typeof stageMiddleware>[0]['around']>;
type Request = { response?: unknown; earlyResponse?: unknown };

const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];
const reporting = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;
const unwrapping = () => sqsSnsUnwrap() as MiddlewareObj;
const customStage = (around: Around) => stageMiddleware({ name: 'custom', around });
const inBefore = (hook: (request: Request) => unknown) => ({ before: hook }) as unknown as MiddlewareObj;
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
const batchOf = (...names: string[]): SQSEvent => ({
  Records: names.map((task_name) => sqsRecord({ task_name })),
});
const named = (...records: SQSEvent['Records']) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});
const throwing = (error: unknown) => () => {
  throw error;
};
const direct = { task_name: 'work' };

test.each(versions)(
  "another invocation's time-out does not end the tasks of this one: @middy/core %s",
  async (_, middy) => {
    const slow = customStage(async (_run, next) => {
      await next();
      await pause(60);
    });
    const worker = async (task: Task) => {
      if (task.task_name === 'hangs') await new Promise(() => {});
    };
    const build = (options: object) =>
      middy(queued(worker) as never, options)
        .use(reporting())
        .use(unwrapping())
        .use(slow);
    const late = batchOf('hangs');
    const answers = [
      build({})(batchOf('done') as never, lambdaContext() as Context),
      build({ timeoutEarlyInMillis: 59_980, timeoutEarlyResponse: () => null })(
        late as never,
        {
          ...lambdaContext(),
          getRemainingTimeInMillis: () => 60_000,
        } as Context,
      ),
    ];
    const [first, second] = await Promise.allSettled(answers);
    expect(first).toEqual({ status: 'fulfilled', value: named() });
    expect(second).toEqual({ status: 'fulfilled', value: named(...late.Records) });
  },
);

describe('the options', () => {
  const around: Around = (_, next) => next();
  test.each([
    ['an unknown key', { name: 'custom', arround: around }],
    ['no name', { around }],
    ['an empty name', { name: '', around }],
    ['an unknown position', { name: 'custom', around, order: { before: 'nowhere' } }],
    ['an unknown relation', { name: 'custom', around, order: { near: 'log' } }],
    ['two relations', { name: 'custom', around, order: { before: 'log', after: 'log' } }],
    ['an order that is not an object', { name: 'custom', around, order: 'log' }],
    ['both around and open', { name: 'custom', around, open: () => ({ around }) }],
    ['neither around nor open', { name: 'custom' }],
    ['an around that is not a function', { name: 'custom', around: 'around' }],
    ['a flag that is not a boolean', { name: 'custom', around, passive: 'yes' }],
  ])('%s is refused when the middleware is created', (_, options) => {
    expect(() => stageMiddleware(options as never)).toThrow(OptionError);
  });
});

describe.each(versions)('@middy/core %s', (_, middy) => {
  const stackOf = (handler: unknown, stack: readonly MiddlewareObj[], options = {}) => {
    const all = middy(handler as never, options) as unknown as ReturnType<Middy>;
    for (const middleware of stack) all.use(middleware);
    return (event: unknown, context: object = lambdaContext()) =>
      all(event as never, context as Context) as Promise<unknown>;
  };
  const echo = queued(async (task: Task) => task.task_name);

  test.each([
    ['a batch', batchOf('a')],
    ['a direct invocation', direct],
  ])('a duplicate stage fails %s, and the error says what to do', async (_, event) => {
    const twice = () =>
      stageMiddleware({ name: 'custom', twice: 'use the option buckets', around: (_run, next) => next() });
    for (const stack of [
      [twice(), twice(), reporting()],
      [reporting(), twice(), unwrapping(), twice()],
    ]) {
      await expect(stackOf(echo, stack)(event)).rejects.toMatchObject({
        code: 'DUPLICATE_STAGE',
        message: expect.stringContaining('use the option buckets'),
      });
    }
    const middleware = twice();
    await expect(stackOf(echo, [middleware, reporting(), middleware])(event)).rejects.toMatchObject({
      code: 'DUPLICATE_STAGE',
    });
  });

  describe('a loop without runTask, with only passive stages', () => {
    const nothingFailed = { batchItemFailures: [] };
    test('acknowledges its records', async () => {
      expect(await stackOf(async () => nothingFailed, [unwrapping()])(batchOf('a'))).toEqual(nothingFailed);
    });

    test.each([
      ['a batch response', nothingFailed],
      ['anything else', null],
    ])('a response set by a before hook does not prove that it ran: %s', async (_, answer) => {
      const setting = inBefore((request) => {
        request.response = answer;
      });
      const answering = inBefore(() => answer);
      const event = batchOf('a', 'b');
      const running = stackOf(async () => {}, [unwrapping(), setting, answering])(event).then((response) =>
        JSON.parse(JSON.stringify(response)),
      );
      if (answer) expect(await running).toEqual(named(...event.Records));
      else await expect(running).rejects.toMatchObject({ code: 'BATCH_FAILED' });
    });

    test('keeps a failure in its outcome that a later hook drops', async () => {
      const dropping = {
        after(request: Request) {
          request.response = nothingFailed;
        },
      } as unknown as MiddlewareObj;
      const event = batchOf('a', 'b');
      const [first] = event.Records as [SQSEvent['Records'][number]];
      const outcomes: [string, unknown][] = [
        ['settled', [{ status: 'rejected', reason: new Error('broken') }, { status: 'fulfilled' }]],
        ['named', named(first)],
      ];
      for (const [, outcome] of outcomes) {
        expect(await stackOf(async () => outcome, [unwrapping(), dropping])(event)).toEqual(named(first));
      }
    });
  });

  describe('a record that a loop runs twice', () => {
    const twice = (isWaiting: boolean, failing: number) => async (event: SQSEvent, context: Context) => {
      const [record] = event.Records as [SQSEvent['Records'][number]];
      let runs = 0;
      const work = async () => {
        const run = runs++;
        await pause(5 + 5 * run);
        if (run === failing) throw new Error('broken');
      };
      const first = runTask(record, context, work).catch(() => {});
      if (isWaiting) await first;
      await Promise.all([first, runTask(record, context, work).catch(() => {})]);
      return [{ status: 'fulfilled' }];
    };

    test('in sequence: the last outcome counts', async () => {
      for (const [failing, isDone] of [
        [0, true],
        [1, false],
      ] as const) {
        const event = batchOf('a');
        const answer = await stackOf(twice(true, failing), [unwrapping(), reporting()])(event);
        expect(answer).toEqual(isDone ? named() : named(...event.Records));
      }
    });

    test('concurrently: it is done when both runs are', async () => {
      for (const failing of [0, 1, 2]) {
        const event = batchOf('a');
        const answer = await stackOf(twice(false, failing), [unwrapping(), reporting()])(event);
        expect(answer).toEqual(failing === 2 ? named() : named(...event.Records));
      }
    });
  });

  describe('a stack inside a stack', () => {
    const inner = (work: (task: Task) => unknown, ...stack: MiddlewareObj[]) =>
      stackOf(queued(work as never), stack);
    const passing = () => customStage((_run, next) => next());

    test('for the same batch shares its stages', async () => {
      const work = async (task: Task) => {
        if (task.task_name === 'bad') throw new Error('bad');
      };
      const event = batchOf('a', 'bad');
      const outer = stackOf(inner(work, passing(), unwrapping()), [contextResources({}), reporting()]);
      expect(await outer(event)).toEqual(named(...event.Records.slice(1)));
    });

    test('reports a failure that the outer handler drops', async () => {
      const event = batchOf('a');
      const failing = inner(throwing(new Error('broken')), unwrapping());
      const outer = stackOf(
        async (event: unknown, context: Context) => {
          await failing(event, context);
        },
        [contextResources({}), reporting()],
      );
      expect(await outer(event)).toEqual(named(...event.Records));
    });

    test('for each record, as a batch of one or as a task', async () => {
      const runInner = inner((task: Task) => task.task_name, unwrapping(), passing());
      const runDirect = stackOf(async ({ task_name }: Task) => task_name, [passing()]);
      const work = async (task: Task, context: Context, { record }: { record: unknown }) => {
        await runInner({ Records: [record] }, context);
        return runDirect(task, context);
      };
      const handlers: [string, unknown][] = [
        ['queued', queued(work as never)],
        [
          'a loop',
          ({ Records }: SQSEvent, context: Context) =>
            Promise.allSettled(Records.map((record) => runTask(record, context, work as never))),
        ],
      ];
      for (const [name, handler] of handlers) {
        for (const event of [batchOf('a'), batchOf('a', 'b')]) {
          const seen: unknown[] = [];
          const looking = {
            after: ({ response }: Request) => void seen.push(...(response as { value: unknown }[])),
          } as unknown as MiddlewareObj;
          const answer = await stackOf(handler, [unwrapping(), reporting(), looking])(event);
          expect({ name, answer }).toEqual({ name, answer: named() });
          expect(seen).toMatchObject(event.Records.map((_record, index) => ({ value: 'ab'[index] })));
        }
      }
    });

    test('for the batch again, after part of it', async () => {
      const runInner = inner(() => {}, passing());
      const loop = async (event: SQSEvent, context: Context) => {
        for (const record of event.Records) await runInner({ Records: [record] }, context);
        await runInner(event, context);
        return runInner(event, context);
      };
      expect(await stackOf(loop, [contextResources({}), reporting()])(batchOf('a', 'b'))).toEqual(named());
    });
  });

  describe('any value thrown in a stage', () => {
    const cases: [string, (thrown: unknown) => MiddlewareObj][] = [
      ['before next()', (thrown) => customStage(throwing(thrown))],
      [
        'after next()',
        (thrown) =>
          customStage(async (_run, next) => {
            await next();
            throw thrown;
          }),
      ],
      [
        'in a check',
        (thrown) =>
          customStage((run, next) => {
            run.beforeHandler(async () => throwing(thrown)());
            return next();
          }),
      ],
      ['in open', (thrown) => stageMiddleware({ name: 'custom', open: throwing(thrown) })],
    ];
    const values = [undefined, null, 0, '', false, Object.freeze(new Error('frozen')), Symbol('thrown')];

    test.each(cases)('%s, fails its record, and a direct invocation', async (_, make) => {
      for (const thrown of values) {
        const event = batchOf('a');
        const answer = await stackOf(echo, [make(thrown), unwrapping(), reporting()])(event);
        expect(answer).toEqual(named(...event.Records));
        const reported: unknown[] = [];
        const watching = stageMiddleware({
          name: 'watching',
          open: ({ onFailure }) => void onFailure((error) => reported.push(error)) as undefined,
        });
        const error = await stackOf(echo, [watching, make(thrown), reporting()])(direct).then(
          () => 'no error',
          (reason: unknown) => reason,
        );
        // Middy and Lambda could treat undefined as no error.
        if (thrown === undefined) expect(error).toMatchObject({ code: 'THREW_UNDEFINED' });
        else expect(error).toBe(thrown);
        expect(reported).toEqual([error]);
      }
    });

    test.each(cases.slice(0, 3))('%s, endChain() ends the chain with its result', async (_, make) => {
      let runs = 0;
      const counting = queued(() => {
        runs += 1;
        return 'not the result';
      });
      expect(await stackOf(counting, [make(endChain('ended')), reporting()])(direct)).toBe('ended');
      const directRuns = runs;
      const seen: unknown[] = [];
      const looking = { after: ({ response }: Request) => void seen.push(response) };
      const stack = [make(endChain('ended')), reporting(), looking as unknown as MiddlewareObj];
      expect(await stackOf(counting, stack)(batchOf('a'))).toEqual(named());
      expect(seen).toMatchObject([[{ status: 'fulfilled', value: 'ended' }]]);
      // The handler runs in both cases or in neither.
      expect(runs).toBe(2 * directRuns);
    });
  });

  describe('a stage that does not call next()', () => {
    const cases: [string, Around, unknown][] = [
      ['skips the handler', (run) => run.skip('cached'), 'cached'],
      ['skips the handler without a result', (run) => run.skip(), undefined],
      ['does nothing', () => {}, { code: 'STAGE_DID_NOT_CONTINUE' }],
      [
        'skips the handler, and throws',
        (run) => {
          run.skip('cached');
          throw new Error('broken');
        },
        { message: 'broken' },
      ],
    ];
    test.each(cases)('%s', async (_, around, expected) => {
      const handler = jest.fn(() => 'ran');
      const stack = [customStage(around), reporting()];
      const event = batchOf('a');
      const batch = await stackOf(queued(handler), stack)(event);
      const running = stackOf(queued(handler), stack)(direct);
      if (typeof expected === 'object' && expected !== null) {
        expect(batch).toEqual(named(...event.Records));
        await expect(running).rejects.toMatchObject(expected);
      } else {
        expect(batch).toEqual(named());
        expect(await running).toBe(expected);
      }
      expect(handler).not.toHaveBeenCalled();
    });

    test('run.failure: the record is done, and a direct invocation fails', async () => {
      const handler = jest.fn(() => 'ran');
      const stack = [
        customStage((run) => {
          run.failure = new Error('handled');
        }),
        reporting(),
      ];
      expect(await stackOf(queued(handler), stack)(batchOf('a'))).toEqual(named());
      await expect(stackOf(queued(handler), stack)(direct)).rejects.toThrow('handled');
      expect(handler).not.toHaveBeenCalled();
    });

    test('run.failure = undefined does not swallow an error', async () => {
      const stack = [
        customStage(async (run, next) => {
          await next().catch(() => {});
          run.failure = undefined;
        }),
        reporting(),
      ];
      const event = batchOf('a');
      const failing = queued(throwing(new Error('broken')));
      expect(await stackOf(failing, stack)(event)).toEqual(named(...event.Records));
      await expect(stackOf(failing, stack)(direct)).rejects.toThrow('broken');
    });
  });

  describe('other middlewares', () => {
    const broken = throwing(new Error('broken'));
    const inAfter = (hook: (request: Request) => unknown) => ({ after: hook }) as unknown as MiddlewareObj;
    const inError = (hook: (request: Request & { error?: unknown }) => unknown) =>
      ({ onError: hook }) as unknown as MiddlewareObj;
    const passing = () => customStage((_run, next) => next());

    test('an error that is deleted or dropped is thrown all the same', async () => {
      const deleting = inError((request) => {
        Reflect.deleteProperty(request, 'error');
      });
      for (const event of [direct, batchOf('a')]) {
        await expect(stackOf(broken, [passing(), deleting])(event)).rejects.toThrow('broken');
      }
    });

    test('a response to an error does not replace that of a direct invocation', async () => {
      for (const hook of [
        () => 'page',
        (request: Request) => {
          request.response = 'page';
        },
      ]) {
        await expect(stackOf(queued(broken), [passing(), inError(hook)])(direct)).rejects.toThrow('broken');
      }
    });

    test('an early answer in a before hook fails the invocation before the answer is written', async () => {
      const answering = inBefore(() => 'page');
      await expect(stackOf(echo, [passing(), answering])(batchOf('a'))).rejects.toMatchObject({
        code: 'NOT_RUN',
      });
    });

    test('a record skipped by a loop is reported if a stage is not passive', async () => {
      const loop = ({ Records }: SQSEvent, context: Context) =>
        Promise.allSettled(Records.slice(1).map((record) => runTask(record, context, () => {})));
      const event = batchOf('a', 'b');
      const answering = inAfter((request) => {
        request.response = named();
      });
      expect(await stackOf(loop, [passing(), answering])(event)).toEqual(named(...event.Records.slice(0, 1)));
    });

    test('an empty list does not turn a failed invocation into success', async () => {
      const emptying = inError((request) => {
        request.response = [];
      });
      const replacing = inAfter((request) => {
        (request as unknown as { event: unknown }).event = { Records: [] };
      });
      const answer = await stackOf(echo, [unwrapping(), emptying, replacing])(batchOf('a'));
      expect(() => JSON.stringify(answer)).toThrow(expect.objectContaining({ code: 'BATCH_FAILED' }));
    });

    test('a hook may log an outcome with failures', async () => {
      const logging = inAfter(({ response }) => void JSON.stringify(response));
      for (const stack of [
        [logging, unwrapping(), reporting()],
        [unwrapping(), reporting(), logging],
      ]) {
        const event = batchOf('a');
        expect(await stackOf(queued(broken), stack)(event)).toEqual(named(...event.Records));
      }
    });

    test('the answer of Middy’s timeout stops the tasks, even if queued does not get Middy’s signal', async () => {
      const cut: boolean[] = [];
      const stage = customStage(async (run, next) => {
        await next().catch(() => {});
        cut.push(run.signal.aborted, run.cutoff.aborted);
      });
      const running = queued(() => new Promise<never>(() => {}));
      const wrapper = (event: SQSEvent, context: never) => running(event, context);
      const options = { timeoutEarlyInMillis: 59_950, timeoutEarlyResponse: () => ({ statusCode: 500 }) };
      const context = lambdaContext({ getRemainingTimeInMillis: () => 60_000 });
      const answer = await stackOf(wrapper, [stage], options)(batchOf('a'), context);
      expect(() => JSON.stringify(answer)).toThrow(expect.objectContaining({ code: 'BATCH_FAILED' }));
      await pause(0);
      expect(cut).toEqual([true, true]);
    });

    test('the work registered for the end runs once, also before an early answer', async () => {
      let ends = 0;
      const ending = () =>
        stageMiddleware({
          name: 'ending',
          passive: true,
          open({ onEnd }) {
            onEnd(async () => {
              await pause(2);
              ends += 1;
            });
            return {};
          },
        });
      const cases: [string, MiddlewareObj[], unknown][] = [
        ['success', [ending()], direct],
        ['an early answer', [ending(), inBefore(() => 'page')], direct],
        ['an early answer to a batch', [ending(), inBefore(() => 'page')], batchOf('a')],
        ['an early answer in an after', [ending(), inAfter(() => 'page')], direct],
        ['a refused answer in an after', [ending(), inAfter(() => ({ batchItemFailures: [] }))], direct],
        ['an error', [ending(), inAfter(broken)], direct],
        ['an early answer in an onError', [ending(), inError(() => 'page'), inAfter(broken)], batchOf('a')],
      ];
      for (const [name, stack, event] of cases) {
        ends = 0;
        await stackOf(echo, stack)(event).catch(() => {});
        expect({ name, ends }).toEqual({ name, ends: 1 });
      }
      // Middy throws at once, so the work has only started here.
      ends = 0;
      await stackOf(echo, [ending(), inError(broken), inAfter(broken)])(direct).catch(() => {});
      await pause(20);
      expect(ends).toBe(1);
    });
  });

  describe('a loop', () => {
    const passing = () => customStage((_run, next) => next());
    const fulfilled = () => [{ status: 'fulfilled' }];

    test('that forgets to await: the answer waits for its runs', async () => {
      let isDone = false;
      const loop = async ({ Records }: SQSEvent, context: Context) => {
        for (const record of Records) {
          runTask(record, context, async () => {
            await pause(5);
            isDone = true;
          });
        }
        return fulfilled();
      };
      const answer = await stackOf(loop, [passing()])(batchOf('a'));
      expect(isDone).toBe(true);
      expect(JSON.stringify(answer)).toBe('[{"status":"fulfilled"}]');
    });

    test('that runs nothing: the error says so, and is logged', async () => {
      const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
      const expected = expect.objectContaining({ code: 'PIPELINE_NOT_RUN' });
      await expect(stackOf(async () => {}, [passing()])(batchOf('a'))).rejects.toEqual(expected);
      const event = batchOf('a');
      expect(await stackOf(async () => fulfilled(), [passing(), reporting()])(event)).toEqual(
        named(...event.Records),
      );
      expect(logged.mock.calls).toEqual([[expected], [expected]]);
      logged.mockRestore();
      expect(await stackOf(async () => [], [passing(), reporting()])(batchOf())).toEqual(named());
    });

    test('that runs one of two records with the same id: the message is not done', async () => {
      const event = batchOf('a', 'b');
      const [first, second] = event.Records as [SQSEvent['Records'][number], SQSEvent['Records'][number]];
      second.messageId = first.messageId;
      const loop = async ({ Records }: SQSEvent, context: Context) => {
        await runTask(Records[0] as SQSEvent['Records'][number], context, () => {});
        return [...fulfilled(), ...fulfilled()];
      };
      expect(await stackOf(loop, [passing(), reporting()])(event)).toEqual(named(first, first));
      expect(await stackOf(echo, [passing(), reporting()])(event)).toEqual(named());
    });

    test('that continues after the deadline: no stage starts', async () => {
      const around = jest.fn<Around>((_run, next) => next());
      const loop = ({ Records }: SQSEvent, context: Context) =>
        Promise.allSettled(Records.map((record) => runTask(record, context, () => {})));
      const event = batchOf('a');
      const context = lambdaContext({ getRemainingTimeInMillis: () => 100 });
      expect(await stackOf(loop, [customStage(around), reporting()])(event, context)).toEqual(
        named(...event.Records),
      );
      expect(around).not.toHaveBeenCalled();
    });
  });

  test('a second next() that is not awaited does not crash the process', async () => {
    const twice = customStage(async (_run, next) => {
      await next();
      next();
    });
    const event = batchOf('a');
    const unhandled = await unhandledIn(async () => {
      expect(await stackOf(echo, [twice, reporting()])(event)).toEqual(named(...event.Records));
      await expect(stackOf(echo, [twice])(direct)).rejects.toMatchObject({ code: 'NEXT_CALLED_TWICE' });
    });
    expect(unhandled).toEqual([]);
  });

  test('a duplicate middleware fails an event that is not a task too', async () => {
    const resources = contextResources({});
    await expect(stackOf(async () => 1, [resources, resources])({ detail: 1 })).rejects.toMatchObject({
      code: 'DUPLICATE_STAGE',
    });
  });

  describe('a direct invocation', () => {
    const passing = (name = 'custom') => stageMiddleware({ name, around: (_run, next) => next() });

    test('throws the error that a stage replaced', async () => {
      const replacing = customStage((_run, next) =>
        next().catch((cause: unknown) => {
          throw new Error('replaced', { cause });
        }),
      );
      await expect(stackOf(throwing(new Error('broken')), [replacing])(direct)).rejects.toThrow('replaced');
    });

    test('an answer that JSON would change is refused, with or without queued and stages', async () => {
      const answering = () => ({ a: new Set([1]) });
      for (const handler of [answering, queued(answering)]) {
        await expect(stackOf(handler, [passing()])(direct)).rejects.toMatchObject({ path: '$.a' });
      }
      await expect(stackOf(queued(answering), [])(direct)).rejects.toMatchObject({ path: '$.a' });
    });

    test('endChain() without a value, thrown in a later stage, is an answer', async () => {
      const ending = stageMiddleware({ name: 'z', around: throwing(endChain()) });
      const after = { after: throwing(endChain()) } as unknown as MiddlewareObj;
      expect((await stackOf(echo, [passing(), ending])(direct)) ?? null).toBeNull();
      expect((await stackOf(echo, [passing(), after])(direct)) ?? null).toBeNull();
    });

    test('an early answer ends the stages around it without an unhandled rejection', async () => {
      const ended: unknown[] = [];
      const watching = customStage(async (_run, next) => {
        await next().catch((error: unknown) => {
          ended.push((error as { code: string }).code);
          throw error;
        });
      });
      const unhandled = await unhandledIn(async () => {
        expect(await stackOf(echo, [watching, inBefore(() => 'early')])(direct)).toBe('early');
        await pause(5);
      });
      expect({ ended, unhandled }).toEqual({ ended: ['ANSWERED_EARLY'], unhandled: [] });
    });
  });
});
