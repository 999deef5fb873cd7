import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { parsePointer } from '../../core/storedData/pointer.ts';
import type { LocalAws, SqsRecord, Worker } from '../../local/index.ts';
import { ledgerPrefix, type Step, steps } from './steps.ts';

/** The final contents of S3 and the dead-deadLetter queues. */
export interface Outcome {
  /** How many times each task completed each step. */
  runs: Record<Step, Map<number, number>>;
  /** The failure reasons of each task's dead letters; a message moved by SQS has none. */
  dead: Map<number, (string | undefined)[]>;
  /** Dead letters that belong to no task. */
  strange: string[];
}

export async function readOutcome(aws: LocalAws, worker: Worker<Step>): Promise<Outcome> {
  const runs = {} as Outcome['runs'];
  for (const step of steps) runs[step] = await countRuns(aws, step);
  const dead: Outcome['dead'] = new Map();
  const strange: string[] = [];
  for (const step of steps) {
    for (const deadLetter of await worker.deadLetters(step)) {
      const n = await numberOf(aws, deadLetter);
      const reason = deadLetter.messageAttributes.failure_reason?.stringValue;
      if (n === undefined) strange.push(deadLetter.body);
      else dead.set(n, [...(dead.get(n) ?? []), reason]);
    }
  }
  return { runs, dead, strange };
}

async function countRuns({ s3, bucket }: LocalAws, step: Step): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const prefix = ledgerPrefix(step);
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken }),
    );
    for (const { Key = '' } of page.Contents ?? []) {
      const n = Number(Key.slice(prefix.length).split('/')[0]);
      counts.set(n, (counts.get(n) ?? 0) + 1);
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return counts;
}

/** The number of a dead deadLetter's task, from its text or from the object that it points to. */
async function numberOf(aws: LocalAws, { body }: SqsRecord): Promise<number | undefined> {
  const text: string = JSON.parse(body).Message;
  const inText = /poison (\d+)/.exec(text)?.[1] ?? /"n":(\d+)/.exec(text)?.[1];
  if (inText !== undefined) return Number(inText);
  const pointer = /"pointer":"([^"]+)"/.exec(text)?.[1];
  if (pointer === undefined) return undefined;
  const { bucket, key } = parsePointer(pointer);
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const stored = /"n":(\d+)/.exec((await Body?.transformToString()) ?? '')?.[1];
  return stored === undefined ? undefined : Number(stored);
}
