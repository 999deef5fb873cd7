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

test('shows level, time, task and message, then the error with its causes', async () => {
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

describe('the format', () => {
  const isPretty = async (options: object = {}) => {
    await run(options);
    return !written[0]?.startsWith('{');
  };

  test('is pretty in a terminal outside Lambda, with colours', async () => {
    delete process.env.NO_COLOR;
    process.stdout.isTTY = true;
    expect(await isPretty()).toBe(true);
    expect(written[0]).not.toBe(stripVTControlCharacters(written[0] ?? ''));
  });
  test('is JSON without a terminal', async () => {
    process.stdout.isTTY = false;
    expect(await isPretty()).toBe(false);
  });
  test('is JSON on Lambda', async () => {
    process.stdout.isTTY = true;
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'worker';
    expect(await isPretty()).toBe(false);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ service: 'worker' });
  });
  test('of a given logger stays, unless the option is set', async () => {
    process.stdout.isTTY = true;
    expect(await isPretty({ logger: new Logger() })).toBe(false);
    written = [];
    expect(await isPretty({ logger: new Logger(), format: 'pretty' })).toBe(true);
  });
});

test('each level is one line, trace too', async () => {
  process.env.NO_COLOR = '1';
  const logger = new Logger({ logLevel: 'TRACE' });
  const worker = () => {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) logger[level](`at ${level}`);
  };
  const handler = middy(queued(worker))
    .use(lambdaLogged({ logger, format: 'pretty' }))
    .use(sqsSnsUnwrap());
  await handler({ Records: [sqsRecord({ task_name: 'resize' })] }, lambdaContext());
  expect(written.map((line) => line.replace(/^.*? (?=[A-Z])/, '').replace(/ \[.*?\]/, ''))).toEqual([
    'TRACE at trace',
    'DEBUG at debug',
    'INFO  at info',
    'WARN  at warn',
    'ERROR at error',
    expect.stringMatching(/^INFO {2}batch done/),
  ]);
});

test.each(['plain text', '{"_aws":{}}', '{broken', '[1]'])(
  'text that is not a log line is left alone: %s',
  (text) => {
    expect(prettyLine(text, false)).toBe(text);
  },
);

test('prints errors that are not objects, and values that are not text', () => {
  const line = {
    level: 'WARN',
    message: 'uneven',
    timestamp: '2026-11-21T10:00:00.123Z',
    error: 'text',
    list: [1, 'a b'],
  };
  expect(prettyLine(JSON.stringify(line), false)).toBe(
    "10:00:00.123 WARN  uneven list=[ 1, 'a b' ]\n    text",
  );
});

test('escapes control characters, except line feeds and tabs in a message', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\r\u009b31m\u202e';
  const line = {
    level: `INFO${evil}`,
    message: `first\n\tsecond${evil}`,
    timestamp: `2026-11-21T10:0${evil}`,
    task_name: `work${evil}\n`,
    message_id: evil,
    receive_count: `9${evil}`,
    [`key${evil}`]: evil,
    list: [evil, { [evil]: evil }],
    error: {
      name: evil,
      message: evil,
      stack: `Error: ${evil}\n    at ${evil}`,
      cause: { name: evil, message: evil },
    },
  };
  for (const text of [
    prettyLine(JSON.stringify(line), false),
    prettyLine(evil, false),
    prettyLine(`{"a":"${evil}"}`, false),
  ]) {
    expect(text).toContain('owned');
    expect(text).not.toMatch(/[^\P{Cc}\n\t]|\u202e/u);
  }
  expect(prettyLine(JSON.stringify(line), false)).toContain('first\n\tsecond\\u001b]0;owned');
  const coloured = stripVTControlCharacters(prettyLine(JSON.stringify(line), true));
  expect(coloured).not.toMatch(/[^\P{Cc}\n\t]/u);
});
