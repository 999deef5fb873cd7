import { Logger } from '@aws-lambda-powertools/logger';

/** A Powertools logger that writes nothing. */
export function silentLogger(): Logger {
  return new Logger({ logLevel: 'SILENT' });
}
