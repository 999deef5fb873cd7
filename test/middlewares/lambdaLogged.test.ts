import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import warmup from '@middy/warmup';
import type { SQSEvent } from 'aws-lambda';
import {
  callbackPublisher,
  failurePolicy,
  lambdaLogged,
  OptionError,
  queued,
  sqsSnsUnwrap,
  stageMiddleware,
  type Task,
  type TaskHandler,
} from '../../middlewares/index.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Kwargs = { n: number; secret?: string };
type Worker = TaskHandler<Task<Kwargs>, unknown, unknown>;
type Handler = (event: unknown, context?: unknown) => Promise<unknown>;

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

/** A logger for one test, and the lines it writes. */
function makeLogger(options: ConstructorParameters<typeof Logger>[0] = {}) {
  const logger = new Logger({ serviceName: 'shop', ...options });
  return { logger, ...capturedLines(logger) };
}

const unwrap = () => sqsSnsUnwrap() as MiddlewareObj;
const quietPartial = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;

function stackOf(worker: Worker, stack: MiddlewareObj[], options = {}): Handler {
  const handler = middy(queued(worker, options)) as unknown as ReturnType<typeof middy>;
  for (const middleware of stack) handler.use(middleware);
  return (event, context = lambdaContext()) => handler(event as never, context as never) as Promise<unknown>;
}

const taskOf = (n: number, more: object = {}) =>
  sqsRecord({ task_name: `task${n}`, task_kwargs: { n }, callback: `task${n}#next`, ...more });
const batchOf = (...numbers: number[]): SQSEvent => ({ Records: numbers.map((n) => taskOf(n)) });
const nine = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const failing: Worker = ({ task_kwargs }) => {
  if ((task_kwargs?.n ?? 0) % 2)
    throw new Error(`${task_kwargs?.n} is broken`, { cause: new TypeError('why') });
};

