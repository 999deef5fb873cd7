import { inspect } from 'node:util';
import type { Logger } from '@aws-lambda-powertools/logger';
import { hideSecrets } from './hideSecrets.ts';

/** Writes one line for an error. What cannot be written must not become a failure of its own. */
export function logFailure(logger: Logger, level: 'error' | 'warn', message: string, error: unknown): void {
  try {
    logger[level](message, { error: error instanceof Error ? error : thrownValue(error) });
  } catch {
    logger[level](message, { error: thrownValue(error) });
  }
}

/** For what was thrown and is no error. */
function thrownValue(value: unknown) {
  const message =
    value instanceof Error
      ? value.message
      : inspect(hideSecrets(value, 'text'), { depth: 2, breakLength: 1e9 });
  return { name: value instanceof Error ? value.name : 'thrown value', message };
}
