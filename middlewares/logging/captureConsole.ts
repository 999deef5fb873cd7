import { formatWithOptions } from 'node:util';
import { isProxy } from 'node:util/types';
import type { Logger } from '@aws-lambda-powertools/logger';
import { hideSecrets, hideSignatures } from './hideSecrets.ts';
import { unreadable } from './readFields.ts';
import { currentScope, lastScope, type Scope } from './scope.ts';

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
/** A logger may itself write to the console. */
let isWriting = false;

/**
 * Lets what is written to the console go to the logger of the invocation that writes it, until all who asked for it have
 * released it.
 *
 * @returns releases it
 */
export function captureConsole(): () => void {
  if (captures === 0) {
    for (const method of methods) {
      // What was put over ours may have been taken off again since.
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

/** What somebody else has put over ours stays: without an invocation under way, ours passes on what it gets. */
function restore(): void {
  for (const [method, original] of originals) {
    if (console[method] === captured[method]) console[method] = original as Console[Method];
  }
}

/** The console as it is without us: for a logger that writes to it. */
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
  // Whoever reports the failures of a batch, reports what has its line.
  if (level === 'error' && isRoot && args.some((arg) => invocation.hasLine(arg))) return;
  const [text] = args;
  if (args.length === 1 && typeof text === 'string' && isJson(text)) {
    // Another logger's line, or a metric: it is what it is, and JSON in JSON would be neither.
    consoleOf(logger)[method](text);
    return;
  }
  logger[level](textOf(args));
}

/** The arguments as the console formats them. One that cannot be shown must not fail the task, nor hide the others. */
function textOf(args: readonly unknown[]): string {
  const shown = args.map((arg) => hideSecrets(arg, 'text'));
  const format = (...some: unknown[]) => hideSignatures(formatWithOptions({ colors: false }, ...some));
  try {
    return format(...shown);
  } catch {
    return shown.map((arg) => attempt(() => format(arg)) ?? unreadable).join(' ');
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** The console that a logger writes to. */
export function consoleOf(logger: Logger): Console {
  return logger['console'];
}

/** What the AWS SDK tells of each call to a client's logger: all that goes in and comes out. */
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

function isJson(text: string): boolean {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
