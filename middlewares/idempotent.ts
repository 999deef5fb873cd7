import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareObj } from '@middy/core';
import { ajson as sharedAjson } from '../core/ajson/ajson.ts';
import type { Ajson } from '../core/ajson/openAjson.ts';
import { stoppedBy } from '../core/batch/deadline.ts';
import { identityOf } from '../core/batch/identity.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import {
  checkOptions,
  duration,
  finite,
  func,
  type OptionCheck,
  whole,
  withMethod,
} from '../core/checkOptions.ts';
import { AlgernonError, isAlgernonError } from '../core/errors.ts';
import { hasUnstoredValue, pointerTag, StoredData } from '../core/storedData/StoredData.ts';
import { StoredDataError } from '../core/storedData/StoredDataError.ts';
import { endChain } from '../core/tasks/endChain.ts';
import { packResult, unpackResult } from '../core/tasks/specialResults.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { bucketToWrite } from './aws/environment.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ConditionalStore } from './aws/s3ConditionalStore.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { storeUnstored, type WriteValueOptions, writeText } from './aws/writeValue.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';
import { type Lease, openTaskRecords } from './once/openTaskRecords.ts';
import type { DoneTask } from './once/storedTask.ts';

/** Options of {@link idempotent}. */
export interface IdempotentOptions<Kwargs = Record<string, unknown>> {
  /**
   * Names the work of a task, such as by the number of an order: tasks of one queue with the same name and key run once. It gets
   * the task as the handler does, with its tags not rebuilt. Undefined, also for single tasks: the message is the key, so that
   * only its redeliveries count.
   */
  key?: (task: Task<Kwargs>) => string | undefined | Promise<string | undefined>;
  /**
   * The part of a task that must be the same whenever its key is: anything that ajson can write. If it differs, the task fails with
   * `PAYLOAD_MISMATCH`. Default: it is not checked.
   */
  payload?: (task: Task<Kwargs>) => unknown;
  /** How long a result counts, in seconds. After that the task may run again. Default: Infinity, as long as S3 keeps the record. */
  ttlSeconds?: number;
  /** How long a run has the task to itself, in seconds. Default: what is left of the invocation, and 10 seconds. */
  leaseSeconds?: number;
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** The bucket of the records. Default: `ALGERNON_BUCKET_NAME`, read when the first task runs. */
  bucket?: string;
  /** The folder of the records, in which nothing else may be. Default `idempotence`. */
  folder?: string;
  /** The largest record, with its result, in bytes. Default 64 MiB. */
  maxBytes?: number;
  /** The registry that writes and reads results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps' | 'loads' | 'raw'>;
}

const name = 'idempotent';

/** Added to the time that is left, for clocks that differ and for the end of the invocation. */
const leaseMarginMillis = 10_000;

/** The longest run of a function, for a context that does not tell what is left. */
const longestRunMillis = 900_000;

/**
 * Runs each task once, although its message may be delivered several times. A record in S3, written only on the condition that no
 * other run has changed it, says whether a task is running or done:
 *
 * - done: the handler does not run, and the callback is published again with the stored result;
 * - running elsewhere: the record fails with `TASK_IN_PROGRESS`, and `failurePolicy` brings the message back when the lease has
 *   ended;
 * - failed, or killed and its lease has ended: the handler runs.
 *
 * Two deliveries at the same instant run the handler once. If the result cannot be stored, the handler runs again: it is still
 * at-least-once, with far fewer repetitions.
 *
 * The function's role needs `s3:PutObject` and `s3:GetObject` on the folder. A lifecycle rule should remove old records.
 *
 * Fails a record with a `StoredDataError`, `TASK_IN_PROGRESS`, `PAYLOAD_MISMATCH`, `BAD_KEY` or `RECORD_UNREADABLE`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(idempotent({ key: ({ task_kwargs }: Task<Order>) => task_kwargs?.number }))
 *   .use(failurePolicy())
 *   .use(callbackPublisher());
 */
export function idempotent<Kwargs = Record<string, unknown>>(
  options: IdempotentOptions<Kwargs> = {},
): MiddlewareObj {
  const {
    key,
    payload,
    ttlSeconds = Number.POSITIVE_INFINITY,
    leaseSeconds,
    s3,
    bucket,
    folder = 'idempotence',
    maxBytes = 64 * 1024 * 1024,
    ajson = sharedAjson,
  } = checkOptions<IdempotentOptions<Kwargs>>(name, options, optionChecks);
  const records = openTaskRecords(s3ConditionalStore({ s3 }), { maxBytes, ttlMillis: ttlSeconds * 1000 });
  const store = s3ObjectStore({ s3 });
  const dumps = (value: unknown) => ajson.dumps(value, { tags: 'keep' });
  const pieces = (value: unknown) => [dumps(value)];

  const addressOf = async (run: TaskRun) => {
    const parts = (await givenKey(run, key)) ?? messageKey(run, dumps);
    return {
      bucket: bucketToWrite(bucket, name),
      // A digest: a key comes from a message, and may be anything.
      key: `${folder}/${digestOf(parts)}.json`,
    };
  };
  const claim = async (run: TaskRun) => {
    const { signal } = run;
    const task = run.task as Task<Kwargs>;
    return records.claim(await addressOf(run), {
      leaseMillis: leaseSeconds === undefined ? timeLeft(run) + leaseMarginMillis : leaseSeconds * 1000,
      payload: payload && digestOf([dumps(payload(task))]),
      signal,
    });
  };
  const complete = async (run: TaskRun, lease: Lease) => {
    const { kind, content } = packResult(run.endsChain ? endChain(run.result) : run.result);
    const signal = run.cutoff;
    const result = await textOf(content, { store, bucket: lease.address.bucket, pieces, signal });
    await records.complete(lease, { kind, result }, { signal });
  };
  const fail = async (run: TaskRun, lease: Lease, error: unknown) => {
    // A handler that the deadline has cut off may still be running.
    if (run.cutoff.aborted || (isAlgernonError(error) && error.code === 'DEADLINE')) return;
    try {
      await records.release(lease, { signal: run.cutoff });
    } catch (fault) {
      console.warn(`${name}: a lease could not be given back, and ends by itself:`, fault);
    }
  };

  return stageMiddleware({
    name,
    order: { at: 'once' },
    async around(run, next) {
      let lease: Lease | undefined;
      let replay: { result: unknown } | undefined;
      run.beforeHandler(async () => {
        const claimed = await stoppedBy(run.signal, claim(run));
        if ('lease' in claimed) {
          lease = claimed.lease;
          return;
        }
        replay = resultOf(claimed.done, ajson);
        run.counts[replayed] = 1;
        run.skip(replay.result);
      });
      try {
        await next();
        if (lease && run.failure !== undefined) await fail(run, lease, run.failure);
      } catch (error) {
        if (lease) await fail(run, lease, error);
        throw error;
      }
      // The stages inside may have changed the result, which was stored after they had changed it before.
      if (replay) run.skip(replay.result);
      else if (lease && run.failure === undefined) await complete(run, lease);
    },
  });
}

/** The count in the summary of a batch. */
const replayed = 'tasks_replayed';

const optionChecks: Readonly<Record<keyof IdempotentOptions, OptionCheck>> = {
  key: func,
  payload: func,
  ttlSeconds: duration('seconds'),
  leaseSeconds: finite('seconds', 1),
  s3: awsClient('S3Client'),
  bucket: bucketName,
  folder: folderName,
  maxBytes: whole(1),
  ajson: withMethod('loads', 'a registry such as ajson'),
};

/** The parts of a key that the option gives; undefined if it gives none. */
async function givenKey<Kwargs>(
  run: TaskRun,
  key: IdempotentOptions<Kwargs>['key'],
): Promise<readonly unknown[] | undefined> {
  if (!key) return undefined;
  assertUnwrapped(run, name);
  const task = run.task as Task<Kwargs>;
  const given: unknown = await key(task);
  if (given === undefined) return undefined;
  if (typeof given === 'string' && given !== '') {
    return ['key', identityOf(run).receiver, isTask(task) ? task.task_name : '', given];
  }
  throw badKey(
    `The option key returned ${given === '' ? 'an empty string' : `a value of type ${typeof given}`}.`,
  );
}

/** The parts of the key of a message: the same for each of its deliveries. */
function messageKey(run: TaskRun, dumps: (value: unknown) => string): readonly unknown[] {
  const { messageId, receiver, part } = identityOf(run);
  if (!messageId) throw badKey('The message has no id, and the option key gives no key.');
  const { content } = run.unwrap();
  // Tells direct tasks of one request apart, since a caller may copy the context that counts them.
  const direct = run.record ? '' : dumps(content);
  return ['message', receiver, isTask(content) ? content.task_name : '', messageId, part, direct];
}

function badKey(reason: string): AlgernonError {
  return new AlgernonError(
    'BAD_KEY',
    `${reason} The key must be a string that is not empty, or undefined for the id of the message.`,
  );
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function timeLeft({ context }: TaskRun): number {
  return Math.max(0, context?.getRemainingTimeInMillis?.() ?? longestRunMillis);
}

/** A result in ajson. Any registry can pass a pointer on, even if it does not know the class. */
async function textOf(content: unknown, options: WriteValueOptions): Promise<string | undefined> {
  if (content === undefined) return undefined;
  if (!(content instanceof StoredData)) return writeText(content, options);
  if (hasUnstoredValue(content)) await storeUnstored([content], options);
  return pointerTag(content.pointer);
}

/**
 * The result of a run that is done. If a class is unknown here, its tags stay tags: the next task gets the same text.
 *
 * @throws StoredDataError when a newer version of this library has stored it
 */
function resultOf({ kind, result }: DoneTask, ajson: Pick<Ajson, 'loads' | 'raw'>): { result: unknown } {
  const unpacked = unpackResult({ kind, content: result === undefined ? undefined : read(result, ajson) });
  if (unpacked) return unpacked;
  throw new StoredDataError('STORED_DATA_BODY', `A stored result has the kind ${kind}, which is unknown.`);
}

function read(text: string, ajson: Pick<Ajson, 'loads' | 'raw'>): unknown {
  try {
    return ajson.loads(text);
  } catch (error) {
    if (isAlgernonError(error) && error.code === 'UNKNOWN_CLASS') return ajson.raw(text);
    throw error;
  }
}
