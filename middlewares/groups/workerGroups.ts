import { identityOf } from '../../core/batch/identity.ts';
import { pipelineOf } from '../../core/batch/pipeline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { readMessage, unwrap } from '../../core/batch/unwrapTask.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { FanOut } from '../../core/groups/FanOutResult.ts';
import { GroupError } from '../../core/groups/GroupError.ts';
import type { GroupCall, Groups } from '../../core/groups/openGroups.ts';
import { deadlineIn, gatherName, remainingChain, type Ticket, ticketIn } from '../../core/groups/ticket.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { pointerIn } from '../../core/storedData/StoredData.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import { isTask, type Task } from '../../core/tasks/task.ts';
import { writeText } from '../aws/writeValue.ts';
import { workOf } from '../callbacks/callbackPlan.ts';
import { describeError, errorTaskOf, groupAttributes } from '../callbacks/extraCallbacks.ts';
import { groupHashOf } from './awsGroups.ts';
import { type GroupSurroundings, prepareGroup } from './prepareGroup.ts';

/** The part of a worker in groups. */
export interface WorkerGroups {
  /**
   * Serves a message of the task `gather`: a branch that ends in a worker without groups, or a deadline.
   *
   * @returns false for other messages
   */
  serve(run: TaskRun): Promise<boolean>;
  /** The ticket of a task, checked against its group; undefined if the task is not part of a branch. */
  check(run: TaskRun, task: Task): Promise<Ticket | undefined>;
  /** Records the result of a branch. */
  join(run: TaskRun, ticket: Ticket, result: unknown): Promise<void>;
  /** Records that the task of a branch has failed for good, if its group asks for that. */
  fail(run: TaskRun, error: unknown): Promise<void>;
  /** Sends a group. The result of the run becomes its ids. */
  split(run: TaskRun, fan: FanOut, splitter: Pick<Task, 'task_name' | 'callback'>): Promise<void>;
}

/** Error messages are cut, since a slot is small. */
const maxMessageLength = 4096;

export function workerGroups(
  groups: Groups,
  {
    dumps,
    storing,
    topics,
    maxMessageBytes,
  }: Pick<GroupSurroundings, 'dumps' | 'storing' | 'topics' | 'maxMessageBytes'>,
): WorkerGroups {
  const serve: WorkerGroups['serve'] = async (run) => {
    const task = taskIn(run);
    if (task?.task_name !== gatherName) return false;
    const group = deadlineIn(task.callback);
    const ticket = ticketIn(task.callback);
    if (group !== undefined) await groups.close(group, callOf(run));
    else if (ticket) {
      const { task_kwargs } = task;
      // Refused here, since it would fail the whole group.
      const pointer = pointerIn(task_kwargs ?? {});
      if (pointer !== undefined) parsePointer(pointer, '$.task_kwargs');
      const isEmpty = Object.keys(task_kwargs ?? {}).length === 0;
      await groups.join(ticket, { value: isEmpty ? 'null' : dumps(task_kwargs) }, callOf(run));
    } else return false;
    return true;
  };

  return {
    serve,

    async check(run, { callback }) {
      const ticket = ticketIn(callback);
      if (!ticket) return undefined;
      const { failures } = await groups.read(ticket, { signal: run.signal });
      if (failures !== 'wait') assertFailurePolicy(run, failures);
      return ticket;
    },

    async join(run, ticket, result) {
      const value = await writeText(result ?? null, { ...storing, signal: run.cutoff });
      await groups.join(ticket, { value }, callOf(run));
    },

    async fail(run, error) {
      // A bad ticket has no group.
      if (error instanceof GroupError) return;
      const task = run.record && taskIn({ unwrap: () => unwrap(run.record as never) });
      const ticket = ticketIn((task ?? taskIn(run))?.callback);
      if (!ticket || (await groups.read(ticket, callOf(run))).failures === 'wait') return;
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
          home: run.context?.invokedFunctionArn ?? identity.receiver,
          callback: remainingChain(callback, task_name),
          branchAttributes: { ...carried, ...extra.branch },
          attributes: { ...carried, ...extra.then },
          messageGroup,
          dumps,
          storing: { ...storing, signal: run.cutoff },
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

/** The task of a run. A message that cannot be read has none. */
function taskIn(run: Pick<TaskRun, 'unwrap'>): Task | undefined {
  const { content } = readMessage(run);
  return isTask(content) ? content : undefined;
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
