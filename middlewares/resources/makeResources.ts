import type { LambdaContext } from '../../core/batch/events.ts';

/** The argument of a factory. */
export interface FactoryParts<V = Record<string, unknown>> {
  /** Lambda's own context. */
  aws: LambdaContext;
  /** Aborted when the resource ends. */
  signal: AbortSignal;
  /** The other resources, each as a promise, made on first use. */
  resources: { readonly [K in keyof V]: Promise<V[K]> };
}

/** The factory of a resource, and its options. A function is short for `{ create }`. */
export type Resource<T, V = Record<string, unknown>> =
  | ((parts: FactoryParts<V>) => T | PromiseLike<T>)
  | {
      create(parts: FactoryParts<V>): T | PromiseLike<T>;
      /** Ends the resource. Default: its own `Symbol.asyncDispose` or `Symbol.dispose`, if any. */
      dispose?(value: T): unknown;
      /** How long it lives. Default `batch`. */
      scope?: 'batch' | 'container';
      /** Scope `container`: the age at which it is replaced, in seconds. Default: never. */
      maxAgeSeconds?: number;
      /** Scope `container`: whether it is still usable, asked once a batch. Throwing means no. */
      validate?(value: T): boolean | PromiseLike<boolean>;
    };

/** A resource in its long form. */
export type ObjectResource = Exclude<Resource<unknown>, (...args: never) => unknown>;

/** All resources, by name. */
export type Resources = ReadonlyMap<string, ObjectResource>;

/** A resource that is made or being made. */
export interface Made {
  readonly name: string;
  readonly promise: Promise<unknown>;
  /** The resources that its factory waits for; empty once it is made. */
  readonly waitsFor: Set<Made>;
  /** Ends it now, or as soon as it is made. */
  end(): Promise<void>;
}

/** A resource that is being made. */
export interface Making extends Made {
  /** The resources that it uses, which end after it. */
  readonly madeOf: Made[];
}

export interface MakeOptions {
  aws: LambdaContext;
  resources: Resources;
  /** Gives the factory other resources. */
  get(name: string, asking: Making): Promise<unknown>;
}

/** Starts to make a resource. The factory is called asynchronously, after the resource is registered. */
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
      // It became ready after its end was requested.
      if (ended) await finish();
      return value;
    } finally {
      making.waitsFor.clear();
      // It may have asked for resources after its end.
      if (ended) await endAll(madeOf);
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
      // The signal comes after dispose, which may need it, and aborts a factory that is still running.
      await finish?.();
      stop.abort();
      await endAll(madeOf);
    },
  };
  making.promise = quiet(create());
  return making;
}

/** Ends resources in reverse order. */
export async function endAll(made: readonly Made[]): Promise<void> {
  for (const resource of made.toReversed()) await resource.end();
}

/** Keeps a rejection that nobody awaits from ending the process. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The other resources, in a proxy that takes no time to make. They are not enumerable, so that copying it makes none. */
function viewOf(resources: Resources, get: (name: string) => Promise<unknown>) {
  const isResource = (name: string | symbol): name is string =>
    typeof name === 'string' && resources.has(name);
  return new Proxy<Record<string, Promise<unknown>>>(Object.create(null), {
    get: (_, name) => (isResource(name) ? get(name) : undefined),
    has: (_, name) => isResource(name),
    ownKeys: () => [...resources.keys()],
    getOwnPropertyDescriptor: (_, name) =>
      isResource(name) ? { get: () => get(name), enumerable: false, configurable: true } : undefined,
  });
}

/** A failure here must not fail finished tasks, whose messages would be redelivered. */
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
