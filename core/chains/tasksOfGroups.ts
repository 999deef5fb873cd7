import { deadlineGroup, ticketIn } from '../groups/ticket.ts';
import { type GroupRecord, type JoinFacts, least } from './ChainFacts.ts';
import type { TaskState } from './ChainState.ts';

type Groups = ReadonlyMap<string, GroupRecord>;

/**
 * Sets the parents of the tasks that a group needs. The message that joins a group is sent by the branch that ends last, but
 * belongs beside all branches. The message of a Python worker to `gather` belongs below its branch, and that of a deadline
 * beside all branches.
 */
export function placeTasks(tasks: readonly TaskState[], groups: Groups, compare: Compare): void {
  const branches = new Map<string, TaskState>();
  const firsts = new Map<string, TaskState>();
  for (const task of tasks) {
    const { group } = task;
    if (group?.index === undefined) continue;
    keepFirst(branches, keyOf(group.id, group.index), task, compare);
    keepFirst(firsts, group.id, task, compare);
  }
  const joins = new Map<string, string>();
  for (const { id, joined } of groups.values()) {
    for (const [index, { messageId }] of joined) {
      joins.set(messageId, least(joins.get(messageId), keyOf(id, index)) as string);
    }
  }
  for (const task of tasks) {
    const { group, parentId, messageId } = task;
    if (group?.index !== undefined) continue;
    const first = firsts.get(group?.id ?? deadlineGroup(messageId) ?? '');
    const branch = parentId === undefined && branches.get(joins.get(messageId) ?? '');
    if (first) task.parentId = first.parentId;
    else if (branch) task.parentId = branch.messageId;
  }
}

type Compare = (a: TaskState, b: TaskState) => number;

function keepFirst(map: Map<string, TaskState>, key: string, task: TaskState, compare: Compare): void {
  const current = map.get(key);
  if (!current || compare(task, current) < 0) map.set(key, task);
}

function keyOf(group: string, index: number): string {
  return JSON.stringify([group, index]);
}

const givenUp = {
  name: 'GroupError',
  message: 'The deadline of its group is over, and no worker has received it.',
  code: 'GROUP_DEADLINE',
};

/**
 * Ends tasks of branches that are `waiting`, though their branch has joined: Python workers have no events, and a deadline
 * closes a group without its last branches.
 */
export function endJoined(tasks: readonly TaskState[], groups: Groups): void {
  const deadlines = new Map<string, JoinFacts>();
  for (const { id, joined } of groups.values()) {
    for (const join of joined.values()) if (isLate(join, id)) deadlines.set(id, join);
  }
  for (const task of tasks) {
    const ticket = task.status === 'waiting' ? ticketIn(task.callback) : undefined;
    if (!ticket) continue;
    const { group, index } = ticket;
    const join = groups.get(group)?.joined.get(index) ?? deadlines.get(group);
    if (!join) continue;
    task.status = join.isError ? 'failed' : 'succeeded';
    task.since = join.at;
    if (isLate(join, group)) task.error = givenUp;
  }
}

/** Whether a deadline has filled a slot with an error. */
function isLate({ isError, messageId }: JoinFacts, group: string): boolean {
  return isError && deadlineGroup(messageId) === group;
}
