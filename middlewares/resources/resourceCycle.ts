import { AlgernonError } from '../../core/errors.ts';
import type { Made } from './makeResources.ts';

/** Resources depend on each other in a cycle. `cycle` lists their names, and repeats the first at the end. */
export class ResourceCycleError extends AlgernonError {
  override readonly name = 'ResourceCycleError';
  /** The names of the resources that need each other. */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[]) {
    super(
      'RESOURCE_CYCLE',
      `contextResources: ${cycle.join(' → ')} is a cycle. Remove one of these dependencies.`,
    );
    this.cycle = cycle;
  }
}

/**
 * Checks whether `asked` waits, directly or indirectly, for `asking`.
 *
 * @returns the error, or undefined without a cycle
 */
export function cycleError(asking: Made, asked: Made): ResourceCycleError | undefined {
  const rest = pathTo(asking, asked, new Set());
  // A container resource is in the path twice: as held by the batch, and as being made.
  return (
    rest && new ResourceCycleError([asking.name, ...rest.filter((name, index) => name !== rest[index - 1])])
  );
}

function pathTo(goal: Made, from: Made, visited: Set<Made>): string[] | undefined {
  if (from === goal) return [from.name];
  if (visited.has(from)) return undefined;
  visited.add(from);
  for (const next of from.waitsFor) {
    const rest = pathTo(goal, next, visited);
    if (rest) return [from.name, ...rest];
  }
  return undefined;
}
