const key: unique symbol = Symbol.for('algernon-middy.routedTasks');
type Holder = { [key]?: Set<string> };

/**
 * Notes the names of a table of `routeTasks`, for tools that start a worker: Middy hides the handler, and so its tasks. The
 * set is shared by copies of this package.
 */
export function noteRoutedTasks(names: Iterable<string>): void {
  const holder = globalThis as Holder;
  holder[key] ??= new Set();
  for (const name of names) holder[key].add(name);
}

/** The names in all tables of this process, in the order in which they were noted. */
export function routedTasks(): string[] {
  return [...((globalThis as Holder)[key] ?? [])];
}
