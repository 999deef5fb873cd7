import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import { lambdaLogged, queued, sqsSnsUnwrap, type Task } from '../../middlewares/index.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Handler = (event: unknown, context?: unknown) => Promise<unknown>;
type Work = (task: Task<{ n: number }>, logger: Logger) => unknown;

function makeLogger() {
  const logger = new Logger({ serviceName: 'shop' });
  return { logger, ...capturedLines(logger) };
}

function stackOf(work: Work, made = makeLogger(), others: MiddlewareObj[] = [], options: object = {}) {
  const { logger } = made;
  const handler = middy(queued((task: Task<{ n: number }>) => work(task, logger))) as unknown as ReturnType<
    typeof middy
  >;
  for (const each of [lambdaLogged({ logger, ...options }), sqsSnsUnwrap() as MiddlewareObj, ...others])
    handler.use(each);
  const invoke: Handler = (event, context = lambdaContext()) =>
    handler(event as never, context as never) as Promise<unknown>;
  return { invoke, ...made };
}

const batchOf = (...numbers: number[]) => ({
  Records: numbers.map((n) =>
    sqsRecord({ task_name: `task${n}`, task_kwargs: { n } }, { id: `m${n}` } as object),
  ),
});
const requestOf = (awsRequestId: string) => lambdaContext({ awsRequestId });
const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('appended keys', () => {
  test('ten concurrent tasks: each line has the keys of its own task', async () => {
    const { invoke, lines } = stackOf(async ({ task_kwargs }, logger) => {
      const n = task_kwargs?.n ?? 0;
      logger.appendKeys({ order: n });
      if (n === 3) logger.appendKeys({ third: true });
      await sleep((n * 7) % 5);
      logger.info('charging', { n });
      console.log('from the console');
      if (n === 4) throw new Error('broken');
    });
    await invoke(batchOf(...ten));
    const ofTasks = lines().filter(({ task_name }) => task_name !== undefined);
    expect(ofTasks).toHaveLength(21);
    for (const line of ofTasks) {
      expect(`task${line['order']}`).toBe(line['task_name']);
      expect('third' in line).toBe(line['order'] === 3);
    }
    expect(lines().at(-1)).not.toHaveProperty('order');
  });

  test('keys of the invocation are on all its lines; a task may override, remove or reset them for itself', async () => {
    const made = makeLogger();
    const tag: MiddlewareObj = {
      before: () => made.logger.appendKeys({ tenant: 'outer', region: 'eu' }),
      after: () => made.logger.info('after'),
    };
    const work: Work = ({ task_kwargs }, logger) => {
      if (task_kwargs?.n === 0) logger.appendKeys({ tenant: 'inner' });
      if (task_kwargs?.n === 1) logger.removeKeys(['tenant']);
      if (task_kwargs?.n === 2) {
        logger.appendKeys({ extra: 1 });
        logger.resetKeys();
      }
      logger.info('working');
    };
    const { invoke, lines } = stackOf(work, made, [tag]);
    await invoke(batchOf(0, 1, 2));
    const keys = lines().map(({ message, tenant, region, extra }) => [message, tenant, region, extra]);
    expect(keys).toEqual([
      ['working', 'inner', 'eu', undefined],
      ['working', undefined, 'eu', undefined],
      ['working', 'outer', 'eu', undefined],
      ['after', 'outer', 'eu', undefined],
      ['batch done', 'outer', 'eu', undefined],
    ]);
    await stackOf(() => {}, made).invoke(batchOf(1));
    expect(lines().at(-1)).not.toHaveProperty('tenant');
  });

  test("the keys of a line override appended keys, which override the logger's persistent keys", async () => {
    const { invoke, lines } = stackOf((_, logger) => {
      logger.appendPersistentKeys({ part: 'persistent' });
      logger.appendKeys({ part: 'appended' });
      logger.info('a');
      logger.info('b', { part: 'argument' });
      logger.appendKeys({ level: 'custom' } as never);
      logger.removeKeys(['part']);
      logger.info('c');
    });
    await invoke(batchOf(1));
    expect(lines().map(({ message, part }) => [message, part])).toEqual([
      ['a', 'appended'],
      ['b', 'argument'],
      ['The key "level" is a reserved key and will be dropped.', 'appended'],
      ['c', 'persistent'],
      ['batch done', 'persistent'],
    ]);
  });

  test.each(['level', 'message', 'sampling_rate', 'service', 'timestamp'])(
    'may not replace the key %s of each line',
    async (key) => {
      const { invoke, lines } = stackOf((_, logger) => {
        logger.appendKeys({ [key]: 'replaced' } as never);
        logger.info('working');
      });
      await invoke(batchOf(1));
      expect(lines().map(({ message }) => message)).toEqual([
        `The key "${key}" is a reserved key and will be dropped.`,
        'working',
        'batch done',
      ]);
      expect(lines()[1]?.[key]).not.toBe('replaced');
    },
  );

  test('apply to child loggers created in the stack and to correlation ids', async () => {
    const made = makeLogger();
    const stack = stackOf(async ({ task_kwargs }, logger) => {
      const child = logger.createChild();
      const written = capturedLines(child);
      child.appendKeys({ order: task_kwargs?.n });
      logger.setCorrelationId(`c${task_kwargs?.n}`);
      await sleep(2);
      child.info('child');
      logger.info('parent', { id: logger.getCorrelationId() });
      expect(written.lines()).toMatchObject([
        { order: task_kwargs?.n, correlation_id: `c${task_kwargs?.n}` },
      ]);
    }, made);
    expect(await stack.invoke(batchOf(1, 2))).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
    const parents = made.lines().filter(({ message }) => message === 'parent');
    expect(parents.map(({ id, order }) => [id, order])).toEqual([
      ['c1', 1],
      ['c2', 2],
    ]);
  });

  test('an invocation that ends does not reset the keys of an overlapping one', async () => {
    const made = makeLogger();
    const tag: MiddlewareObj = {
      before: ({ context }) => made.logger.appendKeys({ tag: context.awsRequestId }),
    };
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { invoke, lines } = stackOf(
      async ({ task_kwargs }, logger) => {
        if (task_kwargs?.n === 1) await opened;
        logger.info('working');
      },
      made,
      [tag],
    );
    const first = invoke(batchOf(1), requestOf('first'));
    await invoke(batchOf(2), requestOf('second'));
    open();
    await first;
    const working = lines().filter(({ message }) => message === 'working');
    expect(working.map(({ tag, function_request_id }) => [tag, function_request_id])).toEqual([
      ['second', 'second'],
      ['first', 'first'],
    ]);
  });
});

