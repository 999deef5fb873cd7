import type { Task } from '../../../core/tasks/task.ts';
import type { WorkerOptions } from '../../../local/index.ts';

/** The tasks of the soak of groups. `python` plays a worker of another library, and `gather` needs no function. */
export const groupTasks = [
  'split',
  'branch',
  'second',
  'nest',
  'python',
  'gather',
  'inner',
  'joined',
] as const;
export type GroupTaskName = (typeof groupTasks)[number];

export const groupWorkerOptions: Omit<WorkerOptions<GroupTaskName>, 'aws' | 'handler'> = {
  tasks: groupTasks,
  // A killed worker leaves up to 20 messages of each queue. On a busy machine, a shorter time-out would repeat all work.
  pollers: 2,
  visibilityTimeoutSeconds: 20,
  maxReceiveCount: 12,
  // For keepWorkers.
  onInvocation: ({ messageIds }) => process.send?.(messageIds.length),
  onError: () => {},
};

/** The kinds of a branch, by its index. */
export type Kind = 'plain' | 'chain' | 'python' | 'nested' | 'failing' | 'large';

/** A group collects failures if its number is odd; the others wait. */
export function collects(n: number): boolean {
  return n % 2 === 1;
}

export function kindOf(n: number, index: number): Kind {
  const turn = (n * 7 + index) % 23;
  if (turn === 3 && collects(n)) return 'failing';
  return turn === 5
    ? 'nested'
    : turn === 7
      ? 'large'
      : turn % 4 === 1
        ? 'chain'
        : turn % 4 === 2
          ? 'python'
          : 'plain';
}

/** The number of branches in a group that is in a branch. */
export const nestedCount = 3;

/** The branches of a group. */
export function branchesOf(n: number, count: number): Task<object>[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = kindOf(n, index);
    const task_name = kind === 'python' ? 'python' : kind === 'nested' ? 'nest' : 'branch';
    return { task_name, task_kwargs: { n, index, kind }, ...(kind === 'chain' && { callback: 'second' }) };
  });
}

/** Where a run of `joined` writes down what it got. */
export const joinedPrefix = 'ledger/joined/';