describe('1. structured lines', () => {
  test('a line has the function and the request; in a task, the task and its chain too', async () => {
    process.env._X_AMZN_TRACE_ID =
      'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'on-demand';
    const { logger, lines } = makeLogger();
    const handler = stackOf(() => logger.info('working'), [lambdaLogged({ logger }), unwrap()]);
    const record = taskOf(1);
    record.attributes.ApproximateReceiveCount = '3';
    await handler({ Records: [record] });
    await handler(batchOf(2));
    const [line, summary, second] = lines();
    const ofFunction = {
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: 'INFO',
      service: 'shop',
      function_name: 'worker',
      function_version: '$LATEST',
      function_arn: 'arn:aws:lambda:us-east-1:123456789012:function:worker',
      function_memory_size: '128',
      function_request_id: lambdaContext().awsRequestId,
      cold_start: true,
      xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793',
    };
    expect(line).toMatchObject({
      ...ofFunction,
      message: 'working',
      task_name: 'task1',
      message_id: record.messageId,
      receive_count: 3,
      chain_id: JSON.parse(record.body).MessageId,
      chain: 'task1#next',
    });
    expect(summary).toMatchObject({ ...ofFunction, message: 'batch done' });
    expect(summary).not.toHaveProperty('task_name');
    expect(second).toMatchObject({ cold_start: false, task_name: 'task2' });
  });

  test("uses the function's name as the service by default", async () => {
    delete process.env.POWERTOOLS_SERVICE_NAME;
    const services = async (logger: Logger) => {
      const { lines } = capturedLines(logger);
      logger.info('before');
      await stackOf(() => logger.info('working'), [lambdaLogged({ logger }), unwrap()])(batchOf(1));
      return lines().map(({ service }) => service);
    };
    expect(await services(new Logger())).toEqual(['service_undefined', 'worker', 'worker']);
    expect(await services(new Logger({ serviceName: 'shop' }))).toEqual(['shop', 'shop', 'shop']);
    process.env.POWERTOOLS_SERVICE_NAME = 'named';
    expect(await services(new Logger())).toEqual(['named', 'named', 'named']);
  });

  test('keeps the incoming chain id, unless it is malformed', async () => {
    const { logger, lines } = makeLogger();
    const outgoing: unknown[] = [];
    const handler = stackOf(
      () => logger.info('working'),
      [lambdaLogged({ logger }), unwrap(), lastStage(outgoing)],
    );
    const raw = (id: string) =>
      sqsRecord(
        { task_name: 'work' },
        { raw: true, messageAttributes: { chain_id: { dataType: 'String', stringValue: id } } },
      );
    const bad = raw('a\nb "c"');
    await handler({ Records: [raw('first-message'), bad] });
    expect(
      lines()
        .map(({ chain_id }) => chain_id)
        .slice(0, 2),
    ).toEqual(['first-message', bad.messageId]);
    expect(outgoing).toEqual([{ chain_id: 'first-message' }, { chain_id: bad.messageId }]);
  });

  test('a task that another stage provides is on the lines from then on', async () => {
    const { logger, lines } = makeLogger();
    const fetch = () =>
      stageMiddleware({
        name: 'fetch',
        order: { before: 'states' },
        around(run, next) {
          run.task = { task_name: 'fetched', task_kwargs: {}, callback: 'next' };
          return next();
        },
      });
    const worker = () => {
      logger.info('working');
      throw new Error('broken');
    };
    await stackOf(worker, [lambdaLogged({ logger }), fetch()])({ Records: [sqsRecord('[]')] });
    const keys = { task_name: 'fetched', chain: 'next', chain_id: expect.any(String) };
    expect(lines().slice(0, 2)).toMatchObject([
      { message: 'working', ...keys },
      { message: 'task failed', ...keys },
    ]);
  });

  test('works in a direct invocation, also without queued', async () => {
    const { logger, lines } = makeLogger();
    const log = lambdaLogged({ logger });
    const plain = middy(async () => logger.info('working')).use(log) as unknown as Handler;
    for (const handler of [stackOf(() => logger.info('working'), [log]), plain]) {
      await handler({ task_name: 'work', callback: 'next' }, lambdaContext());
    }
    const line = {
      message: 'working',
      task_name: 'work',
      chain: 'next',
      chain_id: lambdaContext().awsRequestId,
    };
    expect(lines()).toEqual([expect.objectContaining(line), expect.objectContaining(line)]);
  });

  test('a line from outside an invocation belongs to the only running one', async () => {
    const { logger, lines } = makeLogger();
    let write = () => {};
    const written = new Promise<void>((resolve) => {
      write = resolve;
    }).then(() => logger.info('connection lost'));
    await stackOf(() => {
      write();
      return written;
    }, [lambdaLogged({ logger }), unwrap()])(batchOf(1));
    expect(lines()[0]).toMatchObject({ message: 'connection lost', function_name: 'worker' });
    expect(lines()[0]).not.toHaveProperty('task_name');
    logger.info('later');
    expect(lines().at(-1)).not.toHaveProperty('function_name');
  });
});

/** Returns the attributes that the stages outside the handler put on the callback. */
function lastStage(outgoing: unknown[]): MiddlewareObj {
  return stageMiddleware({
    name: 'last',
    order: { after: 'hydrate' },
    around: async (run, next) => {
      outgoing.push({ ...run.outgoingAttributes });
      await next();
    },
  });
}

