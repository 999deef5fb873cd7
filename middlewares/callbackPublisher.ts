import { createHash } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { MiddlewareObj } from '@middy/core';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { assertOption } from '../core/assertOption.ts';
import { DeadlineError, NotUnwrappedError } from '../core/errors.ts';
import { isFinal } from '../core/isFinal.ts';
import { isFolderName } from '../core/storedData/pointer.ts';
import { ChainEnd } from '../core/tasks/endChain.ts';
import { isSnsRecord, type LambdaContext, messageIdOf, type TaskRecord } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { type NextTask, nextTask } from '../core/tasks/nextTask.ts';
import {
  assertPipelineRan,
  declareStage,
  outgoingOf,
  stageRanks,
  type TaskRun,
} from '../core/tasks/pipeline.ts';
import { isTask } from '../core/tasks/task.ts';
import type { TaskMessage } from '../core/tasks/taskPublisher.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { type Topics, topicArn } from './aws/topics.ts';
import { carriedOn, errorTaskOf, followersOf } from './callbacks/extraCallbacks.ts';
import { gatherMessages, type Send } from './callbacks/gatherMessages.ts';
import { type Origin, storeResult, taskMessage } from './callbacks/storeResult.ts';

export interface CallbackPublisherOptions {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client;
  /** Default: one made at the first need, shared by all that give none. */
  sns?: SNSClient;
  /** The bucket for results. Default: `ALGERNON_BUCKET_NAME`, read when the first result needs it. */
  bucket?: string;
  /** The folder for results. Default: `CACHE_FOLDER_NAME`, else `cache`. */
  folder?: string;
  /** A canned ACL for results. Default: none; `bucket-owner-full-control` for a bucket of another account. */
  acl?: ObjectCannedACL;
  /** Where the topics are. Default: each is named as its task, in the function's own region and account. */
  topics?: Topics;
  /** Results up to this many bytes travel in the message itself. Default 0: every result goes through S3. */
  inlineUnder?: number;
  /** What a topic takes in one message, in bytes. Default 262,144. */
  maxMessageBytes?: number;
  /** How long a finished result waits for others to leave with, in milliseconds, while others are under way. Default 100. */
  lingerMillis?: number;
  /** How often a task is tried before the chain's error task is told: what its queue has. Default 3. */
  maxReceiveCount?: number;
  /** The registry that writes results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
}

const name = 'callbackPublisher';

/** Up to this many characters of ajson, a result that is sent on is still among those of the batch. */
const keptLength = 262_144;

/**
 * Stores the result of a task that has a `callback` in S3, and sends a pointer to it to the next task's topic. The
 * task counts as done once that is sent: a failed upload or publish fails its record, and the message comes back.
 *
 * The name of the stored object is derived from the message, so a redelivery writes the same object again. Callbacks
 * that finish together leave together, up to ten in a call. What lies in S3 and has more than 262,144 characters is not
 * kept among the results of the batch.
 *
 * Fails a record with a `CallbackError` (before its handler is called), `StoredDataError`, `TopicNotFoundError`,
 * `MessageTooLargeError` or `PublishError`.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * export const handler = middy(queued(async (task: Task) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(callbackPublisher());
 */
export function callbackPublisher(options: CallbackPublisherOptions = {}): MiddlewareObj {
  const { inlineUnder = 0, maxMessageBytes = 262_144, lingerMillis = 100, maxReceiveCount = 3 } = options;
  const { s3, sns, bucket, folder, acl, topics, ajson = sharedAjson } = options;
  assertOption(inlineUnder >= 0, name, 'inlineUnder', 'a number of bytes from 0');
  assertOption(maxMessageBytes > 0, name, 'maxMessageBytes', 'a number of bytes above 0');
  assertOption(lingerMillis >= 0, name, 'lingerMillis', 'a number of milliseconds from 0');
  assertOption(maxReceiveCount > 0, name, 'maxReceiveCount', 'a whole number from 1');
  assertOption(folder === undefined || isFolderName(folder), name, 'folder', 'a name without # and !');
  const store = s3ObjectStore({ s3, acl });
  const publisher = snsPublisher({ sns, maxMessageBytes });
  // A worker may pass on tags that it did not rebuild.
  const dumps = (value: unknown) => ajson.dumps(value, { tags: 'keep' });
  const storing = { store, bucket, folder, inlineUnder, dumps };

  /** The messages for all that follow, around one result. */
  const messagesFor = async (
    following: readonly NextTask[],
    result: unknown,
    origin: Origin,
    attributes: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<{ messages: TaskMessage[]; storedLength: number }> => {
    // The topics first: a result that can go nowhere is not to be left in S3.
    const arns = await Promise.all(
      following.map((next) => topicArn(next.task_name, topics, origin.functionArn)),
    );
    const { kwargs, storedLength } = await storeResult(result, origin, { ...storing, signal });
    const messages = following.map((next, index) => ({
      topicArn: arns[index] as string,
      subject: 'callback',
      attributes,
      message: taskMessage(next.task_name, kwargs, next.callback),
      groupId: origin.groupId ?? origin.messageId,
      deduplicationId: deduplicationId(origin, next),
    }));
    return { messages, storedLength };
  };

  /** Tells the chain's error task, once it is known that the task will not be tried again. */
  const tellError = async (run: TaskRun, error: unknown, send: Send): Promise<void> => {
    if (run.task === run.record || run.signal.aborted) return;
    const tries = isSnsRecord(run.record) ? 1 : Number(run.record.attributes?.ApproximateReceiveCount);
    const { content, attributes } = run.unwrap();
    const errorTask = errorTaskOf(attributes);
    if (!errorTask || !(tries >= maxReceiveCount || isFinal(error))) return;
    const taskName = isTask(content) ? content.task_name : name;
    const origin = originOfRecord(run.record, run.context, `${taskName}-error`);
    const {
      name: errorName,
      message,
      code,
    } = Object(error) as { name?: string; message?: string; code?: string };
    const failure = { error: { name: errorName, message: message ?? String(error), code }, task: content };
    const { messages } = await messagesFor([{ task_name: errorTask }], failure, origin, run.outgoing);
    await Promise.all(messages.map(send));
  };

  const sendOn = async (run: TaskRun, send: Send): Promise<void> => {
    if (!isTask(run.task) || run.endsChain) return;
    const { attributes } = run.unwrap();
    const following = followersOf(run.task, attributes);
    if (following.length === 0) return;
    const origin = originOfRecord(run.record, run.context, run.task.task_name);
    const outgoing = { ...carriedOn(attributes), ...run.outgoing };
    const { messages, storedLength } = await messagesFor(following, run.result, origin, outgoing, run.signal);
    // The message is on its way back by now: what is sent after this would only be sent again.
    if (run.signal.aborted) throw new DeadlineError();
    await Promise.all(messages.map(send));
    // It lies in S3 and is sent: until the batch ends, it is not to be held as well.
    if (storedLength > keptLength) run.result = undefined;
  };

  /** One invocation's part: what leaves together comes from one batch. */
  const declare = (request: Parameters<typeof declareStage>[0]) => {
    const gathered = gatherMessages(publisher, lingerMillis);
    const pipeline = declareStage(request, {
      name,
      rank: stageRanks.publish,
      ready(run) {
        if (run.task === run.record) throw new NotUnwrappedError(name);
        const { attributes } = run.unwrap();
        if (isTask(run.task)) followersOf(run.task, attributes);
        errorTaskOf(attributes);
      },
      around: (run, next) =>
        gathered.during(async (send) => {
          try {
            await next();
            await sendOn(run, send);
          } catch (error) {
            // The message comes back, or goes to the dead-letter queue, whether or not the error task could be told.
            await tellError(run, error, send).catch((cause) => {
              console.warn(`${name}: the error task could not be told:`, cause);
            });
            throw error;
          }
        }),
    });
    return pipeline !== undefined;
  };

  /** What directly invoked tasks are to be followed by. */
  const direct = new WeakMap<object, { next: NextTask; origin: Origin }>();

  return {
    before(request) {
      keepResponse(request);
      if (declare(request) || !isTask(request.event)) return;
      const { task_name, callback } = request.event;
      const next = nextTask(callback, task_name);
      if (next) direct.set(request, { next, origin: originOfInvocation(request.context, task_name) });
    },
    async after(request) {
      assertPipelineRan(request, name);
      const following = direct.get(request);
      const { response } = request;
      if (response instanceof ChainEnd) request.response = response.result;
      if (!following || response instanceof ChainEnd) return;
      const { next, origin } = following;
      const { messages } = await messagesFor([next], response, origin, outgoingOf(request));
      const [error] = await publisher.publish(messages);
      if (error) throw error;
    },
    onError: keepResponse,
  };
}

/** The same however often the message is delivered, and another for each that follows on it. */
function deduplicationId({ messageId, taskName }: Origin, next: NextTask): string {
  const parts = JSON.stringify([taskName, next.task_name, next.callback]);
  const digest = createHash('sha256').update(parts).digest('base64url').slice(0, 22);
  // SNS takes 128 characters; the name is there for who reads it.
  return `${messageId}.${digest}.${next.task_name}`.slice(0, 128);
}

function originOfRecord(record: TaskRecord, context: LambdaContext | undefined, taskName: string): Origin {
  const messageId = messageIdOf(record);
  if (isSnsRecord(record)) {
    return {
      messageId,
      taskName,
      sentAt: Date.parse(record.Sns.Timestamp),
      functionArn: record.Sns.TopicArn,
    };
  }
  return {
    messageId,
    taskName,
    sentAt: Number(record.attributes?.SentTimestamp),
    functionArn: context?.invokedFunctionArn ?? record.eventSourceARN,
    groupId: record.attributes?.MessageGroupId,
  };
}

/** Lambda keeps the request id when it tries an asynchronous invocation again, and tells no time of sending. */
function originOfInvocation(context: LambdaContext, taskName: string): Origin {
  const { awsRequestId, invokedFunctionArn } = context;
  return { messageId: awsRequestId, taskName, sentAt: 0, functionArn: invokedFunctionArn };
}
