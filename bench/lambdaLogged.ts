import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy, { type MiddlewareObj } from '@middy/core';
import type { SQSEvent } from 'aws-lambda';
import { queued } from '../core/batch/queued.ts';
import { lambdaLogged } from '../middlewares/lambdaLogged.ts';
import { sqsSnsUnwrap } from '../middlewares/sqsSnsUnwrap.ts';
import { lambdaContext } from '../test/support/lambdaContext.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';
import { type PairedTime, pairedRounds } from './pairedRounds.ts';
import { table } from './table.ts';

const context = lambdaContext();
const length = 10;
const rounds = 300;
let written = 0;

/** A logger that formats lines and discards them. */
function makeLogger(): Logger {
  const logger = new Logger({ serviceName: 'bench' });
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      written += 1;
      done();
    },
  });
  logger['console'] = new Console(nowhere, nowhere);
  return logger;
}

type Run = (event: SQSEvent) => Promise<unknown>;

function stackOf(work: () => void, ...stack: MiddlewareObj[]): Run {
  const handler = middy(queued(async () => work())) as unknown as ReturnType<typeof middy>;
  for (const middleware of [...stack, sqsSnsUnwrap() as MiddlewareObj]) handler.use(middleware);
  return (event) => handler(event as never, context) as Promise<unknown>;
}

/** With Powertools alone: its own middleware, and the line at the end that lambdaLogged writes too. */
function powertools(lines: number): Run {
  const logger = makeLogger();
  const summary: MiddlewareObj = {
    after: () =>
      logger.info('batch done', { records: length, failed: 0, milliseconds: 1, bytes_hydrated: 0 }),
  };
  const inject = injectLambdaContext(logger) as MiddlewareObj;
  return stackOf(() => writeLines(logger, lines), inject, summary);
}

function logged(lines: number): Run {
  const logger = makeLogger();
  return stackOf(() => writeLines(logger, lines), lambdaLogged({ logger }));
}

function writeLines(logger: Logger, lines: number): void {
  const keys = {
    task_name: 'work',
    message_id: 'id',
    receive_count: 1,
    chain_id: 'id',
    function_version: '1',
  };
  // Powertools alone has no task keys, so they are added to each line: both write the same.
  const isBound =
    logger['getLogFormatter']().formatAttributes.length === 2 &&
    Object.hasOwn(logger['getLogFormatter'](), 'formatAttributes');
  for (let line = 0; line < lines; line += 1) {
    if (isBound) logger.info('working', { step: line });
    else logger.info('working', { step: line, ...keys });
  }
}

const makeEvent = (): SQSEvent => ({
  Records: Array.from({ length }, (_, n) => sqsRecord({ task_name: 'work', task_kwargs: { n } })),
});

const rows: string[][] = [];
const extra: number[] = [];
for (const lines of [0, 1, 5]) {
  const [own, ours] = (await pairedRounds(
    [
      { name: 'Powertools', make: makeEvent, run: powertools(lines) },
      { name: 'lambdaLogged', make: makeEvent, run: logged(lines) },
    ],
    { rounds, count: 10 },
  )) as [PairedTime, PairedTime];
  const more = (own.micros * (ours.ratio - 1)) / length;
  extra.push(more);
  rows.push([
    String(lines),
    ...[own.micros / length, ours.micros / length, more].map((micros) => micros.toFixed(2)),
  ]);
}
if (written === 0) throw new Error('nothing was written');

console.log(
  [
    `The time of each task in batches of ${length}, with no I/O, in microseconds: a stack with Powertools' own middleware,`,
    `which writes the same lines, and one with lambdaLogged. Median of ${rounds} paired rounds.\n`,
    table(['lines a task', 'Powertools', 'lambdaLogged', 'beyond it'], rows),
    '',
    `- less than 10 µs a task beyond Powertools' own cost: ${Math.max(...extra).toFixed(2)} at most`,
  ].join('\n'),
);