describe('3. per task, even with ten concurrent tasks', () => {
  /** Logs before and after every kind of asynchronous work. */
  const wander =
    (logger: Logger, seen: (n: number) => void): Worker =>
    async ({ task_kwargs }) => {
      const n = task_kwargs?.n ?? 0;
      const say = () => logger.info('here', { n });
      say();
      await sleep((n * 7) % 5);
      say();
      await Promise.all([
        sleep(1).then(say),
        new Promise<void>((done) => process.nextTick(() => done(say()))),
      ]);
      await new Promise<void>((done) => setImmediate(() => done(say())));
      await (async function* () {
        yield 1;
        await sleep((9 - n) % 4);
        yield 2;
      })().next();
      say();
      seen(n);
    };

  test('ten interleaved tasks: each line has only its own task', async () => {
    const { logger, lines } = makeLogger();
    const order: number[] = [];
    const handler = stackOf(
      wander(logger, (n) => order.push(n)),
      [lambdaLogged({ logger }), unwrap()],
    );
    await handler(batchOf(...nine));
    expect(order).toHaveLength(10);
    expect(order).not.toEqual(nine);
    const here = lines().filter(({ message }) => message === 'here');
    expect(here).toHaveLength(60);
    expect(here.map(({ n }) => `task${n}`)).toEqual(here.map(({ task_name }) => task_name));
    expect(new Set(here.map(({ message_id }) => message_id)).size).toBe(10);
  });

  test('two concurrent invocations: each line has its own request', async () => {
    const { logger, lines } = makeLogger();
    const handler = stackOf(
      wander(logger, () => {}),
      [lambdaLogged({ logger }), unwrap()],
    );
    await Promise.all([
      handler(batchOf(0, 1, 2), lambdaContext({ awsRequestId: 'low' })),
      handler(batchOf(5, 6, 7), lambdaContext({ awsRequestId: 'high' })),
    ]);
    for (const line of lines().filter(({ message }) => message === 'here')) {
      expect([line['n'], line['function_request_id'], line['task_name']]).toEqual([
        line['n'],
        Number(line['n']) < 5 ? 'low' : 'high',
        `task${line['n']}`,
      ]);
    }
    const summaries = lines().filter(({ message }) => message === 'batch done');
    expect(summaries.map(({ function_request_id }) => function_request_id).sort()).toEqual(['high', 'low']);
  });

  test('applies to child loggers', async () => {
    const { logger, lines } = makeLogger();
    const child = logger.createChild({ persistentKeys: { part: 'child' } });
    const { lines: childLines } = capturedLines(child);
    await stackOf(() => child.info('working'), [lambdaLogged({ logger }), unwrap()])(batchOf(1));
    expect(childLines()).toEqual([expect.objectContaining({ part: 'child', task_name: 'task1' })]);
    expect(lines()).toHaveLength(1);
  });

  test('keys appended in one invocation are gone in the next', async () => {
    const { logger, lines } = makeLogger();
    const worker: Worker = ({ task_kwargs }) => {
      if (task_kwargs?.n === 1) logger.appendKeys({ customer: 'c1' });
      logger.info('working', { chain: 'mine' });
    };
    const handler = stackOf(worker, [lambdaLogged({ logger }), unwrap()]);
    await handler(batchOf(1));
    await handler(batchOf(2));
    const [first, , second] = lines();
    expect(first).toMatchObject({ customer: 'c1', chain: 'mine' });
    expect(second).not.toHaveProperty('customer');
  });
});

