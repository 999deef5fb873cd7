/**
 * Measures how many tasks go through the local stack, beside the same messages through fauxqs alone, each in a new process:
 * `npm run bench -- local`, for minutes.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { startLocalAws, startWorker } from '../local/index.ts';
import { queued, sqsSnsUnwrap } from '../middlewares/index.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const counts = [1000, 10_000, 100_000];
const goal = 2;
const pollers = 5;
const senders = 8;

async function inParallel(lanes: number, work: (lane: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
}

/** Publishes tasks, ten in a call. */
async function publish(sns: SNSClient, TopicArn: string, count: number): Promise<void> {
  let next = 0;
  await inParallel(senders, async () => {
    while (next < count) {
      const first = next;
      next += 10;
      const PublishBatchRequestEntries = Array.from({ length: Math.min(10, count - first) }, (_, index) => ({
        Id: String(index),
        Message: JSON.stringify({ task_name: 'work', task_kwargs: { n: first + index } }),
      }));
      await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
    }
  });
}

/** Receives and deletes messages, as the worker's pollers do. */
async function drain(sqs: SQSClient, QueueUrl: string, count: number): Promise<void> {
  let done = 0;
  await inParallel(pollers, async () => {
    while (done < count) {
      const received = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['All'],
        }),
      );
      const Entries = (received.Messages ?? []).map(({ ReceiptHandle, Body = '' }, index) => {
        JSON.parse(JSON.parse(Body).Message);
        return { Id: String(index), ReceiptHandle };
      });
      if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      done += Entries.length;
    }
  });
}

/** The seconds for a number of tasks, from the first publish to the last acknowledgement. */
async function secondsFor(what: string, count: number): Promise<number> {
  await using aws = await startLocalAws();
  let done = 0;
  const handler = middy(
    queued(async () => {
      done += 1;
    }),
  )
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap());
  const worker = await startWorker({
    aws,
    handler,
    tasks: ['work'],
    pollers,
    visibilityTimeoutSeconds: 3600,
  });
  // The worker has made the topic and the queue. Without it, they are used alone.
  if (what === 'alone') await worker.stop();
  const start = performance.now();
  const publishing = publish(aws.sns, worker.topics.work, count);
  if (what === 'alone') await Promise.all([publishing, drain(aws.sqs, worker.queues.work.url, count)]);
  else {
    await publishing;
    await worker.idle();
    if (done !== count) throw new Error(`${done} of ${count} tasks were done`);
    await worker.stop();
  }
  return (performance.now() - start) / 1000;
}

const [what, count] = process.argv.slice(3);
if (what && count) console.log(await secondsFor(what, Number(count)));
else {
  const run = promisify(execFile);
  const measured = async (contender: string, tasks: number) => {
    const words = [`${import.meta.dirname}/bench.ts`, 'local', contender, String(tasks)];
    return Number((await run(process.execPath, words)).stdout);
  };
  const rows: string[][] = [];
  const micros: number[] = [];
  let ratio = Number.NaN;
  for (const tasks of counts) {
    const times: { alone: number[]; stack: number[] } = { alone: [], stack: [] };
    for (let round = 0; round < (tasks > 10_000 ? 1 : 3); round++) {
      times.alone.push(await measured('alone', tasks));
      times.stack.push(await measured('stack', tasks));
    }
    const [alone, stack] = [quantile(times.alone, 0.5), quantile(times.stack, 0.5)];
    ratio = stack / alone;
    micros.push((stack / tasks) * 1e6);
    rows.push([
      tasks.toLocaleString('en'),
      stack.toFixed(1),
      Math.round(tasks / stack).toLocaleString('en'),
      alone.toFixed(1),
      ratio.toFixed(2),
    ]);
  }
  console.log(
    [
      'Tasks through the local stack: published ten in a call, delivered by SNS to SQS, run by a worker with five pollers, and',
      'acknowledged; and the same messages through fauxqs alone, received, parsed and deleted by five bare loops. All is in one process,',
      'from the first publish until the queue is empty.\n',
      table(['tasks', 'seconds', 'tasks/s', 'fauxqs alone', 'in proportion'], rows),
      '\nGoals:\n',
      `- with 100,000 tasks at most ${goal} times fauxqs alone: ${ratio.toFixed(2)}`,
      `- a task takes no longer among 100,000 than among 10,000: ${((micros[2] ?? Number.NaN) / (micros[1] ?? Number.NaN)).toFixed(2)}`,
    ].join('\n'),
  );
}
