import type { TaskDefinition, TaskDefinitions } from './defineTasks.ts';

const key: unique symbol = Symbol.for('algernon-middy.routedTasks');

interface Noted {
  readonly routed: Set<string>;
  readonly defined: Map<string, TaskDefinition>;
}

function noted(): Noted {
  const holder = globalThis as { [key]?: Noted };
  holder[key] ??= { routed: new Set(), defined: new Map() };
  return holder[key];
}

/**
 * Notes the names of a table of `routeTasks`, for tools that start a worker: Middy hides the handler, and so its tasks. The
 * names are shared by copies of this package.
 */
export function noteRoutedTasks(names: Iterable<string>): void {
  for (const name of names) noted().routed.add(name);
}

/** The names in all tables of this process, in the order in which they were noted. */
export function routedTasks(): string[] {
  return [...noted().routed];
}

/** Notes the definitions of `defineTasks`, for the same tools. */
export function noteDefinedTasks(tasks: TaskDefinitions): void {
  for (const [name, definition] of Object.entries(tasks)) noted().defined.set(name, definition);
}

/** The names of all defined tasks of this process. */
export function definedTasks(): string[] {
  return [...noted().defined.keys()];
}

/** The JSON Schema of the arguments of a task, if its library offers that: https://standardschema.dev/json-schema */
export function schemaOf(taskName: string): unknown {
  const standard = noted().defined.get(taskName)?.kwargs?.['~standard'] as
    | Partial<WithJsonSchema>
    | undefined;
  try {
    return standard?.jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    // Some types have no JSON Schema.
    return undefined;
  }
}

interface WithJsonSchema {
  readonly jsonSchema: { input(options: { target: string }): unknown };
}
