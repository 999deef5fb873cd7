import { createHash } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { MiddlewareObj } from '@middy/core';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { writePieces } from '../core/ajson/writePieces.ts';
import { DeadlineError } from '../core/batch/deadline.ts';
import { identityOf, type TaskIdentity } from '../core/batch/identity.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import type { MessageRole } from '../core/chains/ChainEvent.ts';
import { checkOptions, either, finite, func, object, text, whole, withMethod } from '../core/checkOptions.ts';
import { AlgernonError } from '../core/errors.ts';
import { chainIdName } from '../core/tasks/chainId.ts';
import type { NextTask } from '../core/tasks/nextTask.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { taskMessage } from '../core/tasks/taskMessage.ts';
import type { TaskMessage } from '../core/tasks/taskPublisher.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { fitAttributes, fitsMessage } from './aws/snsMessage.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { type Topics, topicArn } from './aws/topics.ts';
import { ErrorTaskNotToldError } from './callbacks/ErrorTaskNotToldError.ts';
import {
  carriedOn,
  describeError,
  errorTaskIn,
  errorTaskOf,
  followersOf,
} from './callbacks/extraCallbacks.ts';
import { gatherMessages, type Send } from './callbacks/gatherMessages.ts';
import { sendReported } from './callbacks/sendReported.ts';
import { type Origin, storeResult } from './callbacks/storeResult.ts';
import { assertUnwrapped } from './middy/assertUnwrapped.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';
import { TaskInProgressError } from './once/TaskInProgressError.ts';

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
  /**
   * How long finished results wait for one more to leave with, in milliseconds, while tasks are running; all in all at most ten
   * times as long. Default 100.
   */
  lingerMillis?: number;
  /** How often a task is tried before the chain's error task is told, as set on the queue. Default 3. */
  maxReceiveCount?: number;
  /** The registry that writes results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

const name = 'callbackPublisher';

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
            let plan: Promise<Plan | undefined> | undefined;
            run.beforeHandler(async () => {
              plan = sender.plan(run);
              await plan;
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
              if (!run.endsChain) await sender.sendOn(run, await (plan ?? sender.plan(run)), sendInTime);
            } catch (error) {
              run.report?.({ type: 'returned' });
              throw await sender.tellError(run, error, maxReceiveCount, sendInTime);
            }
          }),
      };
    },
  });
}

/** The tasks that follow on a task. Made before the handler runs, which may change its task. */
interface Plan {
  readonly identity: TaskIdentity;
  /** Tells the work apart from other work on the same message. */
  readonly work: readonly unknown[];
  readonly taskName: string;
  readonly role: MessageRole;
  readonly following: readonly (NextTask & { topicArn: string })[];
  readonly attributes: Readonly<Record<string, string>>;
}