describe('4. levels', () => {
  const debugLines = async (env: Record<string, string>, options = {}) => {
    for (const name of ['DEBUG', 'LOG_LEVEL', 'POWERTOOLS_LOG_LEVEL', 'AWS_LAMBDA_LOG_LEVEL'])
      delete process.env[name];
    Object.assign(process.env, env);
    const { logger, lines } = makeLogger(options);
    const handler = stackOf(
      () => logger.debug('detail'),
      [lambdaLogged({ logger }), injectLambdaContext(logger) as MiddlewareObj],
    );
    // From the second invocation on, Powertools' middleware resets the level to its first value.
    for (let call = 0; call < 2; call += 1) await handler(batchOf(1));
    return lines().filter(({ message }) => message === 'detail').length;
  };

  test.each([
    [{ DEBUG: 'true' }, 2],
    [{ DEBUG: 'TRUE' }, 2],
    [{ DEBUG: '1' }, 2],
    [{ DEBUG: ' true ' }, 2],
    [{ DEBUG: 'nottrue' }, 0],
    [{ DEBUG: '10' }, 0],
    [{ DEBUG: 'false' }, 0],
    [{ DEBUG: 'express:*' }, 0],
    [{}, 0],
    [{ DEBUG: 'true', LOG_LEVEL: 'WARN' }, 0],
    [{ DEBUG: 'true', POWERTOOLS_LOG_LEVEL: 'INFO' }, 0],
    [{ DEBUG: 'true', AWS_LAMBDA_LOG_LEVEL: 'INFO' }, 0],
    [{ LOG_LEVEL: 'DEBUG' }, 2],
  ])('%j: %i of 2 debug lines', async (env, expected) => {
    expect(await debugLines(env)).toBe(expected);
  });

  test.each(['ERROR', 'INFO', 'info'])('a logger created with the level %s keeps it', async (logLevel) => {
    expect(await debugLines({ DEBUG: 'true' }, { logLevel })).toBe(0);
  });

  test('samples as Powertools does, once per invocation', async () => {
    // A sampling logger writes a line in its constructor, before its lines can be captured.
    const silence = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { logger, lines } = makeLogger({ sampleRateValue: 1 });
    silence.mockRestore();
    const handler = stackOf(() => logger.debug('detail'), [lambdaLogged({ logger })]);
    await handler(batchOf(1));
    await handler(batchOf(1));
    expect(lines().filter(({ message }) => message === 'detail')).toHaveLength(2);
  });

  test('keeps a level set at start-up', async () => {
    const { logger, lines } = makeLogger();
    logger.setLogLevel('DEBUG');
    const handler = stackOf(() => logger.debug('detail'), [lambdaLogged({ logger })]);
    for (let call = 0; call < 3; call += 1) await handler(batchOf(1));
    expect(lines().filter(({ message }) => message === 'detail')).toHaveLength(3);
  });

  test('buffers as Powertools does: a failure flushes the debug lines of its invocation, with their keys', async () => {
    const { logger, lines } = makeLogger({ logBufferOptions: { bufferAtVerbosity: 'DEBUG' } });
    const worker: Worker = (task, context, extras) => {
      logger.debug('detail');
      return failing(task, context, extras);
    };
    const handler = stackOf(worker, [lambdaLogged({ logger }), unwrap(), quietPartial()]);
    // A retried invocation has the same trace id.
    process.env._X_AMZN_TRACE_ID = 'Root=1-00000000-000000000000000000000001';
    await handler(batchOf(2));
    await handler(batchOf(3));
    expect(lines().map(({ message, task_name }) => [message, task_name])).toEqual([
      ['batch done', undefined],
      ['detail', 'task3'],
      ['task failed', 'task3'],
      ['batch done', undefined],
    ]);
  });
});

