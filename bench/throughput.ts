/** Measures batches whose handlers wait, as for a database, and whose results go to other tasks. */
import { setTimeout as wait } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { PublishBatchCommandInput, SNSClient } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSEvent } from 'aws-lambda';
import { limitConcurrency } from '../core/storedData/limitConcurrency.ts';
import { callbackPublisher, queued, sqsSnsUnwrap, type Task, unwrapTask } from '../middlewares/index.ts';
import { lambdaContext } from '../test/support/lambdaContext.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const length = 100;
const rounds = 5;
const goals = { time: 1.1, calls: 1.2 };
/** The time of a call to S3 or SNS, in milliseconds. */
const callMillis = 5;

/** The time of each handler: 5 to 100 ms, in no order. */
const handlerMillis = Array.from({ length }, (_, n) => 5 + ((n * 37) % length) * (95 / (length - 1)));

interface Case {
  readonly name: string;
  readonly concurrency: number;
  /** The topics of each task's callbacks. */
  topicsOf(n: number): string[];
}

const cases: readonly Case[] = [
  { name: 'one topic', concurrency: 10, topicsOf: () => ['a'] },
  { name: 'one topic', concurrency: 50, topicsOf: () => ['a'] },
  { name: 'one of 3 topics', concurrency: 10, topicsOf: (n) => [`a${n % 3}`] },
  { name: 'one of 10 topics', concurrency: 10, topicsOf: (n) => [`a${n % 10}`] },
  { name: 'each of 3 topics', concurrency: 10, topicsOf: () => ['a', 'b', 'c'] },
  { name: 'each of 10 topics', concurrency: 10, topicsOf: () => [...'abcdefghij'] },
];

/** Clients that only take their time, and count. */
function makeClients() {
  const calls = { batches: 0, messages: 0 };
  const s3 = { send: () => wait(callMillis, {}) };
  const sns = {
    async send({ input }: { input: PublishBatchCommandInput }) {
      const entries = input.PublishBatchRequestEntries ?? [];
      calls.batches += 1;
      calls.messages += entries.length;
      await wait(callMillis);
      return { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })) };
    },
  };
  return { calls, s3: s3 as unknown as S3Client, sns: sns as unknown as SNSClient };
}

type Clients = ReturnType<typeof makeClients>;
type Handler = (event: SQSEvent, context: Context) => Promise<unknown>;

const work = (task: Task) => wait(handlerMillis[task.task_kwargs?.n as number], { done: true });

function ours({ s3, sns }: Clients, { concurrency }: Case): Handler {
  const topics = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
  return middy(queued(work, { concurrency }))
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(callbackPublisher({ s3, sns, bucket: 'results', topics }));
}

/** A loop by hand that stores and sends each result as it comes. */
function loop({ s3, sns }: Clients, { concurrency, topicsOf }: Case): Handler {
  const limited = limitConcurrency(concurrency);
  return ({ Records }) =>
    Promise.all(
      Records.map((record, n) =>
        limited(async () => {
          await work(unwrapTask(record));
          await s3.send({} as never);
          const entries = [{ Id: '0', Message: '' }];
          await Promise.all(
            topicsOf(n).map(() => sns.send({ input: { PublishBatchRequestEntries: entries } } as never)),
          );
        }),
      ),
    );
}

const makeEvent = ({ topicsOf }: Case): SQSEvent => ({
  Records: Array.from({ length }, (_, n) => {
    const [callback, ...also] = topicsOf(n);
    const record = sqsRecord({ task_name: 'work', task_kwargs: { n }, callback });
    const envelope = JSON.parse(record.body);
    if (also.length > 0)
      envelope.MessageAttributes = { also_callbacks: { Type: 'String', Value: also.join() } };
    return { ...record, body: JSON.stringify(envelope) };
  }),
});

async function measure(each: Case, handlerOf: typeof ours) {
  const times: number[] = [];
  let batches = 0;
  for (let round = -1; round < rounds; round += 1) {
    const clients = makeClients();
    const handler = handlerOf(clients, each);
    const event = makeEvent(each);
    const start = performance.now();
    await handler(event, lambdaContext());
    if (round >= 0) times.push(performance.now() - start);
    const sent = Array.from({ length }, (_, n) => each.topicsOf(n)).flat().length;
    if (clients.calls.messages !== sent)
      throw new Error(`${each.name}: ${clients.calls.messages} of ${sent} sent`);
    batches = Math.max(batches, clients.calls.batches);
  }
  return { millis: quantile(times, 0.5), batches };
}

/** The time of handlers and uploads in lanes that never wait, and of the last call. */
function scheduledMillis(concurrency: number): number {
  const lanes = new Array<number>(concurrency).fill(0);
  for (const millis of handlerMillis) {
    const next = lanes.indexOf(Math.min(...lanes));
    lanes[next] = (lanes[next] as number) + millis + callMillis;
  }
  return Math.max(...lanes) + callMillis;
}

function idealCalls({ topicsOf }: Case): number {
  const counts = new Map<string, number>();
  for (let n = 0; n < length; n += 1)
    for (const topic of topicsOf(n)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + Math.ceil(count / 10), 0);
}

const rows: string[][] = [];
const most = { time: 0, scheduled: 0, calls: 0 };
for (const each of cases) {
  const idealMillis = handlerMillis.reduce((sum, millis) => sum + millis + callMillis, 0) / each.concurrency;
  const scheduled = scheduledMillis(each.concurrency);
  const ideal = idealCalls(each);
  for (const [name, handlerOf] of [
    ['queued + callbackPublisher', ours],
    ['a loop that sends each result', loop],
  ] as const) {
    const { millis, batches } = await measure(each, handlerOf);
    if (handlerOf === ours) {
      if (each.concurrency === 10) most.time = Math.max(most.time, millis / idealMillis);
      most.scheduled = Math.max(most.scheduled, millis / scheduled);
      most.calls = Math.max(most.calls, batches / ideal);
    }
    rows.push([
      name,
      each.name,
      String(each.concurrency),
      millis.toFixed(0),
      (millis / idealMillis).toFixed(2),
      (millis / scheduled).toFixed(2),
      String(batches),
      (batches / ideal).toFixed(1),
    ]);
  }
}

console.log(
  [
    `A batch of ${length} tasks whose handlers wait for 5 to 100 ms, and whose results go to S3 and to the next task's topic,`,
    `each in ${callMillis} ms. Its time is compared with the sum of all handlers and uploads divided by the concurrency, and with`,
    'the schedule of lanes that never wait: with 50 lanes, two tasks each, the longest task decides. The calls of PublishBatch',
    `are compared with one for ten messages of a topic. Median of ${rounds}, and the most calls.\n`,
    table(
      ['', 'callbacks', 'concurrency', 'ms', 'of sum / concurrency', 'of schedule', 'calls', 'of ideal'],
      rows,
    ),
    '\nGoals:\n',
    `- at most ${goals.time} times sum / concurrency, with 10 lanes: ${most.time.toFixed(2)} at most (and ${most.scheduled.toFixed(2)} of the schedule)`,
    `- at most ${goals.calls} times the ideal calls: ${most.calls.toFixed(2)} at most`,
  ].join('\n'),
);