describe('lines from outside a task', () => {
  test('with two running invocations, a line from outside belongs to neither', async () => {
    const { logger, ...written } = makeLogger();
    let write = () => {};
    const stray = new Promise<void>((resolve) => {
      write = resolve;
    }).then(() => logger.info('stray'));
    let [running, both] = [0, () => {}];
    const bothRun = new Promise<void>((resolve) => {
      both = resolve;
    });
    const work: Work = async () => {
      running += 1;
      if (running === 2) both();
      await bothRun;
      write();
      await stray;
    };
    const { invoke } = stackOf(work, { logger, ...written });
    await Promise.all([invoke(batchOf(1), requestOf('first')), invoke(batchOf(2), requestOf('second'))]);
    const line = written.lines().find(({ message }) => message === 'stray');
    expect(line).toBeDefined();
    expect(line).not.toHaveProperty('function_request_id');
    expect(line).not.toHaveProperty('message_id');
  });

  test('a timer left by a task writes for the running invocation, not for the task', async () => {
    const timers: NodeJS.Timeout[] = [];
    const made = makeLogger();
    const { invoke, lines } = stackOf(async ({ task_kwargs }) => {
      if (task_kwargs?.n === 0) timers.push(setInterval(() => console.log('beat'), 2));
      else await sleep(20);
    }, made);
    try {
      await invoke(batchOf(0, 1), requestOf('first'));
      await invoke(batchOf(2), requestOf('second'));
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
    const beats = lines().filter(({ message }) => message === 'beat');
    expect(new Set(beats.map(({ function_request_id }) => function_request_id))).toEqual(
      new Set(['first', 'second']),
    );
    for (const beat of beats) expect(beat).not.toHaveProperty('task_name');
    const requests = lines().map(({ function_request_id }) => function_request_id);
    expect(requests.lastIndexOf('first')).toBeLessThan(requests.indexOf('second'));
  });

  test('a task that outlives its invocation keeps its keys', async () => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const until = Date.now() + 530;
    const made = makeLogger();
    const slow = stackOf(async (_, logger) => {
      await ended;
      logger.info('late');
    }, made);
    await slow.invoke(
      batchOf(1),
      lambdaContext({ awsRequestId: 'first', getRemainingTimeInMillis: () => until - Date.now() }),
    );
    await stackOf(async () => {
      end();
      await sleep(5);
    }, made).invoke(batchOf(2), requestOf('second'));
    expect(made.lines().find(({ message }) => message === 'late')).toMatchObject({
      task_name: 'task1',
      function_request_id: 'first',
    });
  });
});

