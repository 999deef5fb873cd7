import { setTimeout } from 'node:timers/promises';
import type { ByteCount } from './countBytes.ts';
import type { Portfolio } from './createPortfolio.ts';
import { openStore, type Report } from './openStore.ts';
import type { Progress, TaskProgress } from './output/showProgress.ts';
import type { RunningMarket } from './startMarket.ts';
import { type Market, sendMarket, taskNames } from './worker.ts';

/** The arguments, and how many times they are sent. */
export interface Input extends Market {
  repeat: number;
}

/** A message that failed three times and went to the dead-letter queue. */
export interface DeadLetter {
  task: string;
  chainId: string | undefined;
  /** The company, if its prices are in the message. */
  symbol: string | undefined;
  problem: string | undefined;
}

/** A finished run. */
interface Run extends Input {
  /** The chains that were sent. */
  sent: string[];
  /** The time from the first send to the last acknowledgement. */
  seconds: number;
}

/** The outcome of a run. */
export interface Outcome extends Run {
  /** The chains whose portfolio is done. */
  arrived: ReadonlySet<string>;
  deadLetters: DeadLetter[];
  /** How many tasks of each name are done. */
  done: Record<string, number>;
  batches: number;
  /** How many times a message was redelivered. */
  retries: number;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  calendars: number;
  /** The reports in S3, one for each company that is done. */
  reports: Report[];
  portfolio: Portfolio | undefined;
}

const concurrentSends = 10;
const refreshMillis = 60;
const watchMillis = 300;

/**
 * Sends the companies through SNS, SQS and S3 on this machine, and waits until all work is done. If `signal` aborts, running
 * tasks are finished and no new ones are started.
 */
export async function runMarket(
  market: RunningMarket,
  input: Input,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Outcome> {
  const { worker } = market;
  const timer = setInterval(() => progress.show(stateOf(market, input)), refreshMillis);
  const start = performance.now();
  let sent: string[];
  let seconds: number;
  try {
    sent = await sendAll(market, input, signal);
    await Promise.race([worker.idle(), aborted(signal)]);
    seconds = (performance.now() - start) / 1000;
    if (signal.aborted) await worker.stop();
  } finally {
    clearInterval(timer);
  }
  progress.end(stateOf(market, input, signal.aborted ? 'failing' : 'given up'));
  return readOutcome(market, { ...input, sent, seconds });
}

/** Reads the outcome so far. */
export async function readOutcome(market: RunningMarket, run: Run): Promise<Outcome> {
  const { aws, worker, tally } = market;
  const store = openStore(aws);
  const reports = await Promise.all(run.companies.map(({ symbol }) => store.getReport(symbol)));
  return {
    ...run,
    arrived: new Set(tally.done('portfolio').values()),
    deadLetters: await readDeadLetters(market),
    done: Object.fromEntries(taskNames.map((task) => [task, tally.done(task).size])),
    batches: worker.stats.invocations,
    retries: tally.retries,
    bytes: { ...market.bytes },
    calendars: market.calendars,
    reports: reports.filter((report) => report !== undefined),
    portfolio: await store.getPortfolio(),
  };
}

/** Yields the outcome again whenever a portfolio is done, such as after a redrive, until `signal` aborts. */
export async function* watchMarket(
  market: RunningMarket,
  outcome: Outcome,
  signal: AbortSignal,
): AsyncGenerator<Outcome> {
  const portfolios = market.tally.done('portfolio');
  let seen = portfolios.size;
  while (!signal.aborted) {
    await Promise.race([setTimeout(watchMillis), aborted(signal)]);
    if (portfolios.size === seen) continue;
    await Promise.race([market.worker.idle(), aborted(signal)]);
    seen = portfolios.size;
    yield readOutcome(market, outcome);
  }
}

/** @returns the chains that were sent: all, unless `signal` aborted. */
async function sendAll(
  { aws, worker }: RunningMarket,
  { companies, repeat, failures }: Input,
  signal: AbortSignal,
): Promise<string[]> {
  const { s3, sns, bucket } = aws;
  const sent: string[] = [];
  const send = async (): Promise<void> => {
    const options = { s3, sns, bucket, topics: worker.topics };
    const { chainId } = await sendMarket({ companies, failures }, options);
    sent.push(chainId);
  };
  for (let left = repeat; left > 0 && !signal.aborted; left -= concurrentSends)
    await Promise.all(Array.from({ length: Math.min(left, concurrentSends) }, send));
  return sent;
}

function stateOf({ tally }: RunningMarket, { companies, repeat }: Input, state = 'failing'): TaskProgress[] {
  return taskNames.map((task) => {
    const of = repeat * (task === 'load' || task === 'analyse' ? companies.length : 1);
    const failing = tally.failing(task);
    return { task, done: tally.done(task).size, of, note: failing > 0 ? `${failing} ${state}` : undefined };
  });
}

async function readDeadLetters({ worker, tally, url }: RunningMarket): Promise<DeadLetter[]> {
  const read = async (): Promise<DeadLetter[]> => {
    const lists = taskNames.map(async (task) =>
      (await worker.deadLetters(task)).map(({ messageId, body }): DeadLetter => {
        const { chainId, problem } = tally.failureOf(messageId) ?? {};
        return { task, chainId, symbol: symbolOf(body), problem };
      }),
    );
    return (await Promise.all(lists)).flat();
  };
  const failing = taskNames.reduce((sum, task) => sum + tally.failing(task), 0);
  let letters = await read();
  // While the page reads a queue, its messages are hidden.
  for (let tries = url ? 10 : 0; tries > 0 && letters.length < failing; tries -= 1) {
    await setTimeout(100);
    letters = await read();
  }
  return letters;
}

/** The company in the message of a task: SNS wraps it in an envelope. */
function symbolOf(body: string): string | undefined {
  try {
    const { symbol } = JSON.parse(JSON.parse(body).Message).task_kwargs;
    return typeof symbol === 'string' ? symbol : undefined;
  } catch {
    return undefined;
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
