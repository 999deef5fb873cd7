import type { Chain } from './store.ts';

/** Tasks that send each other messages, as the chains so far show. */
export interface TaskGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface GraphNode {
  taskName: string;
  /** Its column: the tasks that send to it are in columns before it, unless they form a cycle. */
  column: number;
  row: number;
}

export interface GraphEdge {
  from: string;
  to: string;
  /** How many messages. */
  count: number;
}

/** The names of tasks come from messages, so there may be any number. */
const maxTasks = 200;

/** The edges of a chain. A state is replaced when it changes. */
const edgesByState = new WeakMap<object, readonly Edge[]>();

type Edge = readonly [from: string, to: string];

/** The graph of the tasks of a worker, and of those that chains name. */
export function graphOf(taskNames: readonly string[], chains: readonly Chain[]): TaskGraph {
  const names = new Set(taskNames);
  const counts = new Map<string, Map<string, number>>();
  for (const { state } of chains) {
    for (const { taskName } of state.tasks)
      if (taskName !== undefined && names.size < maxTasks) names.add(taskName);
    for (const [from, to] of edgesOf(state)) {
      if (!names.has(from) || !names.has(to)) continue;
      const targets = counts.get(from) ?? new Map<string, number>();
      counts.set(from, targets.set(to, (targets.get(to) ?? 0) + 1));
    }
  }
  const edges = [...counts].flatMap(([from, targets]) =>
    [...targets].map(([to, count]) => ({ from, to, count })),
  );
  return { nodes: placed([...names], edges), edges };
}

/** The edges of a chain, one for each message. A join comes from the branches that it joins. */
function edgesOf(state: Chain['state']): readonly Edge[] {
  let edges = edgesByState.get(state);
  if (!edges) {
    const byId = new Map(state.tasks.map((task) => [task.messageId, task]));
    const branches = Map.groupBy(state.tasks, ({ group }) =>
      group?.index === undefined ? undefined : group.id,
    );
    edges = state.tasks.flatMap(({ taskName, parentId, role, group }) => {
      const parent = parentId === undefined ? undefined : byId.get(parentId);
      const joined = role === 'join' && group ? branches.get(group.id) : undefined;
      const senders = new Set((joined ?? [parent]).map((sender) => sender?.taskName));
      return [...senders].flatMap((from) =>
        from === undefined || taskName === undefined ? [] : [[from, taskName] as const],
      );
    });
    edgesByState.set(state, edges);
  }
  return edges;
}

/** Puts each task in the column after those that send to it. An edge that closes a cycle moves nothing. */
function placed(names: readonly string[], edges: readonly GraphEdge[]): GraphNode[] {
  const forward = withoutCycles(names, edges);
  const columns = new Map(names.map((name) => [name, 0]));
  for (let pass = 0, isMoved = true; isMoved && pass < names.length; pass++) {
    isMoved = false;
    for (const { from, to } of forward) {
      const column = (columns.get(from) ?? 0) + 1;
      if ((columns.get(to) ?? 0) >= column) continue;
      columns.set(to, column);
      isMoved = true;
    }
  }
  const rows = new Map<number, number>();
  return names.map((taskName) => {
    const column = columns.get(taskName) ?? 0;
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    return { taskName, column, row };
  });
}

/** The edges without those that lead back to a task on the way to them. */
function withoutCycles(names: readonly string[], edges: readonly GraphEdge[]): GraphEdge[] {
  const targets = Map.groupBy(edges, ({ from }) => from);
  const kept: GraphEdge[] = [];
  const seen = new Set<string>();
  const path = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    path.add(name);
    for (const edge of targets.get(name) ?? []) {
      if (path.has(edge.to)) continue;
      kept.push(edge);
      visit(edge.to);
    }
    path.delete(name);
  };
  const hasSender = new Set(edges.map(({ to }) => to));
  for (const name of names) if (!hasSender.has(name)) visit(name);
  for (const name of names) visit(name);
  return kept;
}
