import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { Logger } from '@aws-lambda-powertools/logger';
import { chainEvents } from 'algernon-middy';
import { type LocalAws, startDevServer, startLocalAws, startWorker, type Worker } from 'algernon-middy/local';
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
  /** The URL of the page. */
  url: string | undefined;
  /** How many times the market calendar was opened. */
  readonly calendars: number;
}

interface MarketOptions {
  /** Whether the terminal gets what the tasks log. */
  verbose: boolean;
  /** Whether to serve the page. */
  page: boolean;
}

/** Starts SNS, SQS and S3 in this process, the worker on its queues, and the page that shows it. */
export async function startMarket({ verbose, page }: MarketOptions): Promise<RunningMarket> {
  const aws = await startLocalAws();
  const tally = createTally();
  const bytes = countBytes(aws.s3);
  let calendars = 0;
  const handler = createHandler({
    ...aws,
    logger: createLogger({ verbose, page }),
    openCalendar: () => {
      calendars += 1;
      return openMarketCalendar();
    },
    use: [chainEvents({ to: tally })],
  });
  const worker = await startWorker({ aws, handler, tasks: taskNames, onInvocation: () => {} });
  const server = page ? await startDevServer({ aws, worker, name: 'market' }) : undefined;
  return {
    aws,
    worker,
    tally,
    bytes,
    url: server?.url,
    get calendars() {
      return calendars;
    },
    [Symbol.asyncDispose]: () => aws.stop(),
  };
}

/** The page takes the lines of the logger, the terminal only if asked for. */
function createLogger({ verbose, page }: MarketOptions): Logger {
  const logger = new Logger({ serviceName: 'market', logLevel: verbose || page ? 'INFO' : 'SILENT' });
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return verbose ? logger : Object.assign(logger, { console: new Console(nowhere) });
}
