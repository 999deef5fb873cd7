import { sharedAjson } from '../../core/ajson/sharedAjson.ts';
import { writePieces } from '../../core/ajson/writePieces.ts';
import { identityOf } from '../../core/batch/identity.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import type { MessageRole } from '../../core/chains/ChainEvent.ts';
import { FanOut } from '../../core/groups/FanOutResult.ts';
import { gatherName } from '../../core/groups/ticket.ts';
import { isFinal } from '../../core/isFinal.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import type { NextTask } from '../../core/tasks/nextTask.ts';
import { isTask, taskMessage } from '../../core/tasks/task.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { s3ObjectStore } from '../aws/s3ObjectStore.ts';
import { fitAttributes, fitsMessage } from '../aws/snsMessage.ts';
import { type SnsPublisher, snsPublisher } from '../aws/snsPublisher.ts';
import { topicArn } from '../aws/topics.ts';
import { writeText } from '../aws/writeValue.ts';
import type { CallbackPublisherOptions } from '../callbackPublisher.ts';
import { type LazyGroups, lazyGroups } from '../groups/lazyGroups.ts';
import { TaskInProgressError } from '../once/TaskInProgressError.ts';
import { type Ahead, type CallbackPlan, deduplicationId, originOf, workOf } from './callbackPlan.ts';
import { ErrorTaskNotToldError } from './ErrorTaskNotToldError.ts';
import { carriedOn, describeError, errorTaskIn, errorTaskOf, followersOf } from './extraCallbacks.ts';
import type { Send } from './gatherMessages.ts';
import { sendReported } from './sendReported.ts';
import { argumentsStore, storeResult } from './storeResult.ts';

/** Larger arguments of a branch go through S3. */
const branchInlineBytes = 131_072;

/** A stored result of more characters than this is not kept in memory while its callback waits to leave. */
const keptLength = 65_536;

/** The part of `callbackPublisher` that stores and sends. */
export interface CallbackSender {
  readonly publisher: SnsPublisher;
  readonly groups: LazyGroups;
  /** Finds what follows on a task. Undefined for a message that is not a task. */
  lookAhead(run: TaskRun): Promise<Ahead | undefined>;
  /** Sends the result to the tasks that follow, or to the group of the task; or sends the group that is the result. */
  sendOn(run: TaskRun, ahead: Ahead | undefined, send: Send): Promise<void>;
  /**
   * Tells the chain's error task, and the group of the task, once the task will not be tried again.
   *
   * @returns the error for the record
   */
  tellError(run: TaskRun, error: unknown, send: Send): Promise<unknown>;
}

/** Makes the part of `callbackPublisher` that stores and sends. The stage around it decides when. */
export function openSender(owner: string, options: CallbackPublisherOptions): CallbackSender {
  const { s3, sns, sqs, bucket, folder, acl, topics, queues } = options;
  const {
    inlineUnder = 0,
    maxMessageBytes = 262_144,
    groupExpiryDays = 30,
    maxReceiveCount = 3,
    ajson = sharedAjson,
  } = options;
  const publisher = snsPublisher({ sns, maxMessageBytes });
  // A worker may pass on tags that it did not rebuild.
  const dumps = (value: unknown) => ajson.dumps(value, { tags: 'keep' });
  const pieces = (value: unknown) => writePieces(ajson, value);
  const storing = { store: s3ObjectStore({ s3, acl }), bucket, folder, pieces };

  const planFor = async (
    run: TaskRun,
    taskName: string,
    role: MessageRole,
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
      role,
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

  /** Its caller must not hold the result, which may be large. */
  const sendCallbacks = async (run: TaskRun, plan: CallbackPlan, send: Send) => {
    const { messages, storedLength } = await messagesFor(run, plan, run.result);
    if (run.record && storedLength > keptLength) run.result = undefined;
    await sendReported(run, plan, messages, send);
  };

  const tellErrorTask = async (run: TaskRun, error: unknown, send: Send) => {
    const message = errorTaskIn(run);
    if (!message) return;
    const { content, errorTask } = message;
    const taskName = isTask(content) ? content.task_name : owner;
    const plan = await planFor(run, `${taskName}-error`, 'error', [{ task_name: errorTask }]);
    const { messages } = await messagesFor(run, plan, { error: describeError(error), task: content });
    await sendReported(run, plan, messages, send);
  };

  const groups = lazyGroups(
    { s3, sqs, publisher, bucket, acl, maxMessageBytes, expiryDays: groupExpiryDays, owner },
    {
      dumps,
      storeArguments: argumentsStore({ ...storing, inlineUnder: branchInlineBytes }),
      writeText: (value, signal) => writeText(value, { ...storing, signal }),
      topics,
      queues,
      maxMessageBytes,
    },
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
        plan: following.length === 0 ? undefined : await planFor(run, task_name, 'callback', following),
        ticket,
        endsBranch: next.some(isGather),
      };
    },

    async sendOn(run: TaskRun, ahead: Ahead | undefined, send: Send): Promise<void> {
      if (!ahead) return;
      const { plan, ticket, endsBranch, task } = ahead;
      if (run.result instanceof FanOut) return groups.split(run, run.result, task);
      // First, since a large result is dropped while callbacks wait to leave.
      if (ticket && (endsBranch || run.endsChain)) await groups.join(run, ticket, run.result);
      if (plan && !run.endsChain) return sendCallbacks(run, plan, send);
    },

    async tellError(run: TaskRun, error: unknown, send: Send): Promise<unknown> {
      // The task has not failed: another delivery runs it.
      if (error instanceof TaskInProgressError) return error;
      const isLast = (identityOf(run).receiveCount ?? 0) >= maxReceiveCount;
      if (!run.record || !(isLast || (await run.isFinal(error)))) return error;
      const told = [groups.fail(run, error), tellErrorTask(run, error, send)];
      const failure = (await Promise.allSettled(told)).find(({ status }) => status === 'rejected');
      if (!failure) return error;
      const cause = (failure as PromiseRejectedResult).reason;
      if (!isLast && !isFinal(cause)) return new ErrorTaskNotToldError(error, cause);
      // The message comes back, or goes to the dead-letter queue, all the same.
      console.warn(`${owner}: the error task or the group could not be told:`, cause);
      return error;
    },
  };
}
