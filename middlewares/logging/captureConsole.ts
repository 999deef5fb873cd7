import { isProxy } from 'node:util/types';
import type { Logger } from '@aws-lambda-powertools/logger';
import { raw } from '../../core/ajson/raw.ts';
import { maxLineMessage } from './bindLogger.ts';
import { boundedCopy } from './boundedCopy.ts';
import { errorInShort, isError } from './errorText.ts';
import { isWritten } from './logLevel.ts';
import { formatWithOptions } from './nodeUtil.ts';
import { consoleOf } from './powertoolsPrivates.ts';
import { unreadable } from './readFields.ts';
import { currentScope, lastScope, type Scope } from './scope.ts';
import { cutRedacted } from './secrets.ts';

const levels = {
  debug: 'debug',
  error: 'error',
  info: 'info',
  log: 'info',
  trace: 'trace',
  warn: 'warn',
} as const;
type Method = keyof typeof levels;
type Write = (...args: unknown[]) => void;

const methods = Object.keys(levels) as Method[];
const originals = new Map<Method, Write>();
const captured = Object.fromEntries(methods.map((method) => [method, capturing(method)])) as Record<
  Method,
  Write
>;
let captures = 0;
/** Prevents recursion: a logger may write to the console. */
let isWriting = false;

/**
 * Sends console output to the logger of the current invocation, until every caller has released the console.
 *
 * @returns a function that releases the console
 */
export function captureConsole(): () => void {
  if (captures === 0) {
    for (const method of methods) {
      // Another patch of the console may have been undone since.
      if (console[method] === captured[method]) continue;
      originals.set(method, console[method]);
      console[method] = captured[method];
    }
  }
  captures += 1;
  let released = false;
  return () => {
    if (released) return;
    released = true;
    captures -= 1;
    if (captures === 0) restore();
  };
}

/** Keeps a patch that was made on top of ours: outside of invocations, ours only passes its arguments on. */
function restore(): void {
  for (const [method, original] of originals) {
    if (console[method] === captured[method]) console[method] = original as Console[Method];
  }
}

/** The console without the capture, for a logger that writes to it. */
export const bareConsole: Console = Object.assign(
  Object.create(console) as Console,
  Object.fromEntries(methods.map((method) => [method, (...args: unknown[]) => bare(method)(...args)])),
);

function bare(method: Method): Write {
  return console[method] === captured[method] ? (originals.get(method) as Write) : console[method];
}

function capturing(method: Method): Write {
  return (...args) => {
    const scope = currentScope() ?? lastScope();
    if (isWriting || !scope?.invocation.capturesConsole) {
      originals.get(method)?.(...args);
      return;
    }
    isWriting = true;
    try {
      write(method, args, scope);
    } finally {
      isWriting = false;
    }
  };
}

function write(method: Method, args: readonly unknown[], { invocation, isRoot }: Scope): void {
  const { logger } = invocation;
  const level = levels[method];
  if (level !== 'error' && level !== 'warn' && isSdkChatter(args)) return;
  const hasLine = (arg: unknown) => level === 'error' && isRoot && invocation.hasLine(arg);
  // Another middleware reports a failure that is logged already.
  if (args.some(hasLine) && args.every((arg) => hasLine(arg) || isRecord(arg))) return;
  const [text] = args;
  if (args.length === 1 && typeof text === 'string' && writeJson(method, text, logger)) return;
  logger[level](textOf(args.map((arg) => (hasLine(arg) && isError(arg) ? inShort(arg) : arg))));
}

/**
 * Writes a line that is JSON, such as that of another logger, without encoding it again. Secrets are redacted.
 * A metric in CloudWatch's embedded metric format is written unchanged, at any level.
 *
 * @returns false when the text is not a JSON object
 */
function writeJson(method: Method, text: string, logger: Logger): boolean {
  const isMetric = text.length <= maxMetric && text.includes('"CloudWatchMetrics"');
  if (text.length > maxLineMessage && !isMetric) return false;
  const line = parseObject(text);
  if (!line) return false;
  const { _aws } = line as { _aws?: { CloudWatchMetrics?: unknown } };
  if (Array.isArray(_aws?.CloudWatchMetrics)) consoleOf(logger)[method](text);
  else if (isWritten(logger, levels[method])) consoleOf(logger)[method](redactJson(text, line));
  return true;
}

/** CloudWatch's limit for an event. */
const maxMetric = 1_048_576;

/** Returns the text unchanged if nothing is redacted, to keep its layout and its numbers. */
function redactJson(text: string, line: object): string {
  const write = (value: unknown) =>
    JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item));
  const copy = write(boundedCopy(line));
  return copy === write(line) ? text : copy;
}

function parseObject(text: string): object | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined;
  return attempt(() => raw(trimmed) as object);
}

/** Whether a value is a record of a batch, which middlewares report together with an error. */
function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isProxy(value)) return false;
  return ('messageId' in value && 'body' in value) || 'Sns' in value;
}

function inShort(error: Error): string {
  const { name, message } = errorInShort(error);
  return `${name}: ${message}`;
}

/** The maximum number of arguments that are shown. */
const maxArguments = 100;

/** The arguments as the console formats them. An argument that cannot be shown does not fail the task or hide the others. */
function textOf(args: readonly unknown[]): string {
  const shown = boundedCopy(args.slice(0, maxArguments), { as: 'text' }) as unknown[];
  const format = (...some: unknown[]) => formatWithOptions({ colors: false }, ...some);
  const text =
    attempt(() => format(...shown)) ?? shown.map((arg) => attempt(() => format(arg)) ?? unreadable).join(' ');
  return cutRedacted(text, maxLineMessage);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Whether this is the AWS SDK's own line for a call, which has the whole input and output. */
function isSdkChatter([call, ...rest]: readonly unknown[]): boolean {
  return (
    rest.length === 0 &&
    typeof call === 'object' &&
    call !== null &&
    !isProxy(call) &&
    'clientName' in call &&
    'commandName' in call
  );
}
