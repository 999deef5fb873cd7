import type { LambdaContext } from '../../core/batch/events.ts';

/** What a factory gets. */
export interface FactoryParts<V = Record<string, unknown>> {
  /** The context as Lambda gave it. */
  aws: LambdaContext;
  /** Aborted when the resource ends: with the batch, or with the time that a resource of the container has. */
  signal: AbortSignal;
  /** The other resources, each a promise, made when it is asked for. */
  resources: { readonly [K in keyof V]: Promise<V[K]> };
}

/** How a resource is made, and how it ends. */
export type Resource<T, V = Record<string, unknown>> =
  | ((parts: FactoryParts<V>) => T | PromiseLike<T>)
  | {
      create(parts: FactoryParts<V>): T | PromiseLike<T>;
      /** Ends the resource. Default: its own `Symbol.asyncDispose` or `Symbol.dispose`, where it has one. */
      dispose?(value: T): unknown;
      /** How long it lives. Default `batch`. */
      scope?: 'batch' | 'container';
      /** In the scope `container`: after how many milliseconds it is made anew. Default: never. */
      maxAge?: number;
      /** In the scope `container`: whether it is still good, asked once a batch. Throwing means no. */
      validate?(value: T): boolean | PromiseLike<boolean>;
    };

/** A resource, written out. */
export type ObjectResource = Exclude<Resource<unknown>, (...args: never) => unknown>;

/** All resources, by name. */
export type Resources = ReadonlyMap<string, ObjectResource>;

/** A resource that is there or being made. */
export interface Made {
  readonly name: string;
  readonly promise: Promise<unknown>;
  /** Those that its making waits for. Nothing, once it is made. */
  readonly waitsFor: Set<Made>;
  /** Ends it: now, or as soon as it is made. */
  end(): Promise<void>;
}

/** A resource that is being made, to whose end more can be added. */
export interface Making extends Made {
  /** What is to end after it. */
  readonly madeOf: Made[];
}

export interface MakeOptions {
  aws: LambdaContext;
  resources: Resources;
  /** Where the factory gets other resources. */
  get(name: string, asking: Making): Promise<unknown>;
}

/** Starts to make a resource: not at once, so that it is known as being made by the time its factory asks for others. */
export function makeResource(name: string, { aws, resources, get }: MakeOptions): Making {
  const resource = resources.get(name) as ObjectResource;
  const stop = new AbortController();
  const madeOf: Made[] = [];
  let ended = false;
  let finish: (() => Promise<void>) | undefined;

  const create = async () => {
    await undefined;
    try {
      const others = viewOf(resources, (asked) => get(asked, making));
      const value = await resource.create({ aws, signal: stop.signal, resources: others });
      finish = () => endResource(name, resource, value);
      // Asked for in time, and made too late: nobody else will end it.
      if (ended) await finish();
      return value;
    } finally {
      making.waitsFor.clear();
      if (!finish) await endAll(madeOf);
    }
  };

  const making: Making & { promise: Promise<unknown> } = {
    name,
    promise: Promise.resolve(),
    waitsFor: new Set(),
    madeOf,
    async end() {
      if (ended) return;
      ended = true;
      // What is made may need its signal to end in good order; what is not, has to hear of it.
      await finish?.();
      stop.abort();
      await endAll(madeOf);
    },
  };
  making.promise = quiet(create());
  return making;
}

/** Ends resources, the last first. */
export async function endAll(made: readonly Made[]): Promise<void> {
  for (const one of made.toReversed()) await one.end();
}

/** Whoever awaits it has its error; that nobody does must not end the process. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Not enumerable: whoever copies it must not make every resource. */
function viewOf(resources: Resources, get: (name: string) => Promise<unknown>) {
  const getters = [...resources.keys()].map((name) => [name, { get: () => get(name) }] as const);
  return Object.create(null, Object.fromEntries(getters)) as Record<string, Promise<unknown>>;
}

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
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return Symbol.asyncDispose in value || Symbol.dispose in value;
}
