import type { LogFormatter, Logger } from '@aws-lambda-powertools/logger';
import type { Tracer } from '@aws-lambda-powertools/tracer';

/**
 * The members of Powertools that are not public and are used here, all of them. The test of the same name fails when
 * Powertools moves one.
 */

/** The formatter of a logger and of its children. */
export function formatterOf(logger: Logger): LogFormatter {
  return logger['getLogFormatter']();
}

/** The console that a logger writes to. */
export function consoleOf(logger: Logger): Console {
  return logger['console'];
}

/** Has a logger write to another console. */
export function setConsole(logger: Logger, console: Console): void {
  logger['console'] = console;
}

/** Whether a logger samples debug lines. */
export function isSampling(logger: Logger): boolean {
  return Boolean(logger['powertoolsLogData'].sampleRateValue);
}

/** Whether a tracer puts errors into its segments. */
export function capturesErrors(tracer: Tracer): boolean {
  return tracer['captureError'];
}

const madeWithLevel = new WeakSet<Logger>();

/**
 * Notes from now on which loggers are made with a `logLevel` in code: Powertools does not keep the option, so it is noted
 * when the constructor sets the first level.
 */
export function noteLevels(prototype: Logger): void {
  const { setInitialLogLevel } = prototype as unknown as {
    setInitialLogLevel(this: Logger, level?: string): void;
  };
  Object.assign(prototype, {
    setInitialLogLevel(this: Logger, level?: string) {
      if (level) madeWithLevel.add(this);
      setInitialLogLevel.call(this, level);
    },
  });
}

/** Whether a logger was made with a `logLevel`. False for one that was made before levels were noted. */
export function isMadeWithLevel(logger: Logger): boolean {
  return madeWithLevel.has(logger);
}
