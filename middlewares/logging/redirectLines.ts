import type { Logger } from '@aws-lambda-powertools/logger';
import { lineSinkOf } from '../../core/batch/lineSink.ts';
import { consoleOf, setConsole } from './powertoolsPrivates.ts';

const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** The console that a logger had before its lines were redirected. */
const replaced = new WeakMap<Console, Console>();

/** Gives the lines of a logger to the sink on a context. Without a sink, the logger writes to its own console again. */
export function redirectLines(logger: Logger, context: unknown): void {
  const sink = lineSinkOf(context);
  const current = consoleOf(logger);
  const own = replaced.get(current) ?? current;
  if (!sink) {
    if (own !== current) setConsole(logger, own);
    return;
  }
  const redirect = (method: (typeof methods)[number]) => (line: string) => {
    sink(line);
    if (sink.passesOn) own[method](line);
  };
  const redirected = Object.assign(
    Object.create(own) as Console,
    Object.fromEntries(methods.map((method) => [method, redirect(method)])),
  );
  replaced.set(redirected, own);
  setConsole(logger, redirected);
}
