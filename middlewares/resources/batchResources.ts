import type { LambdaContext } from '../../core/batch/events.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { ContainerResources } from './containerResources.ts';
import { endAll, type Made, type Making, makeResource, quiet, type Resources } from './makeResources.ts';
import { cycleError } from './resourceCycle.ts';

/** The resources of one batch. */
export interface BatchResources {
  /** @param asking the resource whose factory asks for it */
  get(name: string, asking?: Making): Promise<unknown>;
  /** Ends all resources in reverse order, even if one fails to end. */
  dispose(): Promise<void>;
}

/** Makes resources when they are first asked for, once for all that ask. */
export function batchResources(
  resources: Resources,
  aws: LambdaContext,
  container: ContainerResources,
): BatchResources {
  const started = new Map<string, Made>();
  /** In the order of their creation: a resource comes after those that it uses. */
  const made = new Set<Made>();
  let disposed = false;

  const start = (name: string): Made => {
    const inContainer = resources.get(name)?.scope === 'container';
    const resource = inContainer ? container.hold(name, aws) : makeResource(name, { aws, resources, get });
    started.set(name, resource);
    resource.promise.then(
      () => made.add(resource),
      () => started.delete(name),
    );
    return resource;
  };
  const get = (name: string, asking?: Making): Promise<unknown> => {
    const cached = started.get(name);
    if (!cached && disposed) return quiet(Promise.reject(batchEnded(name)));
    const resource = cached ?? start(name);
    const cycle = asking && cycleError(asking, resource);
    if (cycle) return quiet(Promise.reject(cycle));
    asking?.waitsFor.add(resource);
    return resource.promise;
  };

  return {
    get,
    async dispose() {
      disposed = true;
      // A resource that is still being made ends once it is made. Nothing waits for that.
      for (const resource of started.values()) if (!made.has(resource)) void resource.end();
      await endAll([...made]);
    },
  };
}

export function batchEnded(name: string): AlgernonError {
  const message = `contextResources: ${name} was requested after the batch had ended. Await it within the task.`;
  return new AlgernonError('BATCH_ENDED', message, { retryable: true });
}
