import { identityOf } from '../../core/batch/identity.ts';
import { pipelineOf } from '../../core/batch/pipeline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { FanOut } from '../../core/groups/FanOutResult.ts';
import { GroupError } from '../../core/groups/GroupError.ts';
import type { GroupCall, Groups } from '../../core/groups/openGroups.ts';
import { remainingChain, type Ticket } from '../../core/groups/ticket.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { pointerIn } from '../../core/storedData/StoredData.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import type { Task } from '../../core/tasks/task.ts';
import { workOf } from '../callbacks/callbackPlan.ts';
import { describeError, errorTaskOf, groupAttributes } from '../callbacks/extraCallbacks.ts';
import { type AwsGroupsOptions, awsGroups, groupHashOf } from './awsGroups.ts';
import { type GroupSurroundings, prepareGroup } from './prepareGroup.ts';

/** The part of a worker in groups that `lazyGroups` loads. */
export interface WorkerGroups {
  /** Closes a group at its deadline. */
  close(run: TaskRun, group: string): Promise<void>;
  /** Records the result of a branch that ends in a worker without groups. */
  gather(run: TaskRun, ticket: Ticket, task: Task): Promise<void>;
  /** Checks a ticket against its group, and the stack of the worker against what the group needs. */
  check(run: TaskRun, ticket: Ticket): Promise<void>;
  join(run: TaskRun, ticket: Ticket, result: unknown): Promise<void>;
  /**
   * Records that the task of a branch has failed for good, if its group asks for that.
   *
   * @param task the task as it was sent
   */
  fail(run: TaskRun, ticket: Ticket, error: unknown, task: Task | undefined): Promise<void>;
  /** Sends a group. The result of the run becomes its ids. */
  split(run: TaskRun, fan: FanOut, splitter: Pick<Task, 'task_name' | 'callback'>): Promise<void>;
}

export interface WorkerSurroundings
  extends Pick<GroupSurroundings, 'dumps' | 'storeArguments' | 'topics' | 'queues' | 'maxMessageBytes'> {
  /** Writes a result as ajson, and stores the values of each StoredData in it. */
  writeText(value: unknown, signal: AbortSignal): Promise<string>;
}

/** Error messages are cut, since a slot is small. */
const maxMessageLength = 4096;

/** Opens the groups in a bucket of S3. */
export function openWorkerGroups(aws: AwsGroupsOptions, surroundings: WorkerSurroundings): WorkerGroups {
  return workerGroups(awsGroups(aws), surroundings);
}

export function workerGroups(
  groups: Groups,
  { dumps, storeArguments, writeText, topics, queues, maxMessageBytes }: WorkerSurroundings,
): WorkerGroups {
  return {
    close: (run, group) => groups.close(group, callOf(run)),

    async gather(run, ticket, { task_kwargs }) {
      // Refused here, since it would fail the whole group.
      const pointer = pointerIn(task_kwargs ?? {});
      if (pointer !== undefined) parsePointer(pointer, '$.task_kwargs');
      const isEmpty = Object.keys(task_kwargs ?? {}).length === 0;
      await groups.join(ticket, { value: isEmpty ? 'null' : dumps(task_kwargs) }, callOf(run));
    },

    async check(run, ticket) {
      const { failures } = await groups.read(ticket, { signal: run.signal });
      if (failures !== 'wait') assertFailurePolicy(run, failures);
    },

    async join(run, ticket, result) {
      const value = await writeText(result ?? null, run.cutoff);
      await groups.join(ticket, { value }, callOf(run));
    },

    async fail(run, ticket, error, task) {
      // A bad ticket has no group.
      if (error instanceof GroupError) return;
      if ((await groups.read(ticket, callOf(run))).failures === 'wait') return;
      const { name, message, code } = describeError(error);
      const described = { name, message: String(message).slice(0, maxMessageLength), code };
      await groups.join(ticket, { error: dumps(described), task: dumps(task) }, callOf(run));
    },

    async split(run, { tasks, options }, { task_name, callback }) {
      const identity = identityOf(run);
      const { chainId, messageId, groupId: messageGroup } = identity;
      const { attributes } = run.unwrap();
      const { failures = 'wait', onError = errorTaskOf(attributes) } = options;
      const carried = { [chainIdName]: chainId, ...run.outgoingAttributes };
      const extra = groupAttributes(attributes, failures === 'wait' ? onError : undefined);
      const prepare = prepareGroup(
        tasks,
        { ...options, onError: failures === 'fail' ? onError : undefined },
        {
          topics,
          queues,
          home: run.context?.invokedFunctionArn ?? identity.receiver,
          callback: remainingChain(callback, task_name),
          branchAttributes: { ...carried, ...extra.branch },
          attributes: { ...carried, ...extra.then },
          messageGroup,
          dumps,
          storeArguments,
          signal: run.cutoff,
          maxMessageBytes,
          definitions: options.tasks,
        },
      );
      // The same for each delivery, so that a redelivery finds the plan.
      const work = [messageId, ...workOf(identity, run, dumps), task_name];
      const { id } = await groups.start(groupHashOf(work), prepare, callOf(run));
      run.result = { groupId: id, chainId };
    },
  };
}

function callOf({ cutoff, report }: TaskRun): GroupCall {
  return { signal: cutoff, report };
}

/**
 * Without `failurePolicy` a failure that is recorded as final comes back all the same.
 *
 * @throws AlgernonError `GROUP_NEEDS_FAILURE_POLICY`
 */
function assertFailurePolicy({ record, context }: TaskRun, failures: string): void {
  const pipeline = pipelineOf(context);
  if (!record || pipeline?.stages.some(({ name }) => name === 'failurePolicy')) return;
  throw new AlgernonError(
    'GROUP_NEEDS_FAILURE_POLICY',
    `A branch of a group with failures "${failures}" needs failurePolicy() in the stack of its worker.`,
    { retryable: true },
  );
}
