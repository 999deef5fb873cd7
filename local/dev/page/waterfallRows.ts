import type { ChainState, GroupState, TaskState } from '../../../core/chains/ChainState.ts';

/** A row of a waterfall. */
export type WaterfallRow =
  | { kind: 'task'; key: string; level: number; task: TaskState }
  | { kind: 'group'; key: string; level: number; group: GroupState; isExpanded: boolean }
  /** A task that should have got a result, and of which no message is known. */
  | { kind: 'missing'; key: string; level: number; taskName: string };

/** A group with more branches is folded at first. */
const maxBranchesShown = 24;

/**
 * The rows of a chain: its tree, in which the branches of a group are below a row of the group.
 *
 * @param toggled the ids of the groups that were folded or unfolded by hand
 */
export function waterfallRows({ tasks, groups }: ChainState, toggled: ReadonlySet<string>): WaterfallRow[] {
  const groupsById = new Map(groups.map((group) => [group.id, group]));
  const levels = new Map<string, number>();
  const rows: WaterfallRow[] = [];
  const shownGroups = new Map<string, boolean>();
  /** The depth of the branch that is folded, while the tasks below it are passed. */
  let foldedDepth: number | undefined;
  for (const task of tasks) {
    if (foldedDepth !== undefined && task.depth > foldedDepth) continue;
    foldedDepth = undefined;
    const parentLevel = task.parentId === undefined ? 0 : (levels.get(task.parentId) ?? 0);
    let level = parentLevel + 1;
    const group = task.group?.index === undefined ? undefined : groupsById.get(task.group.id);
    if (group) {
      let isExpanded = shownGroups.get(group.id);
      if (isExpanded === undefined) {
        isExpanded = group.of <= maxBranchesShown !== toggled.has(group.id);
        shownGroups.set(group.id, isExpanded);
        rows.push({ kind: 'group', key: `group ${group.id}`, level, group, isExpanded });
      }
      level++;
      if (!isExpanded) {
        foldedDepth = task.depth;
        continue;
      }
    }
    levels.set(task.messageId, level);
    rows.push({ kind: 'task', key: task.messageId, level, task });
    for (const taskName of task.missing) {
      rows.push({ kind: 'missing', key: `${task.messageId} ${taskName}`, level: level + 1, taskName });
    }
  }
  return rows;
}