describe('5. failures and the summary', () => {
  test('a failed task writes one error line with the error, its causes, the task and the receive count', async () => {
    const { logger, lines, errors } = makeLogger();
    const handler = stackOf(failing, [lambdaLogged({ logger }), unwrap(), quietPartial()]);
    const event = batchOf(...nine);
    await handler(event);
    expect(errors().map(({ task_name }) => task_name)).toEqual(['task1', 'task3', 'task5', 'task7', 'task9']);
    expect(errors()[0]).toMatchObject({
      message: 'task failed',
      message_id: event.Records[1]?.messageId,
      receive_count: 1,
      error: {
        name: 'Error',
        message: '1 is broken',
        stack: expect.stringContaining('lambdaLogged.test'),
        cause: { name: 'TypeError', message: 'why' },
      },
    });
    expect(lines()).toHaveLength(6);
    expect(lines().at(-1)).toMatchObject({ level: 'INFO', message: 'batch done', records: 10, failed: 5 });
    expect(lines().at(-1)?.['milliseconds']).toEqual(expect.any(Number));
    expect(lines().at(-1)?.['bytes_hydrated']).toBe(0);
  });

  test('writes thrown non-errors, cyclic causes and values that cannot be serialised', async () => {
    const circle = new Error('outer', { cause: new Error('inner') });
    (circle.cause as Error).cause = circle;
    const unwritable = Object.assign(new Error('unwritable'), {
      get detail() {
        return {
          toJSON() {
            throw new Error('no');
          },
        };
      },
    });
    const many = new AggregateError([new Error('one'), new Error('two')], 'both');
    const thrown = ['text', undefined, { code: 7, password: 'hush' }, circle, unwritable, many];
    const { logger, errors, texts } = makeLogger();
    const worker: Worker = ({ task_kwargs }) => {
      throw thrown[task_kwargs?.n ?? 0];
    };
    const event = batchOf(0, 1, 2, 3, 4, 5);
    const answer = await stackOf(worker, [lambdaLogged({ logger }), unwrap(), quietPartial()])(event);
    expect((answer as { batchItemFailures: unknown[] }).batchItemFailures).toHaveLength(6);
    expect(errors().map(({ error }) => (error as Error).message)).toEqual([
      "'text'",
      'undefined',
      "{ code: 7, password: '[redacted]' }",
      'outer',
      'unwritable',
      'both',
    ]);
    expect(errors()[3]).toMatchObject({
      error: { cause: { message: 'inner', cause: { message: 'outer' } } },
    });
    expect(errors()[5]).toMatchObject({ error: { errors: [{ message: 'one' }, { message: 'two' }] } });
    expect(texts.join()).not.toContain('hush');
  });

  describe('writes exactly one error line per failed task, whatever else is in the stack', () => {
    const loud: [string, (logger: Logger) => MiddlewareObj][] = [
      ['nothing that maps the outcome', () => ({ before: () => {} })],
      [
        'a reporter that writes to the console',
        () =>
          reporting(() => sqsPartialBatchFailure({ logger: (...args: unknown[]) => console.error(...args) })),
      ],
      ['error-logger', () => ({ onError: ({ error }) => console.error(error) })],
      [
        "Powertools' own middleware",
        (logger) => injectLambdaContext(logger, { flushBufferOnUncaughtError: false }) as MiddlewareObj,
      ],
    ];
    test.each(loud)('%s', async (_, make) => {
      for (const first of [true, false]) {
        const { logger, errors } = makeLogger();
        const log = lambdaLogged({ logger });
        const stack = first ? [log, make(logger)] : [make(logger), log];
        const raw = await rawErrors(async () => {
          const handler = stackOf(failing, [...stack, unwrap()]);
          const response = await handler(batchOf(0, 1, 2, 3));
          expect(() => JSON.stringify(response)).not.toThrow(TypeError);
        });
        expect({
          first,
          lines: errors().map(({ message, task_name }) => `${message} ${task_name}`),
          raw,
        }).toEqual({
          first,
          lines: ['task failed task1', 'task failed task3'],
          raw: [],
        });
      }
    });

    const reporting = (make: () => unknown) => make() as MiddlewareObj;

    /** Returns the lines that reach the console past the logger; serialises the answer as the Lambda runtime does. */
    async function rawErrors(work: () => Promise<void>): Promise<unknown[]> {
      const { error } = console;
      const raw: unknown[] = [];
      console.error = (...args) => raw.push(args);
      try {
        await work().catch((failure) => {
          if (failure.code !== 'BATCH_FAILED') throw failure;
        });
      } finally {
        console.error = error;
      }
      return raw;
    }

    test('failurePolicy: a task sent to the dead-letter queue counts as failed', async () => {
      const { logger, errors, lines } = makeLogger();
      const sent: unknown[] = [];
      const sqs = { send: async (command: unknown) => sent.push(command) };
      const policy = failurePolicy({
        sqs: sqs as never,
        deadLetterQueue: 'https://sqs.example/dead',
        isFinal: () => true,
      });
      const stack = [lambdaLogged({ logger }), unwrap(), quietPartial(), policy];
      expect(await stackOf(failing, stack)(batchOf(1, 2))).toEqual({ batchItemFailures: [] });
      expect(sent).toHaveLength(1);
      expect(errors()).toEqual([expect.objectContaining({ task_name: 'task1' })]);
      expect(lines().at(-1)).toMatchObject({ failed: 1 });
    });

    test('a failure handled by a stage: the message is done, the task has failed', async () => {
      const { logger, lines } = makeLogger();
      const ends: unknown[] = [];
      const start = () => ({
        outgoingAttributes: {},
        run: <T>(work: () => T) => work(),
        end: (end: unknown) => ends.push(end),
      });
      const tracing = { start, span: <T>(_: string, work: () => T) => work(), send: () => ({}) };
      const failure = new Error('reported elsewhere');
      const answering = stageMiddleware({
        name: 'answering',
        order: { after: 'log' },
        around: async (run) => {
          run.failure = failure;
        },
      });
      const log = lambdaLogged({ logger, tracing: tracing as never });
      const handler = stackOf(() => {}, [log, unwrap(), quietPartial(), answering]);
      expect(await handler(batchOf(1))).toEqual({ batchItemFailures: [] });
      expect(lines()).toMatchObject([
        { level: 'ERROR', message: 'task failed', task_name: 'task1', error: { message: failure.message } },
        { message: 'batch done', records: 1, failed: 1 },
      ]);
      expect(ends).toEqual([{ error: failure }]);
    });

    test('writes one line for a task stopped by the deadline, and none for the untouched rest of a FIFO group', async () => {
      const { logger, errors, lines } = makeLogger();
      const fifo = [1, 2].map((n) => ({
        ...taskOf(n),
        eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:work.fifo',
      }));
      const slow = taskOf(4);
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const worker: Worker = async (task, context, extras) => {
        if (task.task_kwargs?.n !== 4) return failing(task, context, extras);
        await ended;
        throw new Error('too late');
      };
      const until = Date.now() + 540;
      const context = lambdaContext({ getRemainingTimeInMillis: () => until - Date.now() });
      const handler = stackOf(worker, [lambdaLogged({ logger }), unwrap(), quietPartial()]);
      await handler({ Records: [...fifo, slow] }, context);
      end();
      await sleep(5);
      expect(errors().map(({ task_name, error }) => [task_name, (error as Error).name])).toEqual([
        ['task1', 'Error'],
        ['task4', 'DeadlineError'],
      ]);
      expect(lines().at(-1)).toMatchObject({ message: 'batch done', records: 3, failed: 3, not_started: 1 });
    });

    test('works in a custom loop that returns the result of Promise.allSettled', async () => {
      const { logger, errors, lines } = makeLogger();
      const loop = async (event: SQSEvent) =>
        Promise.allSettled(
          event.Records.map(async (_, index) => index || Promise.reject(new Error('first'))),
        );
      const handler = middy(loop as never)
        .use(lambdaLogged({ logger }))
        .use(quietPartial()) as unknown as Handler;
      const event = batchOf(1, 2);
      await handler(event, lambdaContext());
      expect(errors()).toEqual([
        expect.objectContaining({ message_id: event.Records[0]?.messageId, task_name: 'task1' }),
      ]);
      expect(lines().at(-1)).toMatchObject({ records: 2, failed: 1 });
    });

    test('writes one line for a failed invocation, with the task if it was invoked directly', async () => {
      const { logger, errors } = makeLogger();
      const log = lambdaLogged({ logger });
      await expect(stackOf(failing, [log])({ task_name: 'work', task_kwargs: { n: 1 } })).rejects.toThrow(
        'broken',
      );
      const before = { before: () => Promise.reject(new Error('no config')) };
      await expect(stackOf(failing, [log, before])(batchOf(1))).rejects.toThrow('no config');
      const sns = {
        Records: [
          { EventSource: 'aws:sns', Sns: { MessageId: 'm', TopicArn: 't', Message: '{', Timestamp: '' } },
        ],
      };
      await expect(stackOf(failing, [log, unwrap()])(sns)).rejects.toThrow('not JSON');
      expect(errors().map(({ message, task_name, message_id }) => [message, task_name, message_id])).toEqual([
        ['task failed', 'work', undefined],
        ['invocation failed', undefined, undefined],
        ['task failed', undefined, 'm'],
      ]);
    });
  });

  test('says that all messages return if another middleware answers early', async () => {
    const { logger, lines } = makeLogger();
    const stack = [lambdaLogged({ logger }), warmup({ isWarmingUp: () => true }) as MiddlewareObj];
    await expect(stackOf(failing, stack)(batchOf(1))).rejects.toMatchObject({ code: 'NOT_RUN' });
    expect(lines()).toMatchObject([
      { level: 'ERROR', message: 'invocation failed', error: { code: 'NOT_RUN' } },
      { message: 'batch done', records: 1, failed: 1, not_started: 1 },
    ]);
  });

  describe('logEvent', () => {
    const secretive = {
      task_kwargs: {
        n: 2,
        card: { number: '4111', kind: 'visa' },
        users: [{ name: 'Ann' }, { name: 'Bob' }],
      },
    };

    test('logs no payload without it, not even of a failed task', async () => {
      const { logger, texts } = makeLogger();
      const event = {
        Records: [taskOf(1, { task_kwargs: { n: 1, secret: 'needle' } }), sqsRecord('needle')],
      };
      await stackOf(failing, [lambdaLogged({ logger }), unwrap(), quietPartial()])(event);
      expect(texts.join()).not.toContain('needle');
    });

    test('logs the event once, without nested JSON, redacted paths and secrets', async () => {
      const { logger, lines, texts } = makeLogger();
      const redact = ['task_kwargs.card.number', '$.task_kwargs.users[*].name'];
      const handler = stackOf(failing, [lambdaLogged({ logger, logEvent: true, redact }), unwrap()]);
      const credentials = { accessKeyId: 'AKIA1', secretAccessKey: 'needle', SessionToken: 'needle' };
      const url = 'https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-Signature=needle';
      await handler({
        Records: [
          taskOf(2, { ...secretive, credentials, url }),
          sqsRecord({ task_name: 'raw', ...secretive }, { raw: true }),
        ],
      });
      await handler({ task_name: 'direct', ...secretive });
      const kwargs = {
        n: 2,
        card: { number: '[redacted]', kind: 'visa' },
        users: [{ name: '[redacted]' }, { name: '[redacted]' }],
      };
      const [batch, , direct] = lines();
      expect(batch).toMatchObject({
        message: 'batch',
        event: {
          Records: [
            {
              body: {
                Message: { task_name: 'task2', task_kwargs: kwargs, credentials: { accessKeyId: 'AKIA1' } },
              },
            },
            { body: { task_name: 'raw', task_kwargs: kwargs } },
          ],
        },
      });
      expect(direct).toMatchObject({ message: 'event', event: { task_name: 'direct', task_kwargs: kwargs } });
      expect(texts.join()).not.toMatch(/needle|4111|Ann|Bob/);
      expect(texts.join()).toContain('X-Amz-Expires=9&X-Amz-Signature=[redacted]');
    });
  });

  test('never writes secrets in values and errors, and changes nothing in place', async () => {
    const { logger, texts } = makeLogger();
    const credentials = { accessKeyId: 'AKIA1', secretAccessKey: 'needle', sessionToken: 'needle' };
    const error = Object.assign(new Error('https://x?Signature=needle'), {
      config: { headers: { Authorization: 'needle' } },
      cause: Object.assign(new Error('inner'), { credentials }),
    });
    const worker: Worker = () => {
      logger.info('signing in', { credentials, list: [{ password: 'needle' }] });
      console.log('credentials', credentials);
      throw error;
    };
    await stackOf(worker, [lambdaLogged({ logger }), unwrap(), quietPartial()])(batchOf(1));
    expect(texts).toHaveLength(4);
    expect(texts.join().replace(/https:\/\/x\?Signature=needle/g, '')).not.toContain('needle');
    expect(credentials.secretAccessKey).toBe('needle');
  });
});

