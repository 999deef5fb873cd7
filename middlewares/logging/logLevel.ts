import { Logger, LogLevelThreshold } from '@aws-lambda-powertools/logger';
import { isMadeWithLevel, isSampling, noteLevels } from './powertoolsPrivates.ts';

noteLevels(Logger.prototype);

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Whether a logger writes lines of a level. */
export function isWritten(logger: Logger, level: Level): boolean {
  return LogLevelThreshold[level.toUpperCase() as Uppercase<Level>] >= logger.level;
}

/**
 * Whether `DEBUG` turns debug lines on: `true` or `1`, in any case. The variables of Powertools take precedence.
 */
export function wantsDebug(): boolean {
  const { DEBUG = '', POWERTOOLS_LOG_LEVEL, LOG_LEVEL, AWS_LAMBDA_LOG_LEVEL } = process.env;
  return /^(true|1)$/i.test(DEBUG.trim()) && !(POWERTOOLS_LOG_LEVEL || LOG_LEVEL || AWS_LAMBDA_LOG_LEVEL);
}

/** Sets the level of a logger to DEBUG, unless its level was set in code. */
export function switchDebugOn(logger: Logger): void {
  if (logger.level === LogLevelThreshold.INFO && !isMadeWithLevel(logger)) logger.setLogLevel('DEBUG');
}

/**
 * Decides whether debug lines are sampled in this invocation. Does nothing without sampling, since it would reset a level
 * that was set at start-up.
 */
export function sampleDebug(logger: Logger): void {
  if (isSampling(logger)) logger.refreshSampleRateCalculation();
}
