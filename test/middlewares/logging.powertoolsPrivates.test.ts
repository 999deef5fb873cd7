import { LogFormatter, Logger } from '@aws-lambda-powertools/logger';

import { Tracer } from '@aws-lambda-powertools/tracer';
import { expect, jest, test } from '@jest/globals';
import '../../middlewares/logging/logLevel.ts';
import {
  capturesErrors,
  consoleOf,
  formatterOf,
  isMadeWithLevel,
  isSampling,
  setConsole,
} from '../../middlewares/logging/powertoolsPrivates.ts';

/** A logger that samples writes a line when it is made. */
function quietly<T>(work: () => T): T {
  const silence = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    return work();
  } finally {
    silence.mockRestore();
  }
}

test('getLogFormatter: the formatter of a logger and its children', () => {
  const logger = new Logger();
  const formatter = formatterOf(logger);
  expect(formatter).toBeInstanceOf(LogFormatter);
  expect(formatterOf(logger.createChild())).toBe(formatter);
  expect(formatter.formatError).toBe(LogFormatter.prototype.formatError);
});

test('console: the console that a logger writes to', () => {
  const logger = new Logger();
  const lines: string[] = [];
  expect(typeof consoleOf(logger).info).toBe('function');
  setConsole(logger, { ...consoleOf(logger), info: (line: string) => lines.push(line) } as Console);
  logger.info('here');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['here']);
});

test('powertoolsLogData.sampleRateValue: whether a logger samples', () => {
  expect(isSampling(quietly(() => new Logger({ sampleRateValue: 1 })))).toBe(true);
  expect(isSampling(new Logger())).toBe(false);
});

test('captureError: whether a tracer captures errors', () => {
  expect(capturesErrors(new Tracer({ enabled: false }))).toBe(true);
  process.env.POWERTOOLS_TRACER_CAPTURE_ERROR = 'false';
  try {
    expect(capturesErrors(new Tracer())).toBe(false);
  } finally {
    delete process.env.POWERTOOLS_TRACER_CAPTURE_ERROR;
  }
});

test('setInitialLogLevel: whether a logger was created with a level, and still has it', () => {
  const made = new Logger({ logLevel: 'INFO' });
  expect([isMadeWithLevel(made), isMadeWithLevel(new Logger()), made.getLevelName()]).toEqual([
    true,
    false,
    'INFO',
  ]);
  expect(new Logger({ logLevel: 'ERROR' }).getLevelName()).toBe('ERROR');
});
