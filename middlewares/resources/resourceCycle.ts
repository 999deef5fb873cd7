import { AlgernonError } from '../../core/errors.ts';
import type { Made } from './makeResources.ts';

/** Resources are made of one another in a cycle. `cycle` has their names, the first again at the end. */
export class ResourceCycleError extends AlgernonError {
  override readonly name = 'ResourceCycleError';
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[]) {
    super(
      'RESOURCE_CYCLE',
      `contextResources: ${cycle.join(' → ')} is a cycle. Make one of them without the other.`,
    );
    this.cycle = cycle;
  }
}

/**
 * Refuses that a resource asks for another one that waits, directly or indirectly, for the one that asks.
 *
 * @returns the error, or undefined without a cycle
 */
export function cycleError(asking: Made, asked: Made): ResourceCycleError | undefined {
  const rest = pathTo(asking, asked, new Set());
  // One of the container is in the path twice: as the batch holds it, and as it is being made.
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
