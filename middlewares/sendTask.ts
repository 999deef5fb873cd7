import { randomUUID } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { NotATaskError } from '../core/errors.ts';
import { nextTask } from '../core/tasks/nextTask.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { type Topics, topicArn } from './aws/topics.ts';
import { storeResult, taskMessage } from './storeResult.ts';

export interface SendTaskOptions {
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
  /** Message attributes to travel with the task, as text. Default: none. */
  attributes?: Readonly<Record<string, string>>;
  /** For a FIFO topic: the group whose order is kept. Default: a group of its own. */
  groupId?: string;
  /** For a FIFO topic: the same for the same message, however often it is sent. Default: a new one each time. */
  deduplicationId?: string;
  /** The registry that writes the arguments. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

/**
 * Puts a task on its topic: the sender's end of a chain. Large arguments go through S3.
 *
 * @throws NotATaskError, CallbackError, AjsonError, StoredDataError, TopicNotFoundError, MessageTooLargeError,
 *   PublishError
 * @example
 * await sendTask(
 *   { task_name: 'load', task_kwargs: { symbol: 'IBM' }, callback: 'load#analyse#report' },
 *   { functionArn: context.invokedFunctionArn },
 * );
 */
export async function sendTask(task: Task<object>, options: SendTaskOptions = {}): Promise<void> {
  const { s3, sns, acl, topics, functionArn, maxMessageBytes, ajson = sharedAjson } = options;
  if (!isTask(task)) throw new NotATaskError();
  const { task_name, callback } = task;
  nextTask(callback, task_name);
  const id = randomUUID();
  const { inlineUnder = 131_072, bucket, folder } = options;
  const storing = { store: s3ObjectStore({ s3, acl }), bucket, folder, inlineUnder, dumps: ajson.dumps };
  const origin = { messageId: id, taskName: task_name, sentAt: Date.now(), functionArn };
  const [arn, kwargs] = await Promise.all([
    topicArn(task_name, topics, functionArn),
    storeResult(task.task_kwargs, origin, storing),
  ]);
  const { groupId = id, deduplicationId = id, attributes = {} } = options;
  const [error] = await snsPublisher({ sns, maxMessageBytes }).publish([
    {
      topicArn: arn,
      message: taskMessage(task_name, kwargs, callback),
      attributes,
      groupId,
      deduplicationId,
    },
  ]);
  if (error) throw error;
}
