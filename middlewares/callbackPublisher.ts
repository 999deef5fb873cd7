import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { MiddlewareObj } from '@middy/core';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { DeadlineError } from '../core/batch/deadline.ts';
import { identityOf } from '../core/batch/identity.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, either, finite, func, object, text, whole, withMethod } from '../core/checkOptions.ts';
import { FanOut } from '../core/groups/FanOutResult.ts';
import { gatherName } from '../core/groups/ticket.ts';
import { isFinal } from '../core/isFinal.ts';
import { chainIdName } from '../core/tasks/chainId.ts';
import type { NextTask } from '../core/tasks/nextTask.ts';
import { isTask } from '../core/tasks/task.ts';
import { taskMessage } from '../core/tasks/taskMessage.ts';
import type { TaskMessage } from '../core/tasks/taskPublisher.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { fitAttributes, fitsMessage } from './aws/snsMessage.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { type Topics, topicArn } from './aws/topics.ts';
import {
  type Ahead,
  type CallbackPlan,
  deduplicationId,
  originOf,
  workOf,
} from './callbacks/callbackPlan.ts';
import { ErrorTaskNotToldError } from './callbacks/ErrorTaskNotToldError.ts';
import {
  carriedOn,
  describeError,
  errorTaskIn,
  errorTaskOf,
  followersOf,
} from './callbacks/extraCallbacks.ts';
import { gatherMessages, type Send } from './callbacks/gatherMessages.ts';
import { storeResult } from './callbacks/storeResult.ts';
import { awsGroups } from './groups/awsGroups.ts';
import { workerGroups } from './groups/workerGroups.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

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
  /** Results up to this many bytes travel in the message itself. Default 0: every result goes through S3. */
  inlineUnder?: number;
  /** The size limit of a message on your topics, in bytes. Default 262,144. */
  maxMessageBytes?: number;
  /** How long a finished result waits for others to leave with, in milliseconds, while tasks are running. Default 100. */
  lingerMillis?: number;
  /** Sends the deadlines of groups. Default: a client that is made on first use and shared. */
  sqs?: SQSClient;
  /** After how many days a lifecycle rule removes `groups/` from the bucket. Older groups are refused. Default 30. */
  groupExpiryDays?: number;
  /** How often a task is tried before the chain's error task is told, as set on the queue. Default 3. */
  maxReceiveCount?: number;
  /** The registry that writes results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

const name = 'callbackPublisher';

/** Larger arguments of a branch go through S3. */
const branchInlineBytes = 131_072;

/** A stored result of more characters than this is not kept in memory while its callback waits to leave. */
const keptLength = 65_536;

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
  const sender = openSender(options);
  const { lingerMillis = 100, maxReceiveCount = 3 } = options;

  return stageMiddleware({
    name,
    order: { at: 'publish' },
    open() {
      // One invocation's callbacks leave together.
      const gathered = gatherMessages(sender.publisher, lingerMillis);
      const watched = new WeakSet<AbortSignal>();
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
            if (await sender.groups.serve(run)) {
              run.skip();
              return;
            }
            let ahead: Promise<Ahead | undefined> | undefined;
            run.beforeHandler(async () => {
              assertUnwrapped(run, name);
              ahead = sender.lookAhead(run);
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
              await sender.sendOn(run, await (ahead ?? sender.lookAhead(run)), sendInTime);
            } catch (error) {
              throw await sender.tellError(run, error, maxReceiveCount, sendInTime);
            }
          }),
      };
    },
  });
}

