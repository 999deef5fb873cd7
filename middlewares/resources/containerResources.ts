import type { LambdaContext } from '../../core/batch/events.ts';
import { AlgernonError } from '../../core/errors.ts';
import { batchEnded } from './batchResources.ts';
import { type Made, type MakeOptions, makeResource, type ObjectResource, quiet } from './makeResources.ts';
import { cycleError } from './resourceCycle.ts';

/** The resources that live across the invocations of a process. */
export interface ContainerResources {
  /** Holds a resource until `end` is called on the returned object. */
  hold(name: string, aws: LambdaContext): Made;
}

interface Shared {
  readonly made: Made;
  readonly madeAt: number;
  /** The number of holders. It must not end before they let go. */
  holders: number;
}

/**
 * A resource lives while it is held. A stale one is replaced for later callers, and ends when its last holder lets go.
 * The same holds for one that is not ready at the end of an invocation that asked for it: it may never be, and the next
 * invocation must not wait for it too.
 */
export function containerResources(resources: MakeOptions['resources']): ContainerResources {
  const current = new Map<string, Shared>();

  const start = (name: string, aws: LambdaContext): Shared => {
    const get: MakeOptions['get'] = (askedName, asking) => {
      if (resources.get(askedName)?.scope !== 'container') {
        return quiet(Promise.reject(scopeError(asking.name, askedName)));
      }
      const asked = hold(askedName, aws);
      asking.madeOf.push(asked);
      const cycle = cycleError(asking, asked);
      if (cycle) return quiet(Promise.reject(cycle));
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
    let ready = false;
    let ended = false;
    /** The ends of stale resources, for which callers do not wait. */
    const ending: Promise<void>[] = [];
    const waitsFor = new Set<Made>();

    const end = async () => {
      ended = true;
      const shared = held;
      held = undefined;
      if (shared && !ready) retire(shared);
      if (shared) await letGo(shared);
      await Promise.all(ending);
    };
    const take = async (): Promise<unknown> => {
      const cached = current.get(name);
      const shared = cached ?? start(name, aws);
      held = shared;
      shared.holders += 1;
      waitsFor.add(shared.made);
      const value = await shared.made.promise;
      if (!cached || (await isFresh(cached, value, resources.get(name) as ObjectResource))) return value;
      retire(cached);
      if (ended) throw batchEnded(name);
      held = undefined;
      ending.push(letGo(cached));
      return take();
    };
    const settle = async () => {
      try {
        const value = await take();
        ready = true;
        return value;
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
  const { maxAgeSeconds = Number.POSITIVE_INFINITY, validate } = resource;
  if (Date.now() - shared.madeAt >= maxAgeSeconds * 1000) return false;
  try {
    return validate === undefined || (await validate(value));
  } catch {
    return false;
  }
}

function scopeError(owner: string, part: string): AlgernonError {
  return new AlgernonError(
    'RESOURCE_SCOPE',
    `contextResources: ${owner} has the scope container, but ${part} ends with the batch. Give ${part} the scope ` +
      'container too.',
  );
}
