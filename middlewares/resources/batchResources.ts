import type { LambdaContext } from '../../core/batch/events.ts';
import { BatchEndedError, ResourceCircleError } from '../../core/errors.ts';
import { circleOf } from './circleOf.ts';
import type { ContainerResources } from './containerResources.ts';
import { endAll, type Made, type Making, makeResource, quiet, type Resources } from './makeResources.ts';

/** The resources of one batch. */
export interface BatchResources {
  /** @param asking the resource that is being made of it */
  get(name: string, asking?: Making): Promise<unknown>;
  /** Ends them, the last made first, each even if the end of another fails. */
  dispose(): Promise<void>;
}

/** Makes resources when they are first asked for, once however many ask at the same moment. */
export function batchResources(
  resources: Resources,
  aws: LambdaContext,
  container: ContainerResources,
): BatchResources {
  const all = new Map<string, Made>();
  /** In the order in which they were made: what is made of another comes after it. */
  const made: Made[] = [];
  let disposed = false;

  const start = (name: string): Made => {
    const inContainer = resources.get(name)?.scope === 'container';
    const one = inContainer ? container.hold(name, aws) : makeResource(name, { aws, resources, get });
    all.set(name, one);
    one.promise.then(
      () => made.push(one),
      () => all.delete(name),
    );
    return one;
  };
  const get = (name: string, asking?: Making): Promise<unknown> => {
    const known = all.get(name);
    if (!known && disposed) return quiet(Promise.reject(new BatchEndedError(name)));
    const one = known ?? start(name);
    const circle = asking && circleOf(asking, one);
    if (circle) return quiet(Promise.reject(new ResourceCircleError(circle)));
    asking?.waitsFor.add(one);
    return one.promise;
  };

  return {
    get,
    async dispose() {
      disposed = true;
      // Nobody waits for what is still being made: it ends once it is.
      for (const one of all.values()) if (!made.includes(one)) void one.end();
      await endAll(made);
    },
  };
}
