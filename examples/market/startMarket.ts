import { Logger } from '@aws-lambda-powertools/logger';
import { type LocalAws, startLocalAws, startWorker, type Worker } from 'algernon-middy/local';
import { type ByteCount, countBytes } from './countBytes.ts';
import { createTally, type Tally } from './createTally.ts';
import { openMarketCalendar } from './openMarketCalendar.ts';
import { createHandler } from './worker.ts';

/** The tasks of a chain, in order. */
export const taskNames = ['load', 'analyse', 'report'] as const;

/** The running worker and its counters. */
export interface Market extends AsyncDisposable {
  aws: LocalAws;
  worker: Worker<(typeof taskNames)[number]>;
  tally: Tally;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  readonly calendars: number;
}

const retryDelaySeconds = 1;

/** Starts SNS, SQS and S3 in this process, and the worker on its queues. */
export async function startMarket({ verbose }: { verbose: boolean }): Promise<Market> {
  const aws = await startLocalAws();
  const { s3, sns, bucket } = aws;
  const bytes = countBytes(s3);
  const tally = createTally();
  let calendars = 0;
  const openCalendar: typeof openMarketCalendar = () => {
    calendars += 1;
    return openMarketCalendar();
  };
  const logger = new Logger({ serviceName: 'market', logLevel: verbose ? 'INFO' : 'SILENT' });
  const worker = await startWorker({
    aws,
    handler: createHandler({ s3, sns, bucket, logger, openCalendar, use: [tally.middleware] }),
    tasks: taskNames,
    retryDelaySeconds,
    onInvocation: tally.add,
  });
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