describe('7. beside existing middlewares', () => {
  beforeEach(() => {
    process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'on-demand';
  });

  test("Powertools' own middleware at any position: no duplicate keys, one cold start, correlation ids kept", async () => {
    for (const first of [true, false]) {
      const { logger, texts, lines } = makeLogger();
      const log = lambdaLogged({ logger });
      const inject = injectLambdaContext(logger) as MiddlewareObj;
      const correlate: MiddlewareObj = { before: () => logger.setCorrelationId('c1') };
      const stack = first ? [log, inject, correlate] : [correlate, inject, log];
      const handler = stackOf(() => logger.info('working'), [...stack, unwrap()]);
      await handler(batchOf(1));
      await handler(batchOf(1));
      const working = lines().filter(({ message }) => message === 'working');
      expect(working.map(({ cold_start, correlation_id }) => [cold_start, correlation_id])).toEqual([
        [true, 'c1'],
        [false, 'c1'],
      ]);
      for (const text of texts) expect(text.match(/"function_request_id"/g)).toHaveLength(1);
    }
  });

  test('works alone, on any event', async () => {
    const { logger, lines } = makeLogger();
    const handler = middy(async (event: unknown) => {
      logger.info('working');
      return event;
    }).use(lambdaLogged({ logger })) as unknown as Handler;
    const events = [
      {},
      null,
      'text',
      [],
      { Records: [{ s3: {} }] },
      { detail: {}, 'detail-type': 'x' },
      { Records: [] },
    ];
    for (const event of events) expect(await handler(event, lambdaContext())).toEqual(event);
    expect(lines().filter(({ message }) => message === 'working')).toHaveLength(events.length);
    expect(lines().filter(({ level }) => level !== 'INFO')).toEqual([]);
  });
});

