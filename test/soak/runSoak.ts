import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type LocalAws, startLocalAws, startWorker, type Worker } from '../../local/index.ts';
import { createRandom } from './createRandom.ts';
import { keepWorkers } from './keepWorkers.ts';
import { type Outcome, readOutcome } from './readOutcome.ts';
import { type Poison, sendLoads } from './sendLoads.ts';
import { type Step, steps } from './steps.ts';
import { workerOptions } from './workerOptions.ts';

export interface SoakReport {
  seed: number;
  sent: number;
  /** Tasks that completed their chain. */
  ended: number;
  /** Poisonous tasks that were dead-lettered. */
  poisoned: number;
  /** Valid tasks that were dead-lettered after too many faults. */
  wornOut: number;
  /** Tasks that are neither completed nor dead-lettered. */
  lost: number[];
  /** Descriptions of unexpected states. */
  wrong: string[];
  /** Repeated runs of a step. */
  repeats: number;
  runs: number;
  kills: number;
  seconds: number;
}

/**
 * Sends tasks in chains of three through two workers that are killed and restarted, with faults in one call of ten.
 * Waits until every queue is empty, and accounts for every task.
 */
export async function runSoak(options: {
  tasks: number;
  seed: number;
  /** One task of this many is poisonous. Default 100. */
  poisonEvery?: number;
  /** The average time between two kills. Default 6. */
  killSeconds?: number;
}): Promise<SoakReport> {
  const { tasks, seed, poisonEvery = 100, killSeconds = 6 } = options;
  const random = createRandom(seed);
  const aws = await startLocalAws();
  try {
    // Creates the queues and receives nothing.
    const queues = await startWorker({ ...workerOptions, aws, handler: async () => {} });
    await queues.stop();
    const startedAt = performance.now();
    const workers = await keepWorkers(aws.env, random, { killSeconds });
    try {
      const sent = await sendLoads(aws, queues.topics, { tasks, poisonEvery }, random);
      await Promise.race([untilEmpty(aws, queues), workers.failed]);
      const seconds = (performance.now() - startedAt) / 1000;
      const { kills } = workers;
      await workers.stop();
      return { seed, kills, seconds, ...account(sent, await readOutcome(aws, queues)) };
    } finally {
      await workers.stop();
    }
  } finally {
    await aws.stop();
  }
}

/**
 * Waits in the order of the chain, since a queue stays empty once nothing is sent to it. A task on its way is for a
 * moment in two queues, never in none.
 */
async function untilEmpty({ sqs }: LocalAws, { queues }: Worker<Step>): Promise<void> {
  for (const step of steps) {
    for (let left = 1; left > 0; ) {
      await sleep(200);
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queues[step].url, AttributeNames: ['All'] }),
      );
      left =
        Number(Attributes.ApproximateNumberOfMessages) +
        Number(Attributes.ApproximateNumberOfMessagesNotVisible) +
        Number(Attributes.ApproximateNumberOfMessagesDelayed);
    }
  }
}

function account(
  sent: ReadonlyMap<number, Poison | undefined>,
  { runs, dead, strange }: Outcome,
): Omit<SoakReport, 'seed' | 'kills' | 'seconds'> {
  const lost: number[] = [];
  const wrong = strange.map((body) => `a dead letter of no task: ${body.slice(0, 200)}`);
  let ended = 0;
  let poisoned = 0;
  let wornOut = 0;
  for (const [n, poison] of sent) {
    const hasEnded = runs.third.has(n);
    const reasons = dead.get(n);
    if (hasEnded) ended += 1;
    else if (reasons === undefined) lost.push(n);
    else if (poison) poisoned += 1;
    else wornOut += 1;
    if (poison && hasEnded) wrong.push(`${n} has ended, with ${poison}`);
    if (poison && poison !== 'never done' && reasons?.some((reason) => reason === undefined)) {
      wrong.push(`${n} was not seen to be final, with ${poison}`);
    }
  }
  const counts = steps.flatMap((step) => [...runs[step].entries()]);
  for (const [n] of counts) if (!sent.has(n)) wrong.push(`${n} has run, and was not sent`);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    sent: sent.size,
    ended,
    poisoned,
    wornOut,
    lost,
    wrong,
    runs: counts.length,
    repeats: total - counts.length,
  };
}
