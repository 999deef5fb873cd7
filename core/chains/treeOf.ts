import type { GroupRecord } from './ChainFacts.ts';
import type { TaskState } from './ChainState.ts';
import { placeTasks } from './tasksOfGroups.ts';

/**
 * Puts tasks in the order of a tree: each is followed by those that it has sent. Sets `parentId` and `depth`.
 *
 * A list rather than nested objects, since a hostile chain may be deeper than the call stack. A parent that is unknown, or
 * that would close a cycle, is left out.
 */
export function treeOf(tasks: readonly TaskState[], groups: ReadonlyMap<string, GroupRecord>): TaskState[] {
  const byId = new Map(tasks.map((task) => [task.messageId, task]));
  placeTasks(tasks, groups, compareTasks);
  for (const task of tasks) {
    if (task.parentId !== undefined && !byId.has(task.parentId)) task.parentId = undefined;
  }
  cutCycles(tasks, byId);
  const children = Map.groupBy(tasks, ({ parentId }) => parentId);
  for (const siblings of children.values()) siblings.sort(compareTasks);

  const ordered: TaskState[] = [];
  const waiting = (children.get(undefined) ?? []).toReversed();
  for (let task = waiting.pop(); task; task = waiting.pop()) {
    ordered.push(task);
    for (const child of (children.get(task.messageId) ?? []).toReversed()) {
      child.depth = task.depth + 1;
      waiting.push(child);
    }
  }
  return ordered;
}

/** Makes the first task of each cycle a root. */
function cutCycles(tasks: readonly TaskState[], byId: ReadonlyMap<string, TaskState>): void {
  const finished = new Set<TaskState>();
  for (const start of tasks) {
    const path = new Set<TaskState>();
    let task: TaskState | undefined = start;
    while (task && !finished.has(task) && !path.has(task)) {
      path.add(task);
      task = task.parentId === undefined ? undefined : byId.get(task.parentId);
    }
    if (task && path.has(task)) {
      const all = [...path];
      const cycle = all.slice(all.indexOf(task)).sort(compareTasks);
      (cycle[0] as TaskState).parentId = undefined;
    }
    for (const seen of path) finished.add(seen);
  }
}

/** By time. The branches of a group are sent at the same time. */
function compareTasks(a: TaskState, b: TaskState): number {
  return (
    (a.sentAt ?? a.since) - (b.sentAt ?? b.since) ||
    (a.group?.index ?? 0) - (b.group?.index ?? 0) ||
    (a.messageId < b.messageId ? -1 : 1)
  );
}
