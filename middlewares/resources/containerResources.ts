import type { LambdaContext } from '../../core/batch/events.ts';
import { BatchEndedError, ResourceCircleError, ResourceScopeError } from '../../core/errors.ts';
import { circleOf } from './circleOf.ts';
import { type Made, type MakeOptions, makeResource, type ObjectResource, quiet } from './makeResources.ts';

/** The resources that live across the invocations of a process. */
export interface ContainerResources {
  /** Holds one of them, until the `end` of what is returned. */
  hold(name: string, aws: LambdaContext): Made;
}

interface Shared {
  readonly made: Made;
  readonly madeAt: number;
  /** How many hold it: it must not end under them. */
  holders: number;
}

/**
 * Whoever holds a resource keeps it. One that has gone stale is made anew for those who come after, and ends when the
 * last who holds it lets go.
 */
export function containerResources(resources: MakeOptions['resources']): ContainerResources {
  const current = new Map<string, Shared>();

  const start = (name: string, aws: LambdaContext): Shared => {
    const get: MakeOptions['get'] = (askedName, asking) => {
      if (resources.get(askedName)?.scope !== 'container') {
        return quiet(Promise.reject(new ResourceScopeError(asking.name, askedName)));
      }
      const asked = hold(askedName, aws);
      asking.madeOf.push(asked);
      const circle = circleOf(asking, asked);
      if (circle) return quiet(Promise.reject(new ResourceCircleError(circle)));
      asking.waitsFor.add(asked);
      return asked.promise;
    };
    const made = makeResource(name, { aws, resources, get });
    const shared = { made, madeAt: Date.now(), holders: 0 };
    current.set(name, shared);
    made.promise.catch(() => retire(shared));
    return shared;
  };
  const retire = (shared: Shared) => {
    if (current.get(shared.made.name) === shared) current.delete(shared.made.name);
  };
  const letGo = async (shared: Shared) => {
    shared.holders -= 1;
    if (shared.holders === 0 && current.get(shared.made.name) !== shared) await shared.made.end();
  };

  const hold = (name: string, aws: LambdaContext): Made => {
    let held: Shared | undefined;
    let ended = false;
    const waitsFor = new Set<Made>();

    const end = async () => {
      ended = true;
      const shared = held;
      held = undefined;
      if (shared) await letGo(shared);
    };
    const take = async (): Promise<unknown> => {
      const known = current.get(name);
      const shared = known ?? start(name, aws);
      held = shared;
      shared.holders += 1;
      waitsFor.add(shared.made);
      const value = await shared.made.promise;
      if (!known || (await isFresh(known, value, resources.get(name) as ObjectResource))) return value;
      retire(known);
      if (ended) throw new BatchEndedError(name);
      held = undefined;
      await letGo(known);
      return take();
    };
    const settle = async () => {
      try {
        return await take();
      } catch (error) {
        await end();
        throw error;
      } finally {
        waitsFor.clear();
      }
    };
    return { name, promise: quiet(settle()), waitsFor, end };
  };

  return { hold };
}

async function isFresh(shared: Shared, value: unknown, resource: ObjectResource): Promise<boolean> {
  const { maxAge = Number.POSITIVE_INFINITY, validate } = resource;
  if (Date.now() - shared.madeAt >= maxAge) return false;
  try {
    return validate === undefined || (await validate(value));
  } catch {
    return false;
  }
}