function openSender(options: CallbackPublisherOptions) {
  const {
    inlineUnder = 0,
    maxMessageBytes = 262_144,
    groupExpiryDays = 30,
    ajson = sharedAjson,
  } = checkOptions(name, options, {
    s3: awsClient('S3Client'),
    sns: awsClient('SNSClient'),
    sqs: awsClient('SQSClient'),
    groupExpiryDays: whole(2),
    bucket: bucketName,
    folder: folderName,
    acl: text('the name of a canned ACL'),
    topics: either(func, object),
    inlineUnder: whole(0),
    maxMessageBytes: whole(1),
    lingerMillis: finite('milliseconds', 0),
    maxReceiveCount: whole(1),
    ajson: withMethod('dumps', 'a registry such as ajson'),
  });
  const { s3, sns, sqs, bucket, folder, acl, topics } = options;
  const publisher = snsPublisher({ sns, maxMessageBytes });
  // A worker may pass on tags that it did not rebuild.
  const dumps = (value: unknown) => ajson.dumps(value, { tags: 'keep' });
  const storing = { store: s3ObjectStore({ s3, acl }), bucket, folder, dumps };

  const planFor = async (
    run: TaskRun,
    taskName: string,
    following: readonly NextTask[],
  ): Promise<CallbackPlan> => {
    const identity = identityOf(run);
    const home = run.context?.invokedFunctionArn ?? identity.receiver;
    // A result that has nowhere to go must not be computed, nor stored.
    const arns = await Promise.all(following.map((next) => topicArn(next.task_name, topics, home)));
    return {
      identity,
      work: workOf(identity, run, dumps),
      taskName,
      following: following.map((next, index) => ({ ...next, topicArn: arns[index] as string })),
      attributes: { [chainIdName]: identity.chainId, ...carriedOn(run.unwrap().attributes) },
    };
  };

  /** Stores a result, and makes the messages around it. */
  const messagesFor = async (run: TaskRun, plan: CallbackPlan, result: unknown) => {
    const { identity, following } = plan;
    // Before anything is stored: a message with bad attributes would be refused, or lost.
    const attributes = fitAttributes({ ...plan.attributes, ...run.outgoingAttributes });
    const around = async (inlineBytes: number) => {
      const { kwargs, storedLength } = await storeResult(result, originOf(plan), {
        ...storing,
        inlineUnder: inlineBytes,
        signal: run.cutoff,
      });
      const messages = following.map(
        (next): TaskMessage => ({
          topicArn: next.topicArn,
          subject: 'callback',
          attributes,
          message: taskMessage(next.task_name, kwargs, next.callback),
          groupId: identity.groupId,
          deduplicationId: deduplicationId(plan, next),
        }),
      );
      return { messages, storedLength };
    };
    const made = await around(inlineUnder);
    const fits = made.messages.every((message) => fitsMessage(message, maxMessageBytes));
    return fits || inlineUnder === 0 ? made : around(0);
  };

  const sendAll = async (run: TaskRun, messages: readonly TaskMessage[], send: Send) => {
    if (run.cutoff.aborted) throw new DeadlineError();
    await Promise.all(messages.map(send));
  };

  const tellErrorTask = async (run: TaskRun, error: unknown, send: Send) => {
    const message = errorTaskIn(run);
    if (!message) return;
    const { content, errorTask } = message;
    const taskName = isTask(content) ? content.task_name : name;
    const plan = await planFor(run, `${taskName}-error`, [{ task_name: errorTask }]);
    const { messages } = await messagesFor(run, plan, { error: describeError(error), task: content });
    await sendAll(run, messages, send);
  };

  const groups = workerGroups(
    awsGroups({ s3, sqs, publisher, bucket, acl, maxMessageBytes, expiryDays: groupExpiryDays, owner: name }),
    { storing: { ...storing, inlineUnder: branchInlineBytes }, topics, maxMessageBytes },
  );

  return {
    publisher,
    groups,

    async lookAhead(run: TaskRun): Promise<Ahead | undefined> {
      const { attributes, content } = run.unwrap();
      errorTaskOf(attributes);
      // A stage that skips the handler may do so before the task is unwrapped.
      const task = run.task === run.record ? content : run.task;
      if (!isTask(task)) return undefined;
      const { task_name, callback } = task;
      const ticket = await groups.check(run, task);
      const isGather = (next: NextTask) => ticket !== undefined && next.task_name === gatherName;
      const next = followersOf(task, attributes);
      const following = next.filter((follower) => !isGather(follower));
      return {
        task: { task_name, callback },
        plan: following.length === 0 ? undefined : await planFor(run, task_name, following),
        ticket,
        endsBranch: next.some(isGather),
      };
    },

    /** Sends the result to the tasks that follow, or to the group of the task; or sends the group that is the result. */
    async sendOn(run: TaskRun, ahead: Ahead | undefined, send: Send): Promise<void> {
      if (!ahead) return;
      const { plan, ticket, endsBranch, task } = ahead;
      const { result, endsChain } = run;
      if (result instanceof FanOut) return groups.split(run, result, task);
      if (plan && !endsChain) {
        const { messages, storedLength } = await messagesFor(run, plan, result);
        if (run.record && storedLength > keptLength) run.result = undefined;
        await sendAll(run, messages, send);
      }
      if (ticket && (endsBranch || endsChain)) await groups.join(run, ticket, result);
    },

    /**
     * Tells the chain's error task, and the group of the task, once the task will not be tried again.
     *
     * @returns the error for the record
     */
    async tellError(run: TaskRun, error: unknown, maxReceiveCount: number, send: Send): Promise<unknown> {
      const isLast = (identityOf(run).receiveCount ?? 0) >= maxReceiveCount;
      if (!run.record || !(isLast || (await run.isFinal(error)))) return error;
      const told = [groups.fail(run, error), tellErrorTask(run, error, send)];
      const failure = (await Promise.allSettled(told)).find(({ status }) => status === 'rejected');
      if (!failure) return error;
      const cause = (failure as PromiseRejectedResult).reason;
      if (!isLast && !isFinal(cause)) return new ErrorTaskNotToldError(error, cause);
      // The message comes back, or goes to the dead-letter queue, all the same.
      console.warn(`${name}: the error task or the group could not be told:`, cause);
      return error;
    },
  };
}
