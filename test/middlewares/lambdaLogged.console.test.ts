import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import warmup from '@middy/warmup';
import { lambdaLogged, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { bareConsole, captureConsole } from '../../middlewares/logging/captureConsole.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;
const environment = { ...process.env };
const bare = Object.fromEntries(methods.map((method) => [method, console[method]]));
/** The calls that reach the real console. */
const raw: unknown[][] = [];

afterEach(() => {
  process.env = { ...environment };
  Object.assign(console, bare);
  raw.length = 0;
});

/** Collects the calls that reach the real console. */
function watchConsole() {
  for (const method of methods) console[method] = (...args: unknown[]) => void raw.push([method, ...args]);
  return Object.fromEntries(methods.map((method) => [method, console[method]]));
}

const current = () => Object.fromEntries(methods.map((method) => [method, console[method]]));

function makeStack(work: (n: number) => unknown, options: object = {}, others: MiddlewareObj[] = []) {
  const logger = new Logger({ serviceName: 'shop', logLevel: 'TRACE' });
  const captured = capturedLines(logger);
  const worker = ({ task_kwargs }: { task_kwargs: { n: number } }) => work(task_kwargs.n);
  const handler = middy(queued(worker)) as unknown as ReturnType<typeof middy>;
  for (const middleware of [lambdaLogged({ logger, ...options }), sqsSnsUnwrap() as MiddlewareObj, ...others])
    handler.use(middleware);
  const invoke = (numbers: readonly number[], context = lambdaContext()) =>
    handler(
      { Records: numbers.map((n) => sqsRecord({ task_name: `task${n}`, task_kwargs: { n } })) } as never,
      context as never,
    ) as Promise<unknown>;
  return { invoke, logger, ...captured };
}

test('each method writes a line at its level, formatted as the console does, with the keys of its task', async () => {
  const before = watchConsole();
  const { invoke, lines } = makeStack(() => {
    for (const method of methods)
      console[method]('%s has %d', 'a', 2, { b: [1, { c: 3n }] }, new Map([['k', 1]]));
  });
  await invoke([1]);
  const written = lines().slice(0, 6);
  expect(written.map(({ level }) => level)).toEqual(['DEBUG', 'ERROR', 'INFO', 'INFO', 'TRACE', 'WARN']);
  for (const line of written) {
    expect(line).toMatchObject({
      message: "a has 2 { b: [ 1, { c: 3n } ] } Map(1) { 'k' => 1 }",
      task_name: 'task1',
    });
  }
  expect(raw).toEqual([]);
  expect(current()).toEqual(before);
});

test('captureConsole: false leaves the console alone', async () => {
  const before = watchConsole();
  let during: unknown;
  const { invoke, lines } = makeStack(
    () => {
      during = current();
      console.log('plain');
    },
    { captureConsole: false },
  );
  await invoke([1]);
  expect(during).toEqual(before);
  expect(raw).toEqual([['log', 'plain']]);
  expect(lines()).toHaveLength(1);
});

test.each<[string, MiddlewareObj]>([
  ['a task that fails', { before: () => {} }],
  ['a before that throws', { before: () => Promise.reject(new Error('no')) }],
  ['an after that throws', { after: () => Promise.reject(new Error('no')) }],
  [
    'an onError that throws',
    { before: () => Promise.reject(new Error('no')), onError: () => Promise.reject(new Error('no')) },
  ],
  ['a before that answers early', warmup({ isWarmingUp: () => true }) as MiddlewareObj],
  ['an after that answers early', { after: () => 'early' }],
])('restores the console after %s', async (_, other) => {
  const before = watchConsole();
  const { invoke } = makeStack(() => Promise.reject(new Error('failed')), {}, [other]);
  await Promise.allSettled([invoke([1])]);
  expect(current()).toEqual(before);
});

test('overlapping invocations write to their own loggers, and the last restores the console', async () => {
  const before = watchConsole();
  const opens: (() => void)[] = [];
  const work = async (n: number) => {
    console.log('start', n);
    await new Promise<void>((resolve) => opens.push(resolve));
    console.log('end', n);
  };
  const first = makeStack(work);
  const second = makeStack(work);
  const running = [first.invoke([1]), second.invoke([2])];
  while (opens.length < 2) await new Promise((resolve) => setImmediate(resolve));
  opens[0]?.();
  await running[0];
  expect(current()).not.toEqual(before);
  opens[1]?.();
  await running[1];
  expect(current()).toEqual(before);
  const messages = (stack: typeof first) =>
    stack.lines().map(({ message, task_name }) => [message, task_name]);
  expect(messages(first)).toEqual([
    ['start 1', 'task1'],
    ['end 1', 'task1'],
    ['batch done', undefined],
  ]);
  expect(messages(second)).toEqual([
    ['start 2', 'task2'],
    ['end 2', 'task2'],
    ['batch done', undefined],
  ]);
  expect(raw).toEqual([]);
});

test('a patch over the captured console stays', async () => {
  watchConsole();
  const patched = (...args: unknown[]) => raw.push(['patched', ...args]);
  const { invoke, lines } = makeStack(() => {
    console.log = patched;
  });
  await invoke([1]);
  expect(console.log).toBe(patched);
  // The patch kept our function, which passes its arguments on outside invocations.
  const again = makeStack(() => {
    console.warn('now');
  });
  let kept: typeof console.info | undefined;
  const keeping = makeStack(() => {
    kept = console.info;
  });
  await keeping.invoke([1]);
  kept?.('late');
  console.info = kept as typeof console.info;
  await again.invoke([1]);
  console.info('later');
  expect(raw).toEqual([
    ['info', 'late'],
    ['info', 'later'],
  ]);
  expect(again.lines().map(({ message }) => message)).toEqual(['now', 'batch done']);
  expect(lines()).toHaveLength(1);
});

test('lines of another logger and metrics are written unchanged, not as JSON in JSON', async () => {
  watchConsole();
  const metric = JSON.stringify({ _aws: { CloudWatchMetrics: [] }, latency: 3 });
  const { invoke, texts, lines } = makeStack(() => {
    console.log(metric);
    console.log('{ not json }');
    console.log('[1]');
  });
  await invoke([1]);
  expect(texts[0]).toBe(metric);
  expect(
    lines()
      .slice(1)
      .map(({ message }) => message),
  ).toEqual(['{ not json }', '[1]', 'batch done']);
  expect(raw).toEqual([]);
});

test('with POWERTOOLS_DEV, where the logger writes to the console itself, each line is written once', async () => {
  process.env.POWERTOOLS_DEV = 'true';
  watchConsole();
  const logger = new Logger({ serviceName: 'shop' });
  const child = logger.createChild();
  const handler = middy(async () => {
    logger.info('from the logger');
    child.info('from its child');
    console.info('from the console');
  }).use(lambdaLogged({ logger }));
  await handler({ task_name: 'work' } as never, lambdaContext() as never);
  expect(raw.map(([, text]) => JSON.parse(String(text)).message)).toEqual([
    'from the logger',
    'from its child',
    'from the console',
  ]);
});

test('with POWERTOOLS_DEV a long line stays as it is', async () => {
  process.env.POWERTOOLS_DEV = 'true';
  watchConsole();
  const logger = new Logger({ serviceName: 'shop' });
  const handler = middy(async () => logger.info('x'.repeat(30_000), { rows: Array(900).fill('row') })).use(
    lambdaLogged({ logger }),
  );
  await handler({ task_name: 'work' } as never, lambdaContext() as never);
  expect(raw.map(([, text]) => JSON.parse(String(text)).message)).toEqual(['x'.repeat(30_000)]);
});

test('the AWS SDK logs from warn up', async () => {
  const { invoke, lines } = makeStack(() => {
    const call = {
      clientName: 'S3Client',
      commandName: 'GetObjectCommand',
      input: { Key: 'needle' },
      output: {},
    };
    console.debug(call);
    console.info(call);
    console.warn({ ...call, error: 'slow down' });
  });
  await invoke([1]);
  expect(lines().map(({ level }) => level)).toEqual(['WARN', 'INFO']);
});

test('a line from outside an invocation goes to the logger of the running one', async () => {
  watchConsole();
  let write = () => {};
  const written = new Promise<void>((resolve) => {
    write = resolve;
  }).then(() => console.warn('connection lost'));
  const { invoke, lines } = makeStack(() => {
    write();
    return written;
  });
  await invoke([1]);
  expect(lines()[0]).toMatchObject({ level: 'WARN', message: 'connection lost', function_name: 'worker' });
  expect(raw).toEqual([]);
});

describe('a line that is JSON', () => {
  const metric = JSON.stringify({
    _aws: { CloudWatchMetrics: [] },
    latency: 3,
    password: 'not a secret here',
  });

  test('obeys the log level, but a metric is always written', async () => {
    const { invoke, texts, logger } = makeStack(() => {
      logger.setLogLevel('WARN');
      for (const method of methods) console[method](JSON.stringify({ method }));
      console.debug(metric);
      console.debug(JSON.stringify({ _aws: 'no metric' }));
    });
    await invoke([1]);
    expect(texts).toEqual(['{"method":"error"}', '{"method":"warn"}', metric]);
  });

  test('is written unchanged except for its secrets', async () => {
    const exact = ' { "n": 12345678901234567890, "s": "\\u00e9", "list": [ ] } ';
    const { invoke, texts } = makeStack(() => {
      console.info(exact);
      console.info('{"user":{"password":"needle","n":12345678901234567890}}');
    });
    await invoke([1]);
    expect(texts.slice(0, 2)).toEqual([
      exact,
      '{"user":{"password":"[redacted]","n":"12345678901234567890"}}',
    ]);
  });

  test('that is very long becomes a message, truncated and redacted', async () => {
    const long = JSON.stringify({ password: 'needle', rows: Array(100_000).fill({ token: 'needle' }) });
    const { invoke, texts, lines } = makeStack(() => console.info(long));
    await invoke([1]);
    expect(texts.join()).not.toContain('needle');
    expect(lines()[0]?.message).toMatch(/^\{"password":"\[redacted\]".* more characters$/);
  });
});

test('does not repeat a logged failure, but keeps the text logged with it', async () => {
  const reports: MiddlewareObj = {
    after: ({ response }) => {
      for (const { reason } of response as PromiseRejectedResult[]) {
        console.error(reason);
        console.error(reason, { messageId: 'm', body: '{}' });
        console.error('refund started because of', reason);
        console.error(reason, { order: 4711 });
        console.warn(reason);
      }
    },
  };
  const partial = sqsPartialBatchFailure({ logger: (...args: unknown[]) => console.error(...args) });
  const { invoke, lines } = makeStack(() => Promise.reject(new Error('out of stock')), {}, [
    partial as MiddlewareObj,
    reports,
  ]);
  await invoke([1]);
  const errors = lines().filter(({ level }) => level === 'ERROR');
  expect(errors.map(({ message }) => message)).toEqual([
    'task failed',
    'refund started because of Error: out of stock',
    'Error: out of stock { order: 4711 }',
  ]);
  expect(lines().find(({ level }) => level === 'WARN')?.message).toContain('    at ');
});

test('releasing the console twice counts once', () => {
  const before = current();
  const [first, second] = [captureConsole(), captureConsole()];
  first();
  first();
  expect(current()).not.toEqual(before);
  second();
  expect(current()).toEqual(before);
});

test('under fake timers an invocation ends and restores the console', async () => {
  const before = watchConsole();
  jest.useFakeTimers();
  try {
    const { invoke, lines } = makeStack(() => console.log('working'));
    await invoke([1]);
    expect(lines()).toHaveLength(2);
  } finally {
    jest.useRealTimers();
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(current()).toEqual(before);
});

describe('the text of a line', () => {
  /** The messages of a task that writes to the console. */
  async function messagesOf(work: () => void): Promise<unknown[]> {
    const { invoke, lines } = makeStack(work);
    await invoke([1]);
    return lines()
      .slice(0, -1)
      .map(({ message }) => message);
  }

  test('is JSON only if the line is one object', async () => {
    const messages = await messagesOf(() => {
      console.info('[1]');
      console.info('{"a":1}', 2);
      console.info('{"a":1');
    });
    expect(messages).toEqual(['[1]', '{"a":1} 2', '{"a":1']);
  });

  test('has the other arguments, even if one of them cannot be formatted', async () => {
    class Broken {
      toString() {
        throw new Error('no');
      }
    }
    const messages = await messagesOf(() => console.info('%s then', new Broken(), 5, null));
    expect(messages).toEqual(['%s then Broken {} 5 null']);
  });

  test("has the SDK's own object if it is a warning, or comes with more", async () => {
    const call = { clientName: 'S3Client', commandName: 'GetObjectCommand' };
    const messages = await messagesOf(() => {
      console.info(call);
      console.error(call);
      console.warn(call);
      console.info(call, 'more');
      console.info(null);
    });
    expect(messages).toEqual([
      expect.stringContaining('S3Client'),
      expect.stringContaining('S3Client'),
      expect.stringMatching(/S3Client.* more$/s),
      'null',
    ]);
  });
});

test('a long metric is written unchanged up to 1 MB, and other long JSON becomes a message', async () => {
  const lineOf = (length: number, more = '') => `{${more}"text":"${'x'.repeat(length - more.length - 11)}"}`;
  const metric = '"_aws":{"CloudWatchMetrics":[]},';
  const largest = lineOf(1_048_576, metric);
  const { invoke, texts } = makeStack(() => {
    for (const text of [largest, lineOf(32_769), lineOf(1_048_577, metric)]) console.info(text);
  });
  await invoke([1]);
  expect(texts[0] === largest).toBe(true);
  for (const text of texts.slice(1, 3)) expect(JSON.parse(text).message).toMatch(/more characters$/);
});

test('an error with a record is not repeated; with anything else it is', async () => {
  const others = [{ Sns: {} }, { messageId: 'm', body: '{}' }, { messageId: 'm' }, { body: 'b' }, null];
  const reports: MiddlewareObj = {
    after: ({ response }) => {
      const [{ reason }] = response as [PromiseRejectedResult];
      for (const other of others) console.error(reason, other);
    },
  };
  const { invoke, errors } = makeStack(() => Promise.reject(new Error('no')), {}, [reports]);
  await invoke([1]).catch(() => {});
  const repeated = errors().map(({ message }) => message);
  expect(repeated.filter((message) => message.startsWith('Error: no'))).toEqual([
    "Error: no { messageId: 'm' }",
    "Error: no { body: 'b' }",
    'Error: no null',
  ]);
});

test('the bare console writes past the capture, and through the patches of others', () => {
  watchConsole();
  const release = captureConsole();
  for (const method of methods) bareConsole[method]('captured', method);
  const calls = methods.map((method) => [method, 'captured', method]);
  expect(raw).toEqual(calls);
  const patched: unknown[] = [];
  console.log = (...args: unknown[]) => void patched.push(args);
  bareConsole.log('patched');
  release();
  bareConsole.warn('released');
  expect([patched, raw]).toEqual([[['patched']], [...calls, ['warn', 'released']]]);
});
