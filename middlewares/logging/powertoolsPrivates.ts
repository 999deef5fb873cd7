import type { LogFormatter, Logger } from '@aws-lambda-powertools/logger';
import type { Tracer } from '@aws-lambda-powertools/tracer';

/**
 * All private members of Powertools that this library uses. The test of the same name fails if Powertools changes one.
 */

/** The formatter of a logger and of its children. */
export function formatterOf(logger: Logger): LogFormatter {
  return logger['getLogFormatter']();
}

/** The console that a logger writes to. */
export function consoleOf(logger: Logger): Console {
  return logger['console'];
}

/** Makes a logger write to another console. */
export function setConsole(logger: Logger, console: Console): void {
  logger['console'] = console;
}

/** Whether a logger samples debug lines. */
export function isSampling(logger: Logger): boolean {
  return Boolean(logger['powertoolsLogData'].sampleRateValue);
}

/** Whether a tracer adds errors to its segments. */
export function capturesErrors(tracer: Tracer): boolean {
  return tracer['captureError'];
}

const madeWithLevel = new WeakSet<Logger>();

/**
 * From now on, notes which loggers are made with the option `logLevel`. Powertools does not keep the option, so it is noted
 * when the constructor sets the initial level.
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
