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

type Middy = typeof middy7;
type Around = NonNullable<Parameters<typeof stageMiddleware>[0]['around']>;
type Request = { response?: unknown; earlyResponse?: unknown };

const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];
const reporting = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;
const unwrapping = () => sqsSnsUnwrap() as MiddlewareObj;
const own = (around: Around) => stageMiddleware({ name: 'own', around });
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

describe('the options', () => {
  const around: Around = (_, next) => next();
  test.each([
    ['an unknown key', { name: 'own', arround: around }],
    ['no name', { around }],
    ['an empty name', { name: '', around }],
    ['an unknown position', { name: 'own', around, order: { before: 'nowhere' } }],
    ['an unknown relation', { name: 'own', around, order: { near: 'log' } }],
    ['two relations', { name: 'own', around, order: { before: 'log', after: 'log' } }],
    ['an order that is not an object', { name: 'own', around, order: 'log' }],
    ['both around and open', { name: 'own', around, open: () => ({ around }) }],
    ['neither around nor open', { name: 'own' }],
    ['an around that is not a function', { name: 'own', around: 'around' }],
    ['a flag that is not a boolean', { name: 'own', around, passive: 'yes' }],
  ])('%s is refused when the middleware is made', (_, options) => {
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
  ])('a stage twice fails %s, and the error says what to do', async (_, event) => {
    const twice = () =>
      stageMiddleware({ name: 'own', twice: 'use the option buckets', around: (_run, next) => next() });
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

  describe('a loop without runTask, where all stages are passive', () => {
    const nothingFailed = { batchItemFailures: [] };
    test('acknowledges its records', async () => {
      expect(await stackOf(async () => nothingFailed, [unwrapping()])(batchOf('a'))).toEqual(nothingFailed);
    });

    test.each([
      ['a batch response', nothingFailed],
      ['anything else', null],
    ])('a before that sets a response does not prove that it has run: %s', async (_, answer) => {
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

    test('keeps a failure that its outcome named, when a later hook drops it', async () => {
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

    test('one after the other: the last outcome counts', async () => {
      for (const [failing, isDone] of [
        [0, true],
        [1, false],
      ] as const) {
        const event = batchOf('a');
        const answer = await stackOf(twice(true, failing), [unwrapping(), reporting()])(event);
        expect(answer).toEqual(isDone ? named() : named(...event.Records));
      }
    });

    test('at the same time: it is done when both are', async () => {
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
    const passing = () => own((_run, next) => next());

    test('around the same batch, its stages are shared', async () => {
      const work = async (task: Task) => {
        if (task.task_name === 'bad') throw new Error('bad');
      };
      const event = batchOf('a', 'bad');
      const outer = stackOf(inner(work, passing(), unwrapping()), [contextResources({}), reporting()]);
      expect(await outer(event)).toEqual(named(...event.Records.slice(1)));
    });

    test('a failure that the outer handler drops is named all the same', async () => {
      const event = batchOf('a');
      const failing = inner(throwing(new Error('broken')), unwrapping());
      const outer = stackOf(
        async (given: unknown, context: Context) => {
          await failing(given, context);
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

    test('over the batch again, after a part of it', async () => {
      const runInner = inner(() => {}, passing());
      const loop = async (event: SQSEvent, context: Context) => {
        for (const record of event.Records) await runInner({ Records: [record] }, context);
        await runInner(event, context);
        return runInner(event, context);
      };
      expect(await stackOf(loop, [contextResources({}), reporting()])(batchOf('a', 'b'))).toEqual(named());
    });
  });

  describe('whatever is thrown in a stage', () => {
    const places: [string, (thrown: unknown) => MiddlewareObj][] = [
      ['before next()', (thrown) => own(throwing(thrown))],
      [
        'after next()',
        (thrown) =>
          own(async (_run, next) => {
            await next();
            throw thrown;
          }),
      ],
      [
        'in a check',
        (thrown) =>
          own((run, next) => {
            run.beforeHandler(async () => throwing(thrown)());
            return next();
          }),
      ],
      ['in open', (thrown) => stageMiddleware({ name: 'own', open: throwing(thrown) })],
    ];
    const values = [undefined, null, 0, '', false, Object.freeze(new Error('frozen')), Symbol('thrown')];

    test.each(places)('%s, it fails its record, and a direct invocation', async (_, make) => {
      for (const thrown of values) {
        const event = batchOf('a');
        const answer = await stackOf(echo, [make(thrown), unwrapping(), reporting()])(event);
        expect(answer).toEqual(named(...event.Records));
        const told: unknown[] = [];
        const watching = stageMiddleware({
          name: 'watching',
          open: ({ onFailure }) => void onFailure((error) => told.push(error)) as undefined,
        });
        const error = await stackOf(echo, [watching, make(thrown), reporting()])(direct).then(
          () => 'no error',
          (reason: unknown) => reason,
        );
        // Middy and Lambda could take undefined for no error.
        if (thrown === undefined) expect(error).toMatchObject({ code: 'THREW_UNDEFINED' });
        else expect(error).toBe(thrown);
        expect(told).toEqual([error]);
      }
    });

    test.each(places.slice(0, 3))('%s, endChain() ends the chain with its result', async (_, make) => {
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
      // The handler runs in neither or in both.
      expect(runs).toBe(2 * directRuns);
    });
  });

  describe('a stage that does not call next()', () => {
    const cases: [string, Around, unknown][] = [
      ['skips the handler', (run) => run.skip('cached'), 'cached'],
      ['skips the handler, with nothing', (run) => run.skip(), undefined],
      ['says nothing', () => {}, { code: 'STAGE_DID_NOT_CONTINUE' }],
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
      const stack = [own(around), reporting()];
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

    test('keeps an error to itself: the record is done, and a direct invocation fails', async () => {
      const handler = jest.fn(() => 'ran');
      const stack = [
        own((run) => {
          run.failure = new Error('handled');
        }),
        reporting(),
      ];
      expect(await stackOf(queued(handler), stack)(batchOf('a'))).toEqual(named());
      await expect(stackOf(queued(handler), stack)(direct)).rejects.toThrow('handled');
      expect(handler).not.toHaveBeenCalled();
    });

    test('setting run.failure to undefined does not keep an error', async () => {
      const stack = [
        own(async (run, next) => {
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
});
