import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { MiddlewareObj } from '@middy/core';
import type { Ajson } from '../core/ajson/index.ts';
import { DeadlineError } from '../core/batch/deadline.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { readMessage } from '../core/batch/unwrapTask.ts';
import {
  checkOptions,
  either,
  finite,
  func,
  type OptionCheck,
  object,
  text,
  whole,
  withMethod,
} from '../core/checkOptions.ts';
import { FanOut } from '../core/groups/FanOutResult.ts';
import { isTask } from '../core/tasks/task.ts';
import { loadOnce } from './aws/loadOnce.ts';
import { type AwsClient, awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import type { Queues } from './aws/queues.ts';
import type { SnsPublisher } from './aws/snsPublisher.ts';
import type { Topics } from './aws/topics.ts';
import type { Ahead } from './callbacks/callbackPlan.ts';
import { gatherMessages, type Send } from './callbacks/gatherMessages.ts';
import { isFollowed } from './callbacks/isFollowed.ts';
import type { CallbackSender } from './callbacks/openSender.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link callbackPublisher}. */
export interface CallbackPublisherOptions {
  /** Default: a client that is made on first use and shared. */
  s3?: S3Client;
  /** Default: a client that is made on first use and shared. */
  sns?: SNSClient;
  /** The bucket for results. Default: `ALGERNON_BUCKET_NAME`, read when the first result needs it. */
  bucket?: string;
  /** The folder for results. Default: `CACHE_FOLDER_NAME`, else `cache`. */
  folder?: string;
  /** A canned ACL for results. Default: none; `bucket-owner-full-control` for a bucket of another account. */
  acl?: ObjectCannedACL;
  /** The topics of tasks. Default: each is named as its task, in the function's own region and account. */
  topics?: Topics;
  /**
   * The queue of `gather`, which gets the deadlines of groups, as an ARN or a URL. Default: the queue `gather` beside its
   * topic.
   */
  queues?: Queues;
  /** Results up to this many bytes travel in the message itself. Default 0: every result goes through S3. */
  inlineUnder?: number;
  /** The size limit of a message on your topics, in bytes. Default 262,144. */
  maxMessageBytes?: number;
  /**
   * How long finished results wait for one more to leave with, in milliseconds, while tasks are running; all in all at most ten
   * times as long. Default 100.
   */
  lingerMillis?: number;
  /** Sends the deadlines of groups. Default: a client that is made on first use and shared. */
  sqs?: AwsClient;
  /** After how many days a lifecycle rule removes `groups/` from the bucket. Older groups are refused. Default 30. */
  groupExpiryDays?: number;
  /** How often a task is tried before the chain's error task is told, as set on the queue. Default 3. */
  maxReceiveCount?: number;
  /** The registry that writes results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

const name = 'callbackPublisher';

const optionChecks: Readonly<Record<keyof CallbackPublisherOptions, OptionCheck>> = {
  s3: awsClient('S3Client'),
  sns: awsClient('SNSClient'),
  sqs: awsClient('SQSClient'),
  groupExpiryDays: whole(2),
  bucket: bucketName,
  folder: folderName,
  acl: text('the name of a canned ACL'),
  topics: either(func, object),
  queues: either(func, object),
  inlineUnder: whole(0),
  maxMessageBytes: whole(1),
  lingerMillis: finite('milliseconds', 0),
  maxReceiveCount: whole(1),
  ajson: withMethod('dumps', 'a registry such as ajson'),
};

/**
 * Stores the result of a task that has a `callback` in S3, and sends a pointer to it to the next task's topic. The task
 * counts as done once that is sent: a failed upload or publish fails its record, and the message comes back.
 *
 * The name of the stored object is derived from the message, so a redelivery writes the same object again. Callbacks that
 * finish together leave together, up to ten in a call.
 *
 * Fails a record with a `CallbackError` or `TOPIC_NOT_FOUND` before its handler is called; with a `StoredDataError` or a
 * `PublishError` after it.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(async (task: Task) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(callbackPublisher());
 */
export function callbackPublisher(options: CallbackPublisherOptions = {}): MiddlewareObj {
  // Copied, since they are read again later.
  const settings = { ...checkOptions(name, options, optionChecks) };
  const { lingerMillis = 100 } = settings;
  let opened: CallbackSender | undefined;
  const loadSender = loadOnce(async () => {
    const { openSender } = await import('./callbacks/openSender.ts');
    opened = openSender(name, settings);
    return opened;
  });
  // Only a sender that has been opened gives messages to it.
  const publisher: Pick<SnsPublisher, 'send'> = {
    send: (messages) => (opened as CallbackSender).publisher.send(messages),
  };

  return stageMiddleware({
    name,
    order: { at: 'publish' },
    open() {
      // One invocation's callbacks leave together.
      const gathered = gatherMessages(publisher, lingerMillis);
      const watched = new Set<AbortSignal>();
      const atDeadline = ({ cutoff }: TaskRun) => {
        // Nothing waits for company near the end of the invocation, and nothing leaves after its answer.
        if (cutoff.aborted) gathered.drop(new DeadlineError());
        else gathered.leave();
      };
      /** Adds one listener for all tasks of the invocation. */
      const watch = (run: TaskRun) => {
        if (watched.has(run.signal)) return;
        watched.add(run.signal);
        run.signal.addEventListener('abort', () => atDeadline(run), { once: true });
      };
      return {
        around: (run, next) =>
          gathered.during(async (send) => {
            // A task that nothing follows on does not load the code that sends.
            let sender = isFollowed(readMessage(run)) ? await loadSender() : undefined;
            if (await sender?.groups.serve(run)) {
              run.skip();
              return;
            }
            const lookAhead = async (): Promise<Ahead | undefined> => {
              const message = run.unwrap();
              const task = run.task === run.record ? message.content : run.task;
              if (isFollowed(message) || isFollowed({ ...message, content: task }))
                sender ??= await loadSender();
              return sender ? sender.lookAhead(run) : nothingAhead(task);
            };
            let ahead: Promise<Ahead | undefined> | undefined;
            run.beforeHandler(async () => {
              assertUnwrapped(run, name);
              ahead = lookAhead();
              await ahead;
            });
            const sendInTime: Send = (message) => {
              watch(run);
              const sent = send(message);
              if (run.signal.aborted) atDeadline(run);
              return sent;
            };
            try {
              await next();
              run.report?.({ type: 'returned' });
              const found = await (ahead ?? lookAhead());
              if (run.result instanceof FanOut) sender ??= await loadSender();
              await sender?.sendOn(run, found, sendInTime);
            } catch (error) {
              run.report?.({ type: 'returned' });
              if (isFollowed(readMessage(run))) sender ??= await loadSender();
              throw sender ? await sender.tellError(run, error, sendInTime) : error;
            }
          }),
      };
    },
  });
}

/** The followers of a task without callbacks: none. Undefined for a message that is not a task. */
function nothingAhead(task: unknown): Ahead | undefined {
  if (!isTask(task)) return undefined;
  const { task_name, callback } = task;
  return { task: { task_name, callback }, plan: undefined, ticket: undefined, endsBranch: false };
}