test.each([
  ['directly', { task_name: 'inner', task_kwargs: { n: 0 } }],
  ['with a batch', batchOf(7)],
])('a task that calls another handler %s keeps its own keys', async (_, event) => {
  const made = makeLogger();
  const inner = stackOf((_, logger) => logger.info('inside'), made);
  const outer = stackOf(async (_, logger) => {
    logger.appendKeys({ order: 1 });
    await inner.invoke(event, requestOf('inner'));
    logger.info('right after');
    await sleep(2);
    console.log('later');
  }, made);
  await outer.invoke(batchOf(1), requestOf('outer'));
  const line = (text: string) => made.lines().find(({ message }) => message === text);
  expect(line('inside')).toMatchObject({ function_request_id: 'inner' });
  expect(line('inside')).not.toHaveProperty('order');
  for (const text of ['right after', 'later']) {
    expect(line(text)).toMatchObject({ task_name: 'task1', order: 1, function_request_id: 'outer' });
  }
  expect(made.lines().at(-1)).toMatchObject({ message: 'batch done', function_request_id: 'outer' });
});

describe("an error outside a task's promise", () => {
  /** Runs a batch in a child process that the error ends. */
  function run(left: string, listener = '') {
    const code = `
      import middy from '@middy/core';
      import { lambdaLogged, queued, sqsSnsUnwrap } from './middlewares/index.ts';
      ${listener}
      const record = (name) => ({ messageId: name, receiptHandle: 'r', body: JSON.stringify({ task_name: name }),
        attributes: {}, messageAttributes: {}, eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:us-east-1:1:work' });
      const work = async ({ task_name }) => {
        if (task_name === 'guilty') { ${left} }
        else await new Promise((done) => setTimeout(done, 100));
      };
      const handler = middy(queued(work)).use(lambdaLogged({ format: 'json' })).use(sqsSnsUnwrap());
      await handler({ Records: [record('guilty'), record('innocent')] }, { awsRequestId: 'r1', functionName: 'worker' });`;
    const args = ['--input-type=module', '-e', code];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const lines = [stdout, stderr].map(parse);
    return { lines: lines.flat(), errors: lines[1] ?? [], status, text: stdout + stderr };
  }
  const parse = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const rejecting = "setTimeout(() => void Promise.reject(new Error('audit failed')), 10);";
  const line = { level: 'ERROR', task_name: 'guilty', message_id: 'guilty', function_request_id: 'r1' };

  test.each<[string, string, string, object]>([
    ['a rejection', rejecting, 'unhandled rejection', { message: 'audit failed' }],
    [
      'a thrown error',
      "setTimeout(() => { throw new Error('audit failed'); }, 10);",
      'uncaught exception',
      { message: 'audit failed' },
    ],
    [
      'a thrown value',
      "setTimeout(() => void Promise.reject('audit failed'), 10);",
      'unhandled rejection',
      { message: expect.stringContaining('audit failed') },
    ],
  ])('%s: the line names the task, and the process exits as before', (_, left, message, error) => {
    const { lines, status } = run(left);
    expect(status).toBe(1);
    expect(lines.filter(({ level }) => level === 'ERROR')).toEqual([
      expect.objectContaining({ ...line, message, error: expect.objectContaining(error) }),
    ]);
  });

  test('the process stays alive if it has a listener, as Lambda does', () => {
    const { errors, status, text } = run(
      rejecting,
      "process.on('unhandledRejection', () => console.error('heard'));",
    );
    expect(status).toBe(0);
    expect(errors[0]).toMatchObject({ ...line, message: 'unhandled rejection' });
    expect(text).toContain('heard');
  });
});

test('removes the rejection listener after the invocation', async () => {
  const other = () => {};
  process.on('unhandledRejection', other);
  const count = () => process.listenerCount('unhandledRejection');
  const before = count();
  let during = 0;
  await stackOf(() => {
    during = count();
  }).invoke(batchOf(1));
  expect([during, count()]).toEqual([before + 1, before]);
  process.off('unhandledRejection', other);
});
