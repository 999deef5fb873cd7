import { stripVTControlCharacters } from 'node:util';
import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import { lambdaLogged, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { prettyLine } from '../../middlewares/logging/prettyConsole.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

const environment = { ...process.env };
const { isTTY } = process.stdout;
let written: string[];

beforeEach(() => {
  written = [];
  const take = (text: unknown) => {
    written.push(...String(text).split('\n').filter(Boolean));
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(take as never);
  jest.spyOn(process.stderr, 'write').mockImplementation(take as never);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
  process.stdout.isTTY = isTTY;
});

async function run(options: object) {
  const worker = ({ task_kwargs }: { task_kwargs: { n: number } }) => {
    console.info('resizing', { width: 200 });
    if (task_kwargs.n === 1) throw new Error('no such image', { cause: new Error('404') });
  };
  const handler = middy(queued(worker)) as unknown as ReturnType<typeof middy>;
  handler.use(lambdaLogged(options)).use(sqsSnsUnwrap() as MiddlewareObj);
  const again = sqsRecord({ task_name: 'resize', task_kwargs: { n: 1 } });
  again.attributes.ApproximateReceiveCount = '3';
  const Records = [sqsRecord({ task_name: 'resize', task_kwargs: { n: 0 } }), again];
  await handler({ Records } as never, lambdaContext() as never);
  return Records.map(({ messageId }) => messageId.slice(-6));
}

test('level, time, task and message, and below it the error with its causes', async () => {
  process.env.NO_COLOR = '1';
  process.stdout.isTTY = true;
  const [first, second] = await run({ format: 'pretty' });
  const lines = written.map((line) =>
    line.replace(/^\d\d:\d\d:\d\d\.\d{3}/, 'TIME').replace(/(milliseconds=)\d+/, '$1N'),
  );
  const at = lines.filter((line) => /^ +at /.test(line)).length;
  expect(at).toBeGreaterThan(0);
  expect(lines.filter((line) => !/^ +at /.test(line))).toEqual([
    `TIME INFO  [resize …${first}] resizing { width: 200 }`,
    `TIME INFO  [resize …${second}×3] resizing { width: 200 }`,
    `TIME ERROR [resize …${second}×3] task failed`,
    '    Error: no such image',
    '    caused by Error: 404',
    'TIME INFO  batch done records=2 failed=1 milliseconds=N bytes_hydrated=0',
  ]);
});

describe('which format', () => {
  const isPretty = async (options: object = {}) => {
    await run(options);
    return !written[0]?.startsWith('{');
  };

  test('pretty in a terminal outside Lambda, in colours', async () => {
    delete process.env.NO_COLOR;
    process.stdout.isTTY = true;
    expect(await isPretty()).toBe(true);
    expect(written[0]).not.toBe(stripVTControlCharacters(written[0] ?? ''));
  });
  test('json without a terminal', async () => {
    process.stdout.isTTY = false;
    expect(await isPretty()).toBe(false);
  });
  test('json on Lambda', async () => {
    process.stdout.isTTY = true;
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'worker';
    expect(await isPretty()).toBe(false);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ service: 'worker' });
  });
  test('a logger that is given keeps its own, unless it is said', async () => {
    process.stdout.isTTY = true;
    expect(await isPretty({ logger: new Logger() })).toBe(false);
    written = [];
    expect(await isPretty({ logger: new Logger(), format: 'pretty' })).toBe(true);
  });
});

test.each(['plain text', '{"_aws":{}}', '{broken', '[1]'])(
  'what is no line of ours stays as it is: %s',
  (text) => {
    expect(prettyLine(text, false)).toBe(text);
  },
);

test('an error that is no object, and values that are not text', () => {
  const line = {
    level: 'WARN',
    message: 'odd',
    timestamp: '2026-11-21T10:00:00.123Z',
    error: 'text',
    list: [1, 'a b'],
  };
  expect(prettyLine(JSON.stringify(line), false)).toBe("10:00:00.123 WARN  odd list=[ 1, 'a b' ]\n    text");
});
