import { afterEach, describe, expect, test } from '@jest/globals';
import { isTerminal, prettyLine } from '../../../middlewares/logging/prettyConsole.ts';

const { isTTY } = process.stdout;
afterEach(() => {
  process.stdout.isTTY = isTTY;
  delete process.env.AWS_LAMBDA_FUNCTION_NAME;
});

const timestamp = '2026-11-21T10:00:00.123Z';
const show = (line: object, colours = false) =>
  prettyLine(JSON.stringify({ level: 'INFO', message: 'done', timestamp, ...line }), colours);
const paint = (codes: string, text: string) => `${codes}${text}`;

test('is for a terminal outside Lambda only', () => {
  process.stdout.isTTY = true;
  expect(isTerminal()).toBe(true);
  process.env.AWS_LAMBDA_FUNCTION_NAME = 'worker';
  expect(isTerminal()).toBe(false);
  delete process.env.AWS_LAMBDA_FUNCTION_NAME;
  process.stdout.isTTY = false;
  expect(isTerminal()).toBe(false);
});

test.each(['null', '5', '"text"', '{}', '{"message":"x"}'])('leaves other JSON alone: %s', (text) => {
  expect(prettyLine(text, false)).toBe(text);
});

test.each([
  ['TRACE', '\u001b[90m', '\u001b[39m'],
  ['DEBUG', '\u001b[90m', '\u001b[39m'],
  ['INFO', '\u001b[32m', '\u001b[39m'],
  ['WARN', '\u001b[33m', '\u001b[39m'],
  ['ERROR', '\u001b[31m', '\u001b[39m'],
  ['NOTICE', '\u001b[37m', '\u001b[39m'],
])('shows %s in its colour', (level, open, close) => {
  const line = show({ level, message_id: '12345678', task_name: 'resize', n: 1 }, true);
  const gray = (text: string) => `${paint('\u001b[90m', text)}\u001b[39m`;
  expect(line).toBe(
    `${gray('10:00:00.123')} ${open}${level.padEnd(5)}${close} \u001b[36m[resize …345678]\u001b[39m done ${gray('n=')}\u001b[33m1\u001b[39m`,
  );
});

test('shows a critical line in bold red', () => {
  expect(show({ level: 'CRITICAL' }, true)).toContain('\u001b[1m\u001b[31mCRITICAL\u001b[39m\u001b[22m');
});

test.each([
  [{}, ''],
  [{ task_name: 'resize' }, ''],
  [{ message_id: '12345678' }, '[message …345678] '],
  [{ message_id: '12345678', task_name: 'resize', receive_count: 1 }, '[resize …345678] '],
  [{ message_id: '12345678', task_name: 'resize', receive_count: 2 }, '[resize …345678×2] '],
])('shows the task of %j', (line, task) => {
  expect(show(line)).toBe(`10:00:00.123 INFO  ${task}done`);
});

test.each([
  ...['service', 'cold_start', 'sampling_rate', 'xray_trace_id', 'tenant_id', 'function_arn'],
  ...['function_memory_size', 'function_name', 'function_request_id', 'function_version', 'task_name'],
  ...['receive_count', 'chain_id', 'chain'],
])('omits %s, which every line has', (key) => {
  expect(show({ [key]: 'x' })).toBe('10:00:00.123 INFO  done');
});

test('shows other fields as util.inspect does, and plain texts without quotes', () => {
  expect(show({ message: undefined, a: 'x', b: 'x y', c: '"x"', d: 5, list: [1, { e: 'f' }] })).toBe(
    `10:00:00.123 INFO  a=x b='x y' c='"x"' d=5 list=[ 1, { e: 'f' } ]`,
  );
  const nested = (levels: number): object => (levels === 0 ? {} : { in: nested(levels - 1) });
  expect(show({ deep: nested(7) })).not.toContain('[Object]');
  expect(show({ deep: nested(8) })).toContain('[Object]');
});

describe('the error of a line', () => {
  test('is below it, without frames of Node itself, with its causes', () => {
    const stack = 'Error: no\n    at work (file.ts:1:2)\n    at run (node:internal/process:3:4)';
    const error = { name: 'Error', message: 'no', stack, cause: { name: 'TypeError', message: 'why' } };
    expect(show({ error })).toBe(
      [
        '10:00:00.123 INFO  done',
        '    Error: no',
        '        at work (file.ts:1:2)',
        '    caused by TypeError: why',
      ].join('\n'),
    );
    expect(show({ error }, true)).toContain(
      '\n\u001b[90m        at work (file.ts:1:2)\u001b[39m\n    caused by',
    );
  });

  test('may be any value', () => {
    expect(show({ error: null })).toBe('10:00:00.123 INFO  done\n    null');
    expect(show({ error: { message: 'no', cause: 'why' } })).toBe(
      '10:00:00.123 INFO  done\n    undefined: no\n    caused by why',
    );
    expect(show({ error: { message: 'look at me', name: 'Error' } }, true)).not.toContain(
      '\u001b[90m    Error',
    );
  });
});
