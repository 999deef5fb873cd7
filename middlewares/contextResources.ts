import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import type { LambdaContext } from '../core/batch/events.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';
import { type BatchResources, batchResources } from './resources/batchResources.ts';
import { containerResources } from './resources/containerResources.ts';
import { inTime } from './resources/inTime.ts';
import type { ObjectResource, Resource } from './resources/makeResources.ts';

export type { FactoryParts, Resource } from './resources/makeResources.ts';

declare const values: unique symbol;

/** The middleware, with the types of its resources beside it: Middy would make them required of Lambda itself. */
export interface ContextResources<V> extends MiddlewareObj {
  readonly [values]?: V;
}

/** The values of resources, by name. */
export type ResourceValues<R> = {
  [K in keyof R]: R[K] extends (...args: never) => infer T
    ? Awaited<T>
    : R[K] extends { create(...args: never): infer T }
      ? Awaited<T>
      : never;
};

/**
 * The context that a handler gets in a stack with these resources.
 *
 * @example
 * const worker = async (task: Task, context: ContextOf<typeof resources>) => (await context.db).query('…');
 */
export type ContextOf<M> =
  M extends ContextResources<infer V>
    ? LambdaContext & { readonly aws: LambdaContext } & { readonly [K in keyof V]: Promise<V[K]> }
    : LambdaContext;

const owner = 'contextResources';

const reserved = new Set([
  'aws',
  'awsRequestId',
  'callbackWaitsForEmptyEventLoop',
  'clientContext',
  'done',
  'fail',
  'functionName',
  'functionVersion',
  'getRemainingTimeInMillis',
  'identity',
  'invokedFunctionArn',
  'logGroupName',
  'logStreamName',
  'memoryLimitInMB',
  'succeed',
  'tenantId',
  // It would make a promise of the context, to whoever awaits it.
  'then',
]);

/**
 * Keeps connections, credentials and the like across the tasks of a batch: `context.<name>` is a promise of the
 * resource, made when a task first asks. A factory that fails, fails those who asked, and the next who asks tries
 * again. When the batch is over, however it ended, resources of the scope `batch` are disposed of, the last made first,
 * by `dispose` or by their own `Symbol.asyncDispose` or `Symbol.dispose`. Those of the scope `container` live on
 * across invocations, for as long as `maxAge` (milliseconds) and `validate` say.
 *
 * `context.aws` is the context as Lambda gave it. What a task stores on `context` is there for the other tasks of the
 * batch, and gone in the next.
 *
 * @param resources factories by name, or `{ create, dispose, scope, maxAge, validate }`; a factory gets
 *   `{ aws, signal, resources }`
 * @throws OptionError when a name is one of the Lambda context's own, or a resource is not what it must be
 * @example
 * const resources = contextResources({ db: () => connect() });
 * const worker = async (task: Task, context: ContextOf<typeof resources>) => (await context.db).query('…');
 * export const handler = middy(queued(worker)).use(resources).use(sqsSnsUnwrap());
 */
export function contextResources<V extends Record<string, unknown>, R>(
  resources: R & { readonly [K in keyof V]: Resource<V[K], V> },
): ContextResources<ResourceValues<R>> {
  const all = new Map(Object.entries(resources as object).map(([name, one]) => [name, checked(name, one)]));
  const container = containerResources(all);

  return stageMiddleware({
    name: owner,
    passive: true,
    anyEvent: true,
    twice: 'put all resources into one',
    open({ context, addToContext, onEnd }) {
      const batch = batchResources(all, context, container);
      onEnd(() => inTime(context, batch.dispose()));
      addToContext(partsOf(all.keys(), batch, context));
      return undefined;
    },
  });
}

function checked(name: string, given: unknown): ObjectResource {
  const resource = (typeof given === 'function' ? { create: given } : given) as ObjectResource;
  const { create, dispose, scope = 'batch', maxAge, validate } = resource ?? {};
  const lives = scope === 'container';
  assertOption(!reserved.has(name), owner, name, "named otherwise: it is the Lambda context's own");
  assertOption(typeof create === 'function', owner, name, 'a function, or have one named create');
  assertOption(isOptional(dispose, 'function'), owner, `${name}.dispose`, 'a function');
  assertOption(lives || scope === 'batch', owner, `${name}.scope`, 'batch or container');
  assertOption(
    maxAge === undefined || maxAge > 0,
    owner,
    `${name}.maxAge`,
    'a number of milliseconds above 0',
  );
  assertOption(isOptional(validate, 'function'), owner, `${name}.validate`, 'a function');
  assertOption(
    lives || (maxAge ?? validate) === undefined,
    owner,
    `${name}.scope`,
    'container, for maxAge and validate',
  );
  return resource;
}

const isOptional = (value: unknown, kind: string) => value === undefined || typeof value === kind;

/** Not enumerable: whoever copies the context must not make every resource. */
function partsOf(names: Iterable<string>, batch: BatchResources, aws: LambdaContext): PropertyDescriptorMap {
  const getters = [...names].map(
    (name) => [name, { get: () => batch.get(name), configurable: true }] as const,
  );
  return { aws: { value: aws, configurable: true }, ...Object.fromEntries(getters) };
}
