import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqsRecord } from '../../../core/batch/events.ts';
import type { Task } from '../../../core/tasks/task.ts';
import { type Finding, findingsOf, repeatedIn, type Seen } from './findingsOf.ts';

import { type Fate, openWorld, type SeenCall, type World, type WorldOptions } from './openWorld.ts';
import { type Ended, startThread } from './workerThread.ts';

/** The outcome for one task. */
export interface Proof {
  readonly task: Task<object>;
  readonly experiments: number;
  readonly calls: readonly string[];
  readonly findings: readonly Finding[];
  /** Messages that were sent again with the same content: their tasks must be idempotent too. */
  readonly again: readonly string[];
}

export interface ProveOptions extends Pick<WorldOptions, 'folders' | 'setup'> {
  readonly worker: string;
  readonly timeoutSeconds: number;
  /** How many experiments run at once. */
  readonly lanes: number;
}

interface Experiment {
  readonly name: string;
  readonly index?: number;
  readonly fate?: Fate | 'together';
}

/** The part of a message that is the same in each delivery and each experiment. */
interface Message {
  readonly messageId: string;
  readonly sentAt: string;
}

/** How many calls of a task are disturbed. */
const maxCalls = 50;

/**
 * Takes a task through its experiments: a message is delivered, disturbed, and delivered again to another instance of the
 * worker. After that, others must see the same as after one delivery.
 *
 * @throws Error when the undisturbed task fails
 */
export async function proveTask(task: Task<object>, options: ProveOptions): Promise<Proof> {
  const message = { messageId: randomUUID(), sentAt: String(Date.now()) };
  const [alone, other] = await allDone([runAlone(task, message, options), runAlone(task, message, options)]);
  const experiments = experimentsFor(alone.calls);
  const findings: Finding[] = [];
  const again = new Set<string>();
  const rest = experiments.values();
  const lane = async () => {
    for (const experiment of rest) {
      const seen = await runExperiment(task, message, experiment, options);
      findings.push(...findingsOf(experiment.name, seen, { alone: alone.effects, other: other.effects }));
      for (const target of repeatedIn(seen)) again.add(target);
    }
  };
  await allDone(Array.from({ length: options.lanes }, lane));
  const calls = alone.calls.map(({ name }) => name);
  return { task, experiments: experiments.length, calls, findings, again: [...again].sort() };
}

/** Waits for all, since each must close its world, and throws the first error. */
async function allDone<const W extends readonly Promise<unknown>[]>(
  work: W,
): Promise<{ -readonly [K in keyof W]: Awaited<W[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function experimentsFor(calls: readonly SeenCall[]): Experiment[] {
  const disturbed = calls
    .slice(0, maxCalls)
    .flatMap(({ name, hasEffect }, index): Experiment[] => [
      { name: `killed before ${name}`, index, fate: 'kill before' },
      { name: `${name} fails`, index, fate: 'error' },
      ...(hasEffect
        ? [
            { name: `killed after ${name}`, index, fate: 'kill after' } as const,
            { name: `the answer of ${name} is lost`, index, fate: 'lost' } as const,
          ]
        : []),
    ]);
  return [{ name: 'two deliveries' }, { name: 'two deliveries at once', fate: 'together' }, ...disturbed];
}

async function runAlone(task: Task<object>, message: Message, options: ProveOptions) {
  const world = await openWorld({ ...options, taskName: task.task_name });
  try {
    world.begin();
    const ended = await deliver(world, task, options, message, 1);
    if (ended?.outcome === 'failed')
      throw new Error(`${task.task_name} fails without a fault: ${ended.error}`);
    return await world.seen();
  } finally {
    await world.close();
  }
}

async function runExperiment(
  task: Task<object>,
  message: Message,
  experiment: Experiment,
  options: ProveOptions,
): Promise<Seen> {
  const world = await openWorld({ ...options, taskName: task.task_name });
  const { index, fate } = experiment;
  try {
    if (fate === 'together') {
      world.begin();
      await Promise.all([1, 2].map((count) => deliver(world, task, options, message, count)));
    } else {
      const killed = Promise.withResolvers<void>();
      world.begin(index === undefined || !fate ? undefined : { index, fate, onKill: killed.resolve });
      await deliver(world, task, options, message, 1, killed.promise);
    }
    const first = (await world.seen()).effects;
    world.begin();
    const last = await deliver(world, task, options, message, fate === 'together' ? 3 : 2);
    return { first, second: (await world.seen()).effects, last };
  } finally {
    await world.close();
  }
}

/** Delivers a message to a new instance of the worker. Resolves to undefined if it is killed. */
async function deliver(
  world: World,
  task: Task<object>,
  { worker, timeoutSeconds }: ProveOptions,
  message: Message,
  receiveCount: number,
  killed: Promise<void> = new Promise(() => {}),
): Promise<Ended | undefined> {
  const { queueArn, functionArn } = world;
  const thread = startThread(world.env);
  const giveUp = new AbortController();
  const timeOut = sleep(timeoutSeconds * 1000 + 5000, undefined, { signal: giveUp.signal }).then(
    (): Ended => ({ outcome: 'failed', error: 'It did not end in time.' }),
    () => undefined,
  );
  try {
    const record = recordFields(message, receiveCount);
    const delivery = { worker, task, queueArn, functionArn, timeoutSeconds, record, receiveCount };
    return await Promise.race([thread.deliver(delivery), killed.then(() => undefined), timeOut]);
  } finally {
    giveUp.abort();
    await thread.kill();
  }
}

function recordFields({ messageId, sentAt }: Message, receiveCount: number): Partial<SqsRecord> {
  return {
    messageId,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: sentAt,
      SenderId: 'prove',
      ApproximateFirstReceiveTimestamp: sentAt,
    },
  };
}
