import { isDeepStrictEqual } from 'node:util';
import type { SQSEvent } from 'aws-lambda';
import { ajson } from '../core/ajson/index.ts';
import type { Task } from '../core/tasks/task.ts';
import { lambdaContext } from '../test/support/lambdaContext.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';
import { countCalls } from './countCalls.ts';
import { pairedRounds } from './pairedRounds.ts';
import { payloads } from './payloads.ts';
import { type BatchHandler, stacks } from './stackContenders.ts';
import { table } from './table.ts';

const { task_name, task_kwargs } = (payloads[0] as unknown as { value: Task }).value;
const message = ajson.dumps({ task_name, task_kwargs });
const context = lambdaContext();

/** New records each time, since event-normalizer changes its event. */
const makeEvent = (length: number): SQSEvent => ({
  Records: Array.from({ length }, () => sqsRecord(message)),
});

/** The calls and the response of a stack for a batch with good and bad messages. */
async function outcome(handlerOf: (typeof stacks)[number]['handlerOf']) {
  const bodies = [message, 'no JSON', '{"no":"task"}', '{"task_name":"fails"}', message, message];
  const Records = bodies.map((body, index) => ({ ...sqsRecord(body), messageId: `message-${index}` }));
  const seen: unknown[] = [];
  const handler = handlerOf(async (task) => {
    seen.push(structuredClone(task));
    if (task.task_name === 'fails') throw new Error('it fails');
  });
  const answer = await handler({ Records }, context);
  return { seen, answer: JSON.parse(JSON.stringify(answer)) };
}

let expected: unknown;
for (const { name, handlerOf } of stacks) {
  const found = await outcome(handlerOf);
  expected ??= found;
  const failed = ['message-1', 'message-2', 'message-3'].map((itemIdentifier) => ({ itemIdentifier }));
  if (!isDeepStrictEqual(found, expected) || !isDeepStrictEqual(found.answer, { batchItemFailures: failed }))
    throw new Error(`${name} does not do the same work: ${JSON.stringify(found)}`);
}

let done = 0;
const work = async () => {
  done += 1;
};
const handlers = stacks.map(({ name, handlerOf }) => ({ name, handler: handlerOf(work) }));
const rows: string[][] = [];
/** The median time of each stack, by the length of the batch. */
const micros = new Map<string, Map<number, number>>(stacks.map(({ name }) => [name, new Map()]));
for (const [length, count] of [
  [1, 400],
  [10, 80],
  [100, 10],
  [1000, 1],
] as const) {
  const timed = handlers.map(({ name, handler }: { name: string; handler: BatchHandler }) => ({
    name,
    make: () => makeEvent(length),
    run: (event: SQSEvent) => handler(event, context),
  }));
  for (const { name, micros: time, ratio, quartiles } of await pairedRounds(timed, { count })) {
    const [low, high] = quartiles.map((quartile) => quartile.toFixed(2));
    micros.get(name)?.set(length, time);
    rows.push([name, String(length), (time / length).toFixed(2), `${ratio.toFixed(2)} (${low}–${high})`]);
  }
}
if (done === 0) throw new Error('nothing was done');

/** The cost of a record in a large batch, and that of an invocation without its records. */
const costs = stacks.map(({ name }) => {
  const time = (length: number) => micros.get(name)?.get(length) ?? Number.NaN;
  const perRecord = (time(1000) - time(100)) / 900;
  return { name, perRecord, fixed: time(1) - perRecord };
});
const [ours, loop, powertools, whole] = costs as [Cost, Cost, Cost, Cost];
type Cost = (typeof costs)[number];
const cheapest = Math.min(loop.perRecord, powertools.perRecord);
const goals = [
  `- a record in a large batch costs at most 1.15 times that of the cheaper peer: ${(ours.perRecord / cheapest).toFixed(2)}`,
  `- the fixed cost of an invocation with queued + sqsSnsUnwrap is at most 40 µs: ${ours.fixed.toFixed(0)}`,
  `- that with all six is at most 100 µs: ${whole.fixed.toFixed(0)}`,
];

const calls = await countCalls(10);
goals.push(`- one PublishBatch for a batch of ten: ${calls['PublishBatch']}`);
const bytes = sqsRecord(message).body.length;
console.log(
  [
    "The processor's time for each record, with no I/O and a function that does nothing, in batches of messages of",
    `${bytes} bytes (a task in its SNS envelope); and that in proportion to the first, median of 60 paired rounds, and`,
    'the middle half of them.\n',
    table(['', 'batch', 'µs a record', 'in proportion'], rows),
    '\nThe cost of each further record, between batches of 100 and of 1000, and of an invocation without records:\n',
    table(
      ['', 'µs a record', 'µs an invocation'],
      costs.map(({ name, perRecord, fixed }) => [name, perRecord.toFixed(2), fixed.toFixed(0)]),
    ),
    '\nWhat the SDK calls for a batch of ten whose arguments are in S3, and whose results go to one next task:\n',
    table(
      ['call', 'times'],
      Object.entries(calls).map(([name, times]) => [name, String(times)]),
    ),
    '\nGoals:\n',
    ...goals,
  ].join('\n'),
);
