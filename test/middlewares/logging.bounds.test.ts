import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import { describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import fc from 'fast-check';
import { lambdaLogged, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { boundedCopy } from '../../middlewares/logging/boundedCopy.ts';
import { capturedLines, type Line } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type LoggerOptions = ConstructorParameters<typeof Logger>[0];

/** Runs one task and returns its lines. */
async function linesOf(
  work: (logger: Logger) => unknown,
  task: object = { task_name: 'work' },
  options: LoggerOptions = {},
) {
  const logger = new Logger({ serviceName: 'shop', ...options });
  const { texts, lines } = capturedLines(logger);
  const handler = middy(queued(async () => work(logger)))
    .use(lambdaLogged({ logger }))
    .use(sqsSnsUnwrap());
  await handler({ Records: [sqsRecord(task)] } as never, lambdaContext() as never);
  return { texts, lines: lines() };
}

const errorOf = (line: Line | undefined) => line?.['error'] as Record<string, unknown>;

function sharedErrors(): Error {
  let errors: Error[] = [new Error('leaf')];
  for (let level = 0; level < 6; level += 1) {
    errors = Array.from({ length: 10 }, (_, n) => new AggregateError(errors, `several ${level}.${n}`));
  }
  return new AggregateError(errors, 'all replicas failed');
}

function longChain(): Error {
  let error = new Error('innermost');
  for (let depth = 0; depth < 10_000; depth += 1) error = new Error(`outer ${depth}`, { cause: error });
  return error;
}

function endlessProxy(): object {
  const value = () => endlessProxy();
  return new Proxy(
    {},
    {
      ownKeys: () => ['a', 'b'],
      get: (_, key) => (key === 'a' || key === 'b' ? value() : undefined),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: value() }),
    },
  );
}

const endlessJson = {
  toJSON: () => ({ again: endlessJson, also: endlessJson }),
};
const sparse: unknown[] = [];
sparse[2e7] = 1;

const hostile: [string, () => unknown][] = [
  ['a sparse array', () => sparse],
  ['an array of holes', () => new Array(2e7)],
  ['a long array', () => Array.from({ length: 300_000 }, (_, n) => ({ n }))],
  ['arrays in arrays', () => Array.from({ length: 500 }, () => Array(1000).fill({ v: 1 }))],
  ['many keys', () => Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`key${n}`, n]))],
  ['long keys', () => ({ ['k'.repeat(1e6)]: 1 })],
  ['a large map', () => new Map(Array.from({ length: 100_000 }, (_, n) => [{ n }, { n }]))],
  ['a large set', () => new Set(Array.from({ length: 100_000 }, (_, n) => ({ n })))],
  ['a long string', () => 'x'.repeat(1e7)],
  ['control characters', () => '\u0001'.repeat(1e6)],
  ['many long strings', () => Array(1000).fill('x'.repeat(1e5))],
  ['bytes', () => Buffer.alloc(1e7)],
  ['numbers', () => new Float64Array(1e6)],
  ['shared errors', sharedErrors],
  ['a long chain of causes', longChain],
  ['an AggregateError of many errors', () => new AggregateError(Array(100_000).fill(new Error('x')), 'many')],
  ['a long message', () => new Error('m'.repeat(1e7))],
  ['an error with much data', () => Object.assign(new Error('x'), { body: 'x'.repeat(1e7), list: sparse })],
  ['an endless proxy', endlessProxy],
  ['an endless toJSON', () => endlessJson],
];

describe('bounds a line, and the work for it', () => {
  test.each(hostile)(
    '%s',
    async (_, make) => {
      const value = make();
      const { texts } = await linesOf((logger) => {
        console.log('rows', value);
        console.error(value);
        console.log('%s %o %j', value, value, value);
        logger.info('rows', { value });
        logger.warn('rows', value as never);
        logger.appendKeys({ value });
        logger.info('with a key');
        throw value;
      });
      expect(texts).toHaveLength(8);
      for (const text of texts) expect(text.length).toBeLessThan(130_000);
    },
    4000,
  );

  test('of many short fields', async () => {
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`field${n}`, 'x'.repeat(200)]));
    const { texts, lines } = await linesOf((logger) => {
      logger.info('few', fields(40));
      logger.info('many', fields(900));
    });
    expect(lines[0]).toMatchObject(fields(40));
    expect(texts[1]?.length).toBeLessThan(130_000);
  });

  test('of an object that cannot be read, or a list of more than 1000 items, beside the message', async () => {
    const unreadable = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no keys');
        },
      },
    );
    let reads = 0;
    const rows = new Proxy(
      Array.from({ length: 100_000 }, (_, n) => `row ${n}`),
      {
        get(target, key, self) {
          reads += 1;
          return Reflect.get(target, key, self);
        },
      },
    );
    const { lines } = await linesOf((logger) => {
      logger.info('unreadable', unreadable);
      logger.info('rows', rows as never);
    });
    expect(lines.map(({ message }) => message)).toEqual(['unreadable', 'rows', 'batch done']);
    expect(reads).toBeLessThan(10_000);
  });

  test('any value: never throws, stays within the bound, and is valid JSON', () => {
    const anything = fc.anything({
      withMap: true,
      withSet: true,
      withDate: true,
      withBigInt: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const write = (copy: unknown) =>
          JSON.stringify(copy, (_, item) => (typeof item === 'bigint' ? String(item) : item)) ?? '';
        expect(write(boundedCopy(value)).length).toBeLessThan(100_000);
        boundedCopy(value, { as: 'text' });
      }),
    );
  });

  test('shows plain data within the bound unchanged', () => {
    const data = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)));
    fc.assert(
      fc.property(data, (value) => {
        expect(boundedCopy({ value })).toEqual({ value });
      }),
    );
  });
});

