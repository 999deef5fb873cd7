import type { LambdaContext } from '../core/tasks/events.ts';

/** What a factory gets. */
export interface FactoryParts {
  /** The context as Lambda gave it. */
  aws: LambdaContext;
}

/** How a resource is made, and how it ends. */
export type Resource<V> =
  | ((parts: FactoryParts) => V | PromiseLike<V>)
  | {
      create(parts: FactoryParts): V | PromiseLike<V>;
      dispose?(value: V): unknown;
      /** How long it lives. Default `batch`. */
      scope?: 'batch' | 'container';
    };

/** The resources of one scope. */
export interface ResourceSet {
  get(name: string, aws: LambdaContext): Promise<unknown>;
  /** Ends what was made, the last first, each even if the end of another fails. */
  dispose(): Promise<void>;
}

interface Made {
  promise: Promise<unknown>;
  /** Ends the resource, once it is made. */
  end?: () => Promise<void>;
}

/**
 * Makes resources when they are first asked for, once however many ask at the same moment.
 *
 * @param outer where the resources of the other scope are
 */
export function makeResources(
  resources: Record<string, Resource<unknown>>,
  scope: 'batch' | 'container',
  outer?: ResourceSet,
): ResourceSet {
  const all = new Map<string, Made>();
  let disposed = false;

  const make = (name: string, resource: ObjectResource, aws: LambdaContext): Promise<unknown> => {
    const made: Made = { promise: Promise.resolve() };
    all.set(name, made);
    made.promise = (async () => {
      try {
        const value = await resource.create({ aws });
        made.end = () => endResource(name, resource, value);
        // Asked for in time, and made too late: nobody else will end it.
        if (disposed) await made.end();
        return value;
      } catch (error) {
        all.delete(name);
        throw error;
      }
    })();
    return made.promise;
  };

  return {
    get(name, aws) {
      const given = resources[name] as Resource<unknown>;
      const resource = typeof given === 'function' ? { create: given } : given;
      if ((resource.scope ?? 'batch') !== scope && outer) return outer.get(name, aws);
      return all.get(name)?.promise ?? make(name, resource, aws);
    },

    async dispose() {
      disposed = true;
      for (const { end } of [...all.values()].reverse()) await end?.();
      all.clear();
    },
  };
}

type ObjectResource = Exclude<Resource<unknown>, (parts: FactoryParts) => unknown>;

/** A failure here must not fail the tasks that are done, whose messages would come back. */
async function endResource(name: string, resource: ObjectResource, value: unknown): Promise<void> {
  try {
    if (resource.dispose) await resource.dispose(value);
    else if (isDisposable(value)) await (value[Symbol.asyncDispose] ?? value[Symbol.dispose])?.call(value);
  } catch (error) {
    console.error(`contextResources: ${name} could not be disposed of.`, error);
  }
}

function isDisposable(value: unknown): value is Partial<AsyncDisposable & Disposable> {
  return (
    typeof value === 'object' && value !== null && (Symbol.asyncDispose in value || Symbol.dispose in value)
  );
}
