import type { Logger } from '@aws-lambda-powertools/logger';

/** Powertools' number for INFO, which is what a logger has that nobody gave a level. */
const info = 12;

/**
 * Whether `DEBUG` is to switch debug lines on: `true` or `1`, in any case. The variables that Powertools reads go
 * before it.
 */
export function wantsDebug(): boolean {
  const { DEBUG = '', POWERTOOLS_LOG_LEVEL, LOG_LEVEL, AWS_LAMBDA_LOG_LEVEL } = process.env;
  return /^(true|1)$/i.test(DEBUG.trim()) && !(POWERTOOLS_LOG_LEVEL || LOG_LEVEL || AWS_LAMBDA_LOG_LEVEL);
}

/** Gives a logger the level DEBUG, unless it was given one of its own. */
export function switchDebugOn(logger: Logger): void {
  if (logger.level === info) logger.setLogLevel('DEBUG');
}

/**
 * Decides anew whether this invocation is one whose debug lines are sampled. Without sampling nothing is done, since
 * that would take away a level that was set at start-up.
 */
export function sampleDebug(logger: Logger): void {
  if (logger['powertoolsLogData'].sampleRateValue) logger.refreshSampleRateCalculation();
}
