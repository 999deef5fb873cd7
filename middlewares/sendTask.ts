import { randomUUID } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { assertOption } from '../core/assertOption.ts';
import { NotATaskError } from '../core/errors.ts';
import { isFolderName } from '../core/storedData/pointer.ts';
import {
  checkKwargs,
  type FittingCallback,
  type KwargsOf,
  type TaskDefinitions,
} from '../core/tasks/defineTasks.ts';
import { nextTask } from '../core/tasks/nextTask.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { bucketFromEnvironment } from './aws/environment.ts';
import { extendedPointer, sizeAttributes } from './aws/extendedPointer.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { type Topics, topicArn } from './aws/topics.ts';
import { type ExtraCallbacks, extraAttributes } from './callbacks/extraCallbacks.ts';
import { storeResult, taskMessage } from './callbacks/storeResult.ts';
import { carrying } from './tracing/carrying.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface SendTaskOptions extends ExtraCallbacks {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client;
  /** Default: one made at the first need, shared by all that give none. */
  sns?: SNSClient;
  /** The bucket for large arguments. Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** The folder for large arguments. Default: `CACHE_FOLDER_NAME`, else `cache`. */
  folder?: string;
  /** A canned ACL for large arguments. Default: none. */
  acl?: ObjectCannedACL;
  /** Where the topics are. Without it, `functionArn` says in which region and account. */
  topics?: Topics;
  /** An ARN in the region and account of the topics: in a Lambda function, `context.invokedFunctionArn`. */
  functionArn?: string;
  /** Arguments over this many bytes go through S3. Default 131,072. */
  inlineUnder?: number;
  /** What a topic takes in one message, in bytes. Default 262,144. */
  maxMessageBytes?: number;
  /**
   * Whether a large message goes through S3 whole, as AWS's extended clients have it, for receivers that use those. The
   * objects lie at the top of the bucket. Default false: its arguments do, as a StoredData.
   */
  extendedPayload?: boolean;
  /** Message attributes to travel with the task, as text. Default: none. */
  attributes?: Readonly<Record<string, string>>;
  /** What traces the sending. Default: within a task, what traces the task; else nothing. */
  tracing?: Tracing;
  /** For a FIFO topic: the group whose order is kept. Default: a group of its own. */
  groupId?: string;
  /** For a FIFO topic: the same for the same message, however often it is sent. Default: a new one each time. */
  deduplicationId?: string;
  /** The registry that writes the arguments. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

/** A task that fits its definition, and whose callback's every link fits the result before it. */
export interface DefinedTask<T extends TaskDefinitions, N extends keyof T & string, C extends string> {
  task_name: N;
  task_kwargs: KwargsOf<T[N]>;
  callback?: FittingCallback<T, N, C> | null | undefined;
}

/**
 * Puts a task on its topic: the sender's end of a chain. Large arguments go through S3.
 *
 * With `tasks`, made by `defineTasks`, it compiles only where the arguments fit, and where in a chain each result fits
 * the next task's arguments; and arguments that their schema refuses are not sent.
 *
 * @throws OptionError, NotATaskError, CallbackError, AjsonError, StoredDataError, TopicNotFoundError, MessageTooLargeError,
 *   PublishError
 * @example
 * await sendTask(
 *   { task_name: 'load', task_kwargs: { symbol: 'IBM' }, callback: 'load#analyse#report' },
 *   { functionArn: context.invokedFunctionArn },
 * );
 */
export async function sendTask<
  const T extends TaskDefinitions,
  N extends keyof T & string,
  const C extends string = never,
>(task: DefinedTask<T, N, C>, options: SendTaskOptions & { tasks: T }): Promise<void>;
export async function sendTask(
  task: Task<object>,
  options?: SendTaskOptions & { tasks?: undefined },
): Promise<void>;
export async function sendTask(
  task: Task<unknown>,
  options: SendTaskOptions & { tasks?: TaskDefinitions | undefined } = {},
): Promise<void> {
  const { s3, sns, acl, topics, functionArn, maxMessageBytes, ajson = sharedAjson } = options;
  const { inlineUnder = 131_072, bucket, folder } = options;
  assertOption(inlineUnder >= 0, 'sendTask', 'inlineUnder', 'a number of bytes from 0');
  assertOption(folder === undefined || isFolderName(folder), 'sendTask', 'folder', 'a name without # and !');
  if (!isTask(task)) throw new NotATaskError();
  const { task_name, callback } = task;
  nextTask(callback, task_name);
  if (options.tasks) await checkKwargs(options.tasks, task_name, task.task_kwargs ?? {});
  const extra: Record<string, string | number> = extraAttributes(task_name, options);
  const id = randomUUID();
  const store = s3ObjectStore({ s3, acl });
  const arn = await topicArn(task_name, topics, functionArn);
  const { groupId = id, deduplicationId = id, attributes = {} } = options;
  const { dumps } = ajson;
  let message: string;
  if (options.extendedPayload) {
    message = taskMessage(task_name, dumps(task.task_kwargs ?? {}), callback);
    const bytes = Buffer.byteLength(message);
    if (bytes > inlineUnder) {
      const address = { bucket: bucket ?? bucketFromEnvironment(), key: id };
      await store.put(address, message);
      message = extendedPointer(address.bucket, address.key);
      extra[sizeAttributes[0]] = bytes;
    }
  } else {
    const origin = { messageId: id, taskName: task_name, sentAt: Date.now(), functionArn };
    const { kwargs } = await storeResult(task.task_kwargs, origin, {
      store,
      bucket,
      folder,
      inlineUnder,
      dumps,
    });
    message = taskMessage(task_name, kwargs, callback);
  }
  await carrying(arn, options.tracing, async (carried) => {
    const all = { ...carried, ...extra, ...attributes };
    const [error] = await snsPublisher({ sns, maxMessageBytes }).publish([
      { topicArn: arn, message, attributes: all, groupId, deduplicationId },
    ]);
    if (error) throw error;
  });
}
