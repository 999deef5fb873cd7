import { sendTask } from 'algernon-middy';
import { marketAjson } from './marketAjson.ts';
import type { DeadLetter, Outcome } from './Outcome.ts';
import { openReportStore } from './openReportStore.ts';
import type { Progress, TaskProgress } from './showProgress.ts';
import { type Market, startMarket, taskNames } from './startMarket.ts';
import type { LoadArguments } from './worker.ts';

const concurrentSends = 25;
const refreshMillis = 60;

/**
 * Sends a chain of tasks for each input through SNS, SQS and S3 on this machine, and waits until all
 * work is done. If `signal` aborts, running tasks are finished and no new ones are started.
 */
export async function runChains(
  inputs: LoadArguments[],
  { progress, signal, verbose }: { progress: Progress; signal: AbortSignal; verbose: boolean },
): Promise<Outcome> {
  await using market = await startMarket({ verbose });
  const { worker, tally } = market;
  const timer = setInterval(() => progress.show(stateOf(market, inputs.length)), refreshMillis);
  const start = performance.now();
  let sent: string[];
  let seconds: number;
  try {
    sent = await sendChains(inputs, market, signal);
    await Promise.race([worker.idle(), aborted(signal)]);
    seconds = (performance.now() - start) / 1000;
    await worker.stop();
  } finally {
    clearInterval(timer);
  }
  progress.end(stateOf(market, inputs.length, signal.aborted ? 'failing' : 'given up'));

  return {
    sent,
    arrived: tally.done('report'),
    deadLetters: await readDeadLetters(market),
    done: Object.fromEntries(taskNames.map((task) => [task, tally.done(task).size])),
    seconds,
    batches: tally.batches,
    retries: tally.retries,
    bytes: { ...market.bytes },
    calendars: market.calendars,
    reports: await readReports(inputs, market),
  };
}

/** @returns the chains that were sent: all, unless `signal` aborted. */
async function sendChains(inputs: LoadArguments[], market: Market, signal: AbortSignal): Promise<string[]> {
  const { s3, sns, bucket } = market.aws;
  const sent: string[] = [];
  const send = async (task_kwargs: LoadArguments): Promise<void> => {
    const task = { task_name: 'load', task_kwargs, callback: taskNames.join('#') };
    await sendTask(task, { s3, sns, bucket, topics: market.worker.topics, ajson: marketAjson });
    sent.push(task_kwargs.chain);
  };
  for (let i = 0; i < inputs.length && !signal.aborted; i += concurrentSends)
    await Promise.all(inputs.slice(i, i + concurrentSends).map(send));
  return sent;
}

function stateOf({ tally }: Market, of: number, state = 'failing'): TaskProgress[] {
  return taskNames.map((task) => {
    const failed = tally.failing(task).size;
    return { task, done: tally.done(task).size, of, note: failed > 0 ? `${failed} ${state}` : undefined };
  });
}

async function readDeadLetters({ worker, tally }: Market): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const task of taskNames) {
    for (const { messageId } of await worker.deadLetters(task)) {
      const note = tally.noteOf(messageId);
      letters.push({ task, chain: note?.chain, problem: note?.problem });
    }
  }
  return letters;
}

async function readReports(inputs: LoadArguments[], { aws }: Market): Promise<Outcome['reports']> {
  const store = openReportStore(aws);
  const symbols = new Set(inputs.map(({ symbol }) => symbol));
  const reports = await Promise.all([...symbols].map(store.get));
  return reports.filter((report) => report !== undefined);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