test('marks what was left out', () => {
  expect(boundedCopy(Array.from({ length: 1500 }, () => 1))).toHaveProperty('1000', '… 500 more');
  const keys = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`k${n}`, 1]));
  expect(boundedCopy(keys)).toMatchObject({ '…': '500 more' });
  expect(boundedCopy('x'.repeat(10_000))).toMatch(/x… 1808 more characters$/);
  let deep: object = {};
  for (let depth = 0; depth < 30; depth += 1) deep = { deep };
  expect(JSON.stringify(boundedCopy(deep))).toContain('"[truncated]"');
});

test('does not change a value, and calls getters and toJSON once', () => {
  let [reads, calls] = [0, 0];
  const value = {
    get x() {
      reads += 1;
      return 'x';
    },
    y: {
      toJSON() {
        calls += 1;
        return 'y';
      },
    },
  };
  expect(JSON.stringify(boundedCopy(value))).toBe('{"x":"x","y":"y"}');
  expect([reads, calls]).toEqual([1, 1]);
});

test('reads no more than a line can show', () => {
  let reads = 0;
  const counting = () =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        Array.from({ length: 100 }, (_, n) => [
          `k${n}`,
          {
            enumerable: true,
            get: () => {
              reads += 1;
              return n;
            },
          },
        ]),
      ),
    );
  boundedCopy(Array.from({ length: 1000 }, counting));
  expect(reads).toBeGreaterThan(100);
  expect(reads).toBeLessThan(5000);
});