function openSender(options: CallbackPublisherOptions) {
  const {
    inlineUnder = 0,
    maxMessageBytes = 262_144,
    ajson = sharedAjson,
  } = checkOptions(name, options, {
    s3: awsClient('S3Client'),
    sns: awsClient('SNSClient'),
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
  const { s3, sns, bucket, folder, acl, topics } = options;
  const publisher = snsPublisher({ sns, maxMessageBytes });
  /** Tells direct tasks of one request apart, since a caller may copy the context that counts them. */
  const textOf = (task: unknown) => {
    try {
      return ajson.dumps(task, { tags: 'keep' });
    } catch {
      return '';
    }
  };
  const store = s3ObjectStore({ s3, acl });
  const storing = { store, bucket, folder, pieces: (value: unknown) => writePieces(ajson, value) };

  const planFor = async (
    run: TaskRun,
    taskName: string,
    role: MessageRole,
    following: readonly NextTask[],
  ): Promise<Plan> => {
    const identity = identityOf(run);
    const home = run.context?.invokedFunctionArn ?? identity.receiver;
    // A result that has nowhere to go must not be computed, nor stored.
    const arns = await Promise.all(following.map((next) => topicArn(next.task_name, topics, home)));
    return {
      identity,
      work: [identity.receiver, identity.part, run.record ? '' : textOf(run.unwrap().content)],
      taskName,
      role,
      following: following.map((next, index) => ({ ...next, topicArn: arns[index] as string })),
      attributes: { [chainIdName]: identity.chainId, ...carriedOn(run.unwrap().attributes) },
    };
  };

  /** Stores a result, and makes the messages around it. */
  const messagesFor = async (run: TaskRun, plan: Plan, result: unknown) => {
    const { identity, following } = plan;
    // Before anything is stored: a message with bad attributes would be refused, or lost.
    const attributes = fitAttributes({ ...plan.attributes, ...run.outgoingAttributes });
    const around = async (inlineBytes: number) => {
      const { kwargs, storedLength } = await storeResult(result, originOf(plan), {
        ...storing,
        inlineUnder: inlineBytes,
        signal: run.cutoff,
        report: plan.role === 'callback' ? run.report : undefined,
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

  return {
    publisher,

    async plan(run: TaskRun): Promise<Plan | undefined> {
      assertUnwrapped(run, name);
      const { attributes } = run.unwrap();
      errorTaskOf(attributes);
      const { task } = run;
      const following = isTask(task) ? followersOf(task, attributes) : [];
      return following.length === 0
        ? undefined
        : planFor(run, (task as Task).task_name, 'callback', following);
    },

    /** Sends the result to the tasks that follow. */
    async sendOn(run: TaskRun, plan: Plan | undefined, send: Send): Promise<void> {
      if (!plan) return;
      const { messages, storedLength } = await messagesFor(run, plan, run.result);
      if (run.record && storedLength > keptLength) run.result = undefined;
      await sendReported(run, plan, messages, send);
    },

    /**
     * Tells the chain's error task once the task will not be tried again.
     *
     * @returns the error for the record
     */
    async tellError(run: TaskRun, error: unknown, maxReceiveCount: number, send: Send): Promise<unknown> {
      // The task has not failed: another delivery runs it.
      if (error instanceof TaskInProgressError) return error;
      const isLast = (identityOf(run).receiveCount ?? 0) >= maxReceiveCount;
      if (!run.record || !(isLast || (await run.isFinal(error)))) return error;
      const message = errorTaskIn(run);
      if (!message) return error;
      const { content, errorTask } = message;
      try {
        const taskName = isTask(content) ? content.task_name : name;
        const plan = await planFor(run, `${taskName}-error`, 'error', [{ task_name: errorTask }]);
        const { messages } = await messagesFor(run, plan, { error: describeError(error), task: content });
        await sendReported(run, plan, messages, send);
        return error;
      } catch (cause) {
        const isFinal = cause instanceof AlgernonError && !cause.retryable;
        return isLast || isFinal ? warned(error, cause) : new ErrorTaskNotToldError(error, cause);
      }
    },
  };
}

/** The message comes back, or goes to the dead-letter queue, whether or not the error task could be told. */
function warned(error: unknown, cause: unknown): unknown {
  console.warn(`${name}: the error task could not be told:`, cause);
  return error;
}

/** The stored result is named by the work, so that a redelivery replaces it, and other work does not. */
function originOf({ identity, work, taskName }: Plan): Origin {
  const digest = digestOf(work).slice(0, 8);
  return { ...identity, taskName: `${taskName}-${digest}`, functionArn: undefined };
}

/** The same for each delivery of a message, and another one for each task that follows on it. */
function deduplicationId({ identity: { messageId }, work, taskName }: Plan, next: NextTask): string {
  const digest = digestOf([messageId, ...work, taskName, next.task_name, next.callback]).slice(0, 22);
  // SNS takes 128 characters; the rest is for readers.
  return `${digest}.${messageId}.${next.task_name}`.slice(0, 128);
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
