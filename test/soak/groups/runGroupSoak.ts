import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { type LocalAws, startLocalAws, startWorker, type Worker } from '../../../local/index.ts';
import { sendGroup } from '../../../middlewares/sendGroup.ts';
import { sendTask } from '../../../middlewares/sendTask.ts';
import { createRandom } from '../createRandom.ts';
import { keepWorkers } from '../keepWorkers.ts';
import {
  branchesOf,
  collects,
  type GroupTaskName,
  groupTasks,
  groupWorkerOptions,
  joinedPrefix,
  type Kind,
  kindOf,
  nestedCount,
} from './groupTasks.ts';

export interface GroupSoakReport {
  groups: number;
  branches: number;
  /** Branches by kind. */
  kinds: Partial<Record<Kind, number>>;
  joined: number;
  lost: number[];
  wrong: string[];
  /** Runs of `joined` beyond the first of each group. */
  repeats: number;
  redriven: number;
  kills: number;
  seconds: number;
}

const script = fileURLToPath(new URL('groupWorker.ts', import.meta.url));

/**
 * Sends groups through two workers that are killed and started again, with faults in one of ten of their writes, redrives dead
 * letters, and checks that each group has joined in one way. Half of the groups are sent by a task that returns another list
 * when it is delivered again.
 */
export async function runGroupSoak(options: {
  groups: number;
  /** The largest group. */
  branches: number;
  seed: number;
}): Promise<GroupSoakReport> {
  const { groups, branches: most, seed } = options;
  const random = createRandom(seed);
  const counts = Array.from({ length: groups }, () => Math.max(1, Math.round(most ** random())));
  const aws = await startLocalAws();
  try {
    const queues = await startWorker({ ...groupWorkerOptions, aws, handler: async () => {} });
    await queues.stop();
    const startedAt = performance.now();
    // Workers start often, so they share their compiled code.
    const env = { ...aws.env, NODE_COMPILE_CACHE: join(tmpdir(), 'algernon-middy-soak') };
    const workers = await keepWorkers(env, random, { killSeconds: 10, killMessages: 200, script });
    try {
      const work = async () => {
        await sendGroups(aws, queues, counts);
        await untilEmpty(aws, queues);
        let redriven = 0;
        for (let letters = await redrive(aws, queues); letters > 0; letters = await redrive(aws, queues)) {
          redriven += letters;
          await untilEmpty(aws, queues);
        }
        return redriven;
      };
      const redriven = await Promise.race([work(), workers.failed]);
      const seconds = (performance.now() - startedAt) / 1000;
      const { kills } = workers;
      await workers.stop();
      return { groups, redriven, kills, seconds, ...(await account(aws, counts)) };
    } finally {
      await workers.stop();
    }
  } finally {
    await aws.stop();
  }
}

async function sendGroups(aws: LocalAws, { topics }: Worker<GroupTaskName>, counts: readonly number[]) {
  const { s3, sns, sqs, bucket } = aws;
  const rest = counts.entries();
  const lane = async () => {
    for (const [n, count] of rest) {
      if (n % 4 < 2) {
        await sendTask({ task_name: 'split', task_kwargs: { n, count } }, { s3, sns, bucket, topics });
      } else {
        const failures = collects(n) ? 'collect' : 'wait';
        await sendGroup(branchesOf(n, count), { then: 'joined', failures, s3, sns, sqs, bucket, topics });
      }
    }
  };
  await Promise.all(Array.from({ length: 5 }, lane));
}

/** A message that moves on is in two queues for a moment, and never in none. */
async function untilEmpty({ sqs }: LocalAws, { queues }: Worker<GroupTaskName>): Promise<void> {
  for (let emptySweeps = 0; emptySweeps < 3; ) {
    await sleep(300);
    let left = 0;
    for (const task of groupTasks) {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queues[task].url, AttributeNames: ['All'] }),
      );
      left += Number(Attributes.ApproximateNumberOfMessages);
      left += Number(Attributes.ApproximateNumberOfMessagesNotVisible);
    }
    emptySweeps = left === 0 ? emptySweeps + 1 : 0;
  }
}

/** Sends dead letters back to their queues, except those of branches that fail each time. */
async function redrive(aws: LocalAws, queues: Worker<GroupTaskName>): Promise<number> {
  let redriven = 0;
  for (const task of groupTasks) {
    for (const letter of await queues.deadLetters(task)) {
      if (letter.messageAttributes.failure_code?.stringValue === 'NON_RETRYABLE') continue;
      const { url, deadLetter } = queues.queues[task];
      await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: letter.body }));
      await aws.sqs.send(
        new DeleteMessageCommand({ QueueUrl: deadLetter.url, ReceiptHandle: letter.receiptHandle }),
      );
      redriven += 1;
    }
  }
  return redriven;
}

async function account({ s3, bucket }: LocalAws, counts: readonly number[]) {
  const kinds: Partial<Record<Kind, number>> = {};
  const runs = new Map<number, Map<string, string[]>>();
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: joinedPrefix, ContinuationToken }),
    );
    for (const { Key = '' } of page.Contents ?? []) {
      const [n = '', digest = ''] = Key.slice(joinedPrefix.length).split('/');
      const ofGroup = runs.get(Number(n)) ?? new Map<string, string[]>();
      runs.set(Number(n), ofGroup.set(digest, [...(ofGroup.get(digest) ?? []), Key]));
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);

  const lost: number[] = [];
  const wrong: string[] = [];
  let repeats = 0;
  let branches = 0;
  for (const [n, count] of counts.entries()) {
    const ofGroup = runs.get(n);
    if (!ofGroup) {
      lost.push(n);
      continue;
    }
    if (ofGroup.size > 1) wrong.push(`group ${n} has joined in ${ofGroup.size} ways`);
    const [keys = []] = ofGroup.values();
    repeats += keys.length - 1;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: keys[0] }));
    const results = JSON.parse((await Body?.transformToString()) ?? '');
    const extra = n % 4 < 2 ? 2 : 0;
    if (results.length < count || results.length > count + extra)
      wrong.push(`group ${n} has ${results.length} results of ${count}`);
    for (const [index, item] of results.entries()) {
      branches += 1;
      const kind = kindOf(n, index);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      const problem = problemOf(item, n, index, kind);
      if (problem) wrong.push(`group ${n}, branch ${index} (${kind}): ${problem}`);
    }
  }
  return { branches, kinds, joined: runs.size, lost, wrong, repeats };
}

interface Item {
  n?: number;
  index?: number;
  second?: boolean;
  text?: string;
  inner?: string[];
}

function problemOf(given: unknown, n: number, index: number, kind: Kind): string | undefined {
  const { value, error } = given as { value?: Item; error?: { code?: string } };
  if (kind === 'failing')
    return error?.code === 'NON_RETRYABLE' ? undefined : JSON.stringify(given).slice(0, 200);
  const item = collects(n) ? value : (given as Item);
  const isRight =
    item?.n === n &&
    (kind === 'nested' ? item.inner?.length === nestedCount : item.index === index) &&
    (kind !== 'chain' || item.second === true) &&
    (kind !== 'large' || item.text?.length === 100_000);
  return isRight ? undefined : (JSON.stringify(given) ?? 'nothing').slice(0, 200);
}