test.each<[string, object]>([
  ['an invalid path', { redact: ['a..b'] }],
  ['an unknown format', { format: 'xml' }],
  ['a logger that is not a logger', { logger: {} }],
  ['tracing that is not a tracing', { tracing: {} }],
])('refuses when created: %s', (_, options) => {
  expect(() => lambdaLogged(options)).toThrow(OptionError);
});

test('the callback carries the chain id', async () => {
  const { logger } = makeLogger();
  const sent: { input: { PublishBatchRequestEntries?: { MessageAttributes?: unknown }[] } }[] = [];
  const sns = {
    send: async (command: (typeof sent)[0]) => {
      sent.push(command);
      return { Successful: [{ Id: '0' }], Failed: [] };
    },
  };
  const publisher = callbackPublisher({ sns: sns as never, inlineUnder: 1000 });
  const event = batchOf(2);
  await stackOf(() => ({ done: true }), [lambdaLogged({ logger }), unwrap(), publisher])(event);
  expect(sent[0]?.input.PublishBatchRequestEntries?.[0]?.MessageAttributes).toEqual({
    chain_id: { DataType: 'String', StringValue: JSON.parse(event.Records[0]?.body ?? '').MessageId },
  });
});

describe('an after hook that throws after lambdaLogged', () => {
  const throwing = (wait: boolean): MiddlewareObj => ({
    after: async () => {
      if (wait) await sleep(5);
      throw new Error('no metrics');
    },
  });

  test.each([
    ['at once', false],
    ['after a wait', true],
  ])('%s: the summary says that all messages return', async (_, wait) => {
    const { logger, lines } = makeLogger();
    const handler = stackOf(() => {}, [throwing(wait), lambdaLogged({ logger }), unwrap(), quietPartial()]);
    await handler(batchOf(1, 2));
    const summaries = lines().filter(({ message }) => message === 'batch done');
    expect(summaries).toMatchObject([{ records: 2, failed: 2, function_name: 'worker' }]);
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
      { message: 'invocation failed', error: { message: 'no metrics' } },
    ]);
  });
});
