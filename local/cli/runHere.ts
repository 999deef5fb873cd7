import { inspect } from 'node:util';
import { ajson } from '../../core/ajson/index.ts';
import type { SqsRecord } from '../../core/batch/events.ts';
import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import type { Task } from '../../core/tasks/task.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import { createBucket } from '../createBucket.ts';
import { type LocalAws, startLocalAws } from '../startLocalAws.ts';
import type { LogLine } from '../testing/testingTypes.ts';
import { testWorker } from '../testing/testWorker.ts';
import { capturePublishing, type Published } from './capturePublishing.ts';
import { loadWorker } from './loadWorker.ts';

/** A stored object that a message leads to. */
export interface Copy extends ObjectAddress {
  readonly text: string;
}

/** The outcome of a task that was run here. */
export interface Outcome {
  readonly result?: unknown;
  readonly error?: { name: string; message: string; stack?: string | undefined };
  readonly logs: readonly LogLine[];
  readonly published: readonly Published[];
}

/** Runs a worker of this machine on a message, with local AWS and copies of the objects. */
export async function runHere(
  task: Task,
  record: SqsRecord,
  { worker, copies, bucket }: { worker: string; copies: readonly Copy[]; bucket: string | undefined },
): Promise<Outcome> {
  const aws = await startLocalAws(bucket === undefined ? {} : { bucket });
  try {
    await putCopies(aws, copies);
    // A profile would take precedence over the local credentials.
    delete process.env.AWS_PROFILE;
    Object.assign(process.env, aws.env);
    const handler = await loadWorker(worker);
    const { published, faults } = capturePublishing();
    const fifo = record.eventSourceARN?.endsWith('.fifo') ?? false;
    const testing = await testWorker(handler, { aws, tasks: [task.task_name], fifo, faults });
    const outcome = await testing.run({ task_name: task.task_name }, { record }).then(
      (result) => ({ result: asJson(result) }),
      (error: unknown) => ({ error: errorOf(error) }),
    );
    return { ...outcome, logs: testing.logs(), published };
  } finally {
    // It stops the test worker too.
    await aws.stop();
  }
}

async function putCopies({ s3, region }: LocalAws, copies: readonly Copy[]): Promise<void> {
  for (const name of new Set(copies.map((copy) => copy.bucket))) await createBucket(s3, name, region);
  const store = s3ObjectStore({ s3 });
  await Promise.all(copies.map(({ bucket, key, text }) => store.put({ bucket, key }, text)));
}

/** A result that ajson cannot write is shown as text. */
function asJson(result: unknown): unknown {
  try {
    return ajson.raw(ajson.dumps(result ?? null));
  } catch {
    return inspect(result);
  }
}

function errorOf(error: unknown): NonNullable<Outcome['error']> {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return { name: error.name, message: error.message, stack: error.stack };
}
