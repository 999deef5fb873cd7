import { Logger } from '@aws-lambda-powertools/logger';
import { sendTask } from 'algernon-middy';
import { startLocalAws, startWorker } from 'algernon-middy/local';
import { type ByteCount, countBytes } from './countBytes.ts';
import { createTally } from './createTally.ts';
import { marketAjson } from './marketAjson.ts';
import { openMarketCalendar } from './openMarketCalendar.ts';
import { openReportStore } from './openReportStore.ts';
import type { Report } from './Report.ts';
import type { Progress } from './showProgress.ts';
import { createHandler, type LoadArguments } from './worker.ts';

/** A message that was given up, after it had been tried three times. */
export interface DeadLetter {
  task: string;
  chain: string | undefined;
  problem: string | undefined;
}

/** What came of all chains. */
export interface Outcome {
  /** The chains that SNS has taken. */
  sent: string[];
  /** The chains whose last task is done. */
  arrived: ReadonlySet<string>;
  deadLetters: DeadLetter[];
  /** How many tasks of each name are done. */
  done: Record<string, number>;
  /** From the first message sent to the last acknowledged. */
  seconds: number;
  batches: number;
  /** How many times a message came again. */
  retries: number;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  calendars: number;
  /** What there is in S3, one a symbol. */
  reports: Report[];
}

const TASKS = ['load', 'analyse', 'report'] as const;
const SENT_AT_ONCE = 25;
const RETRY_DELAY_SECONDS = 1;
const REFRESH_MILLIS = 60;

/**
 * Sends a chain of tasks for each input through SNS, SQS and S3 on this machine, and waits until there is nothing
 * left to do, or until `signal` says to stop: then what is under way is finished, and nothing more begun.
 */
export async function runChains(
  inputs: LoadArguments[],
  { progress, signal, verbose }: { progress: Progress; signal: AbortSignal; verbose: boolean },
): Promise<Outcome> {
  await using aws = await startLocalAws();
  const { s3, sns, bucket } = aws;
  const bytes = countBytes(s3);
  const tally = createTally();
  let calendars = 0;
  const openCalendar: typeof openMarketCalendar = () => {
    calendars += 1;
    return openMarketCalendar();
  };
  const logger = new Logger({ serviceName: 'market', logLevel: verbose ? 'INFO' : 'SILENT' });
  const handler = createHandler({ s3, sns, bucket, logger, openCalendar, use: [tally.middleware] });
  await using running = await startWorker({
    aws,
    handler,
    tasks: TASKS,
    retryDelaySeconds: RETRY_DELAY_SECONDS,
    onInvocation: tally.add,
  });

  const state = () =>
    TASKS.map((task) => {
      const failing = tally.failing(task).size;
      const note = failing > 0 ? `${failing} failing` : undefined;
      return { task, done: tally.done(task).size, of: inputs.length, note };
    });
  const timer = setInterval(() => progress.show(state()), REFRESH_MILLIS);
  let seconds = 0;
  const start = performance.now();
  const sent: string[] = [];
  const send = async (task_kwargs: LoadArguments): Promise<void> => {
    const task = { task_name: 'load', task_kwargs, callback: TASKS.join('#') };
    await sendTask(task, { sns, s3, bucket, topics: running.topics, ajson: marketAjson });
    sent.push(task_kwargs.chain);
  };
  try {
    for (let i = 0; i < inputs.length && !signal.aborted; i += SENT_AT_ONCE)
      await Promise.all(inputs.slice(i, i + SENT_AT_ONCE).map(send));
    await Promise.race([running.idle(), aborted(signal)]);
    seconds = (performance.now() - start) / 1000;
    await running.stop();
  } finally {
    clearInterval(timer);
  }
  progress.end(state());

  const through = { ...bytes };
  const reports = openReportStore({ s3, bucket });
  const symbols = [...new Set(inputs.map(({ symbol }) => symbol))];
  const letters = await Promise.all(
    TASKS.map(async (task) =>
      (await running.deadLetters(task)).map(({ messageId }) => ({ task, messageId })),
    ),
  );
  return {
    sent,
    arrived: tally.done('report'),
    deadLetters: letters.flat().map(({ task, messageId }) => {
      const { chain, problem } = tally.noteOf(messageId) ?? {};
      return { task, chain, problem };
    }),
    done: Object.fromEntries(TASKS.map((task) => [task, tally.done(task).size])),
    seconds,
    batches: tally.batches,
    retries: tally.retries,
    bytes: through,
    calendars,
    reports: (await Promise.all(symbols.map(reports.get))).filter((report) => report !== undefined),
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