describe('errors', () => {
  test('writes an error that is in two fields once in full', () => {
    const error = new Error('shared');
    const copy = boundedCopy({ a: error, b: error }) as Record<'a' | 'b', object>;
    expect(copy.a).toHaveProperty('stack');
    expect(copy.b).toEqual({ name: 'Error', message: 'shared' });
    const shown = boundedCopy([error, error], { as: 'text' }) as unknown[];
    expect(shown).toEqual([expect.any(Error), '[Error: shared]']);
  });

  test('writes an error that contains itself with its stack and fields, and marks each cycle', async () => {
    const error = Object.assign(new Error('lookup failed'), { statusCode: 503 });
    Object.assign(error, { self: error, cause: new Error('inner', { cause: error }) });
    const { lines } = await linesOf(() => {
      throw error;
    });
    expect(errorOf(lines[0])).toMatchObject({
      name: 'Error',
      message: 'lookup failed',
      location: expect.stringContaining('logging.bounds.test'),
      stack: expect.stringContaining('logging.bounds.test'),
      statusCode: 503,
      self: { name: 'Error', message: 'lookup failed' },
      cause: {
        message: 'inner',
        stack: expect.stringContaining('logging.bounds.test'),
        cause: { name: 'Error', message: 'lookup failed' },
      },
    });
    expect(errorOf(lines[0])['self']).not.toHaveProperty('stack');
  });

  test('writes each of many shared errors once in full', async () => {
    const { texts, lines } = await linesOf(() => {
      throw sharedErrors();
    });
    const inFull: string[] = [];
    JSON.parse(texts[0] ?? '', (_, value) => {
      if (value?.stack) inFull.push(value.message);
      return value;
    });
    expect(inFull.length).toBeGreaterThan(5);
    expect(new Set(inFull).size).toBe(inFull.length);
    expect(errorOf(lines[0])).toMatchObject({
      errors: expect.arrayContaining([expect.objectContaining({ stack: expect.anything() })]),
    });
  });

  test('keeps stack and cause beside a long message and much data', async () => {
    const cause = new TypeError('the reason');
    const error = Object.assign(new Error('m'.repeat(100_000), { cause }), {
      request: 'r'.repeat(1e6),
      rows: Array(5000).fill({ a: 'x'.repeat(100) }),
      more: Array(20).fill('y'.repeat(9000)),
    });
    const { lines } = await linesOf((logger) => {
      logger.error('failed', { before: Array(30).fill('z'.repeat(9000)), error, after: 1 });
      logger.error('failed', { rows: Array(30).fill('z'.repeat(9000)), reason: error });
      console.error(error);
    });
    const reason = lines[1]?.['reason'];
    for (const shown of [errorOf(lines[0]), reason]) {
      expect(shown).toMatchObject({
        message: expect.stringMatching(/^m{4096}… 95904 more characters$/),
        stack: expect.stringContaining('logging.bounds.test'),
        cause: {
          name: 'TypeError',
          message: 'the reason',
          stack: expect.stringContaining('logging.bounds.test'),
        },
      });
    }
    expect(lines[2]?.message).toContain('logging.bounds.test');
    expect(lines[2]?.message).toContain('[cause]: TypeError: the reason');
  });

  test('bounds and redacts an error with a toJSON', async () => {
    const error = Object.assign(new Error('request failed'), {
      toJSON: () => ({
        message: 'request failed',
        headers: { authorization: 'needle' },
        body: 'x'.repeat(1e6),
      }),
    });
    const { texts } = await linesOf((logger) => logger.error('failed', error));
    expect(texts[0]).not.toContain('needle');
    expect(texts[0]?.length).toBeLessThan(20_000);
  });

  test('a getter that throws hides only itself', async () => {
    const error = Object.defineProperty(new Error('bad'), 'detail', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const { lines } = await linesOf(() => {
      throw error;
    });
    expect(errorOf(lines[0])).toMatchObject({
      detail: '[unreadable]',
      stack: expect.stringContaining('bad'),
    });
  });

  test('a custom formatter and replacer get errors as before, within the bounds', async () => {
    class Formatter extends LogFormatter {
      formatAttributes({ message }: { message: string }, additional: object) {
        const { error } = additional as { error?: unknown };
        return new LogItem({ attributes: { message, isError: error instanceof Error, ...additional } });
      }
      override formatError(error: Error) {
        return { ...super.formatError(error), team: 'ours' };
      }
    }
    const replaced: unknown[] = [];
    const jsonReplacerFn = (_: string, value: unknown) => {
      if (value instanceof Error) replaced.push(value);
      return value instanceof Set ? [...value] : value;
    };
    const error = new Error('m'.repeat(1e5), { cause: new Error('inner') });
    const { lines } = await linesOf(
      (logger) => logger.error('failed', { error, tags: new Set(['a', 'b']) }),
      undefined,
      { logFormatter: new Formatter(), jsonReplacerFn },
    );
    expect(replaced).toEqual([error]);
    expect(lines[0]).toMatchObject({ isError: true, tags: ['a', 'b'] });
    const shown = errorOf(lines[0]);
    expect(shown).toMatchObject({ team: 'ours', cause: { team: 'ours', message: 'inner' } });
    expect(shown['stack']).toContain('logging.bounds.test');
    expect(String(shown['message']).length).toBeLessThan(5000);
  });
});

test('truncates a long task name and a long chain on every line', async () => {
  const task = { task_name: 'n'.repeat(100_000), callback: Array(50_000).fill('next').join('#') };
  const { texts, lines } = await linesOf((logger) => logger.info('working'), task);
  expect(texts[0]?.length).toBeLessThan(2000);
  expect(lines[0]?.['task_name']).toMatch(/^n{128}… 99872 more characters$/);
  expect(lines[0]?.['chain']).toMatch(/^next#.*… \d+ more characters$/);
});

test('the console shows values as it does without the capture', async () => {
  const match = /(?<word>b)/.exec('abc');
  const holes = Object.assign(new Array(3), { 0: 1, 2: 3 });
  const values: [unknown, string][] = [
    [Array.from({ length: 150 }, (_, n) => n), '... 50 more items'],
    [holes, '[ 1, <1 empty item>, 3 ]'],
    [match, "word: 'b'"],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [/x/g, '/x/g'],
    [Promise.resolve(1), 'Promise {'],
    [Object.create(null, { a: { value: 1, enumerable: true } }), '[Object: null prototype] { a: 1 }'],
    [{ a: { b: { c: { d: 1 } } } }, '{ a: { b: { c: [Object] } } }'],
    [Object.assign(() => {}, { password: 'x' }), "{ password: '[redacted]' }"],
    [Buffer.from('ok'), '<Buffer 6f 6b>'],
    [
      new (class Thing {
        x = 1;
      })(),
      'Thing { x: 1 }',
    ],
  ];
  const { lines } = await linesOf(() => {
    for (const [value] of values) console.log(value);
  });
  expect(
    lines.slice(0, -1).map(({ message }, index) => [message.includes(values[index]?.[1] ?? ''), message]),
  ).toEqual(lines.slice(0, -1).map(({ message }) => [true, message]));
});
