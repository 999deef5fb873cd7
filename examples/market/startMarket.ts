import { Logger } from '@aws-lambda-powertools/logger';
import { chainEvents } from 'algernon-middy';
import { type LocalAws, startLocalAws, startWorker, type Worker } from 'algernon-middy/local';
import { type ByteCount, countBytes } from './countBytes.ts';
import { createTally, type Tally } from './createTally.ts';
import { openMarketCalendar } from './openMarketCalendar.ts';
import { createHandler, taskNames } from './worker.ts';

/** The running worker and its counters. */
export interface RunningMarket extends AsyncDisposable {
  aws: LocalAws;
  worker: Worker<(typeof taskNames)[number]>;
  tally: Tally;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  readonly calendars: number;
}

/** Starts SNS, SQS and S3 in this process, and the worker on its queues. */
export async function startMarket({ verbose }: { verbose: boolean }): Promise<RunningMarket> {
  const aws = await startLocalAws();
  const tally = createTally();
  const bytes = countBytes(aws.s3);
  let calendars = 0;
  const handler = createHandler({
    ...aws,
    logger: new Logger({ serviceName: 'market', logLevel: verbose ? 'INFO' : 'SILENT' }),
    openCalendar: () => {
      calendars += 1;
      return openMarketCalendar();
    },
    use: [chainEvents({ to: tally })],
  });
  const worker = await startWorker({ aws, handler, tasks: taskNames, onInvocation: () => {} });
  return {
    aws,
    worker,
    tally,
    bytes,
    get calendars() {
      return calendars;
    },
    [Symbol.asyncDispose]: () => aws.stop(),
  };
}
