import type { Logger } from '@aws-lambda-powertools/logger';
import { boundedCopy } from './boundedCopy.ts';
import { cut, isError, maxMessage } from './errorText.ts';
import { inspect } from './nodeUtil.ts';

/** Writes one line for an error, or for another thrown value. */
export function logFailure(logger: Logger, level: 'error' | 'warn', message: string, error: unknown): void {
  logger[level](message, { error: isError(error) ? error : thrownValue(error) });
}

/** A thrown value in the form of an error. */
export function thrownValue(value: unknown): { name: string; message: string } {
  const shown = inspect(boundedCopy(value, { as: 'text' }), { depth: 2, breakLength: 1e9 });
  return { name: 'thrown value', message: cut(shown, maxMessage) };
}
