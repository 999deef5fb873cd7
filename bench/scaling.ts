/** Measures how the cost of a stack grows. A part that grows faster than its input shows as a rising cost per unit. */
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SQSEvent } from 'aws-lambda';
import {
  callbackPublisher,
  contextResources,
  lambdaLogged,
  queued,
  sqsSnsUnwrap,
  type Task,
} from '../middlewares/index.ts';
import { lambdaContext } from '../test/support/lambdaContext.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';
import { quantile } from './pairedRounds.ts';
import { type BatchHandler, stacks } from './stackContenders.ts';
import { table } from './table.ts';

const rounds = 15;
const rows: string[][] = [];
const goals: string[] = [];

const eventOf = (length: number, task: unknown = { task_name: 'work' }): SQSEvent => ({
  Records: Array.from({ length }, () => sqsRecord(task)),
});
const failing = () => {
  throw new Error('broken');
};
const reporting = () => sqsPartialBatchFailure({ logger: () => {} });

/** The processor time of an invocation, in microseconds. */
async function cpuMicros(handler: BatchHandler, makeEvent: () => SQSEvent, count: number): Promise<number> {
  const times: number[] = [];
  for (let round = -5; round < rounds; round += 1) {
    const events = Array.from({ length: count }, makeEvent);
    const start = process.cpuUsage();
    for (const event of events) await handler(event, lambdaContext());
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) times.push((user + system) / count);
    // Lets immediates and timers run, as between two invocations.
    await wait(0);
  }
  return quantile(times, 0.25);
}

interface Scale {
  readonly name: string;
  readonly sizes: readonly number[];
  /** Whether the cost is of one of the units, or of the whole invocation. */
  readonly isPerUnit: boolean;
  readonly limit: number;
  /** The size that the largest is compared with. */
  readonly base: number;
  measure(size: number): Promise<number>;
}

const about = (size: number) => Math.max(1, Math.round(1000 / size));

const records = (name: string, handler: BatchHandler): Scale => ({
  name,
  sizes: [10, 100, 1000, 10_000],
  isPerUnit: true,
  limit: 1.5,
  base: 100,
  measure: (size) => cpuMicros(handler, () => eventOf(size), about(size)),
});

/** Clients that answer at once. */
const s3 = { send: async () => ({}) } as unknown as S3Client;
const sns = {
  send: async ({ input }: { input: { PublishBatchRequestEntries: { Id: string }[] } }) => ({
    Successful: input.PublishBatchRequestEntries.map(({ Id }) => ({ Id, MessageId: Id })),
  }),
} as unknown as SNSClient;

const chained = middy(queued(async () => {}))
  .use(reporting())
  .use(sqsSnsUnwrap())
  .use(
    callbackPublisher({ s3, sns, bucket: 'results', topics: (task) => `arn:aws:sns:us-east-1:1:${task}` }),
  );

function resourcesOf(size: number): BatchHandler {
  const factories = Object.fromEntries(Array.from({ length: size }, (_, n) => [`r${n}`, () => n]));
  const work = async (_task: Task, context: object) => (context as { r0: Promise<number> }).r0;
  return middy(queued(work)).use(reporting()).use(sqsSnsUnwrap()).use(contextResources(factories));
}

const scales: Scale[] = [
  records(
    'records, queued + sqsSnsUnwrap',
    (stacks[0] as (typeof stacks)[number]).handlerOf(async () => {}),
  ),
  records(
    'records, all six',
    (stacks[3] as (typeof stacks)[number]).handlerOf(async () => {}),
  ),
  records(
    'records that all fail, with lambdaLogged',
    middy(queued(failing))
      .use(lambdaLogged({ logger: new Logger({ logLevel: 'SILENT' }) }))
      .use(reporting())
      .use(sqsSnsUnwrap()),
  ),
  records(
    'records that a loop names as failed',
    middy(async ({ Records }: SQSEvent) => ({
      batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
    })).use(sqsSnsUnwrap()),
  ),
  {
    name: 'names in a chain',
    sizes: [2, 10, 100, 1000, 10_000],
    isPerUnit: true,
    limit: 1.5,
    base: 1000,
    measure(size) {
      const callback = Array.from({ length: size }, (_, n) => `task${n}`).join('#');
      return cpuMicros(chained, () => eventOf(1, { task_name: 'work', callback }), Math.max(1, 2000 / size));
    },
  },
  {
    name: 'resources, in a batch of 10',
    sizes: [1, 10, 100, 1000],
    isPerUnit: false,
    limit: 1.5,
    base: 1,
    measure: (size) => cpuMicros(resourcesOf(size), () => eventOf(10), 100),
  },
];

for (const { name, sizes, isPerUnit, limit, base, measure } of scales) {
  const costs = new Map<number, number>();
  for (const size of sizes) {
    const micros = await measure(size);
    costs.set(size, isPerUnit ? micros / size : micros);
    rows.push([name, String(size), micros.toFixed(0), isPerUnit ? (micros / size).toFixed(2) : '']);
  }
  const largest = sizes.at(-1) as number;
  const growth = (costs.get(largest) as number) / (costs.get(base) as number);
  goals.push(
    `- ${name}: ${largest} cost at most ${limit} times ${base}${isPerUnit ? ', each' : ''}: ${growth.toFixed(2)}`,
  );
}

const lanes: string[][] = [];
let most = 0;
for (const concurrency of [1, 2, 5, 10, 20, 50, 100]) {
  const handler = middy(queued(() => wait(20), { concurrency }))
    .use(reporting())
    .use(sqsSnsUnwrap());
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const start = performance.now();
    await handler(eventOf(100) as never, lambdaContext());
    times.push(performance.now() - start);
  }
  const millis = quantile(times, 0.5);
  const ideal = (100 / concurrency) * 20;
  most = Math.max(most, millis / ideal);
  lanes.push([String(concurrency), ideal.toFixed(0), millis.toFixed(0), (millis / ideal).toFixed(2)]);
}
goals.push(`- concurrency: a batch takes at most 1.5 times the ideal time: ${most.toFixed(2)}`);

console.log(
  [
    `The processor's time of an invocation as its input grows, in microseconds: the lower quartile of ${rounds} rounds. The`,
    'functions do nothing, and S3 and SNS answer at once.\n',
    table(['what grows', 'size', 'µs', 'µs each'], rows),
    '\nThe time of a batch of 100 tasks that wait for 20 ms each, in milliseconds, by `concurrency`: median of 5.\n',
    table(['concurrency', 'ideal', 'measured', 'of ideal'], lanes),
    '\nGoals:\n',
    ...goals,
  ].join('\n'),
);
