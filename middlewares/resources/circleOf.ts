import type { Made } from './makeResources.ts';

/**
 * The circle that is closed when a resource that is being made asks for another one: when that one waits, itself or by
 * way of others, for the one that asks.
 *
 * @returns the names around the circle, or undefined
 */
export function circleOf(asking: Made, asked: Made): string[] | undefined {
  const rest = pathTo(asking, asked);
  // One of the container stands there twice: as the batch holds it, and as it is being made.
  return rest && [asking.name, ...rest.filter((name, index) => name !== rest[index - 1])];
}

function pathTo(goal: Made, from: Made): string[] | undefined {
  if (from === goal) return [from.name];
  for (const next of from.waitsFor) {
    const rest = pathTo(goal, next);
    if (rest) return [from.name, ...rest];
  }
  return undefined;
}
