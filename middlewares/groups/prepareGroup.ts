import { OptionError } from '../../core/errors.ts';
import type { GroupOptions } from '../../core/groups/fanOut.ts';
import type { BranchMessage, GroupSettings, GroupTask, Prepare } from '../../core/groups/plan.ts';
import { branchCallback, gatherName, groupIdName, type Ticket } from '../../core/groups/ticket.ts';
import { mapAtMost } from '../../core/mapAtMost.ts';
import { checkKwargs, type TaskDefinitions } from '../../core/tasks/defineTasks.ts';
import type { Task } from '../../core/tasks/task.ts';
import { taskMessage } from '../../core/tasks/task.ts';
import { type Queues, queueOf } from '../aws/queues.ts';
import { fitAttributes, fitsMessage } from '../aws/snsMessage.ts';
import { type Topics, topicFinder } from '../aws/topics.ts';
import type { StoreArguments } from '../callbacks/storeResult.ts';
import { kwargsText } from '../sending/kwargsText.ts';
import { isFifo } from '../sending/sendDelayed.ts';

/** The surroundings of a group that is made. */
export interface GroupSurroundings {
  topics: Topics | undefined;
  /** The queue of `gather`, for the deadline. */
  queues: Queues | undefined;
  /** An ARN in the region and account of the topics and queues. */
  home: string | undefined;
  /** The rest of the chain, which follows on `then`. */
  callback: string | undefined;
  /** The message attributes of the branches, and of `then`. */
  branchAttributes: Readonly<Record<string, string | number>>;
  attributes: Readonly<Record<string, string | number>>;
  messageGroup: string | undefined;
  /** Writes arguments as ajson. */
  dumps(value: unknown): string;
  /** Given, since its code is not a part of groups, and a bundler would load it with them. */
  storeArguments: StoreArguments;
  signal?: AbortSignal | undefined;
  maxMessageBytes: number;
  definitions: TaskDefinitions | undefined;
}

/** The maximum number of concurrent uploads. */
const maxUploads = 16;

const maxBytes = 64 * 1024 * 1024;

/** Makes the function that prepares the plan of a group. Nothing is stored or sent unless all tasks pass the checks. */
export function prepareGroup(
  tasks: readonly Task<unknown>[],
  options: GroupOptions,
  surroundings: GroupSurroundings,
): Prepare {
  const { callback, messageGroup, definitions } = surroundings;
  const findTopic = topicFinder(surroundings.topics, surroundings.home);
  const taskOf = async (taskName: string, rest?: string): Promise<GroupTask> => ({
    taskName,
    topicArn: await findTopic(taskName),
    callback: rest,
  });

  return async (group) => {
    for (const task of tasks) {
      if (definitions) await checkKwargs(definitions, task.task_name, task.task_kwargs ?? {});
      kwargsText(task, surroundings.dumps);
      await findTopic(task.task_name);
    }
    const settings: GroupSettings = {
      then: await taskOf(options.then, callback),
      failures: options.failures ?? 'wait',
      results: options.results ?? 'values',
      maxBytes: options.maxBytes ?? maxBytes,
      ...(options.onError !== undefined && { onError: await taskOf(options.onError) }),
      ...(options.deadlineSeconds !== undefined && {
        deadlineSeconds: options.deadlineSeconds,
        gatherQueue: await gatherQueue(),
      }),
      attributes: fitAttributes({ ...surroundings.attributes, [groupIdName]: group }),
      branchAttributes: fitAttributes(surroundings.branchAttributes),
      messageGroup,
    };
    const messages = await mapAtMost(maxUploads, [...tasks.entries()], ([index, task]) =>
      branchMessage(task, { group, index, count: tasks.length }),
    );
    return { settings, messages };
  };

  async function gatherQueue(): Promise<string> {
    const { queues } = surroundings;
    // Only its region and account are needed, and `topics` may not have it.
    const topicArn = queues === undefined ? await findTopic(gatherName) : '';
    const queue = await queueOf(gatherName, queues, topicArn);
    if (!isFifo({ topicArn, queue })) return queue;
    throw new OptionError(
      `deadlineSeconds needs a standard queue for ${gatherName}: the FIFO queue ${queue} refuses delays. Name one in the option queues.`,
    );
  }

  async function branchMessage(task: Task<unknown>, ticket: Ticket): Promise<BranchMessage> {
    const { storeArguments, signal, maxMessageBytes, branchAttributes } = surroundings;
    const chain = branchCallback(task, ticket);
    const arn = await findTopic(task.task_name);
    const write = async (isInline: boolean) => {
      const kwargs = await storeArguments(task, { isInline, signal });
      return {
        topicArn: arn,
        message: taskMessage(task.task_name, kwargs, chain),
        attributes: branchAttributes,
      };
    };
    const written = await write(true);
    const { topicArn, message } = fitsMessage(written, maxMessageBytes) ? written : await write(false);
    return { index: ticket.index, topicArn, message };
  }
}
