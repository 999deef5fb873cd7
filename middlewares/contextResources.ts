import type { MiddlewareObj } from '@middy/core';
import type { LambdaContext } from '../core/batch/events.ts';
import { checkOption, checkOptions, duration, func, oneOf } from '../core/checkOptions.ts';
import { OptionError } from '../core/errors.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';
import { type BatchResources, batchResources } from './resources/batchResources.ts';
import { containerResources } from './resources/containerResources.ts';
import { inTime } from './resources/inTime.ts';
import type { ObjectResource, Resource } from './resources/makeResources.ts';

export type { FactoryParts, Resource } from './resources/makeResources.ts';

declare const values: unique symbol;

/** The middleware, and the types of its resources. In Middy's own types, Lambda's context would have to have them. */
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
  // It would make the context a thenable.
  'then',
]);

/**
 * Shares connections, credentials and other resources among the tasks of a batch. `context.<name>` is a promise of the
 * resource, which is made on first use. If the factory fails, its callers fail, and the next caller tries again.
 * Resources of the scope `batch` are disposed of in reverse order when the batch ends, whatever its outcome, by `dispose`
 * or their own `Symbol.asyncDispose` or `Symbol.dispose`. Resources of the scope `container` are kept across invocations,
 * within the limits of `maxAgeSeconds` and `validate`. One that is not ready when its invocation ends is replaced.
 *
 * `context.aws` is Lambda's own context. Properties that a task sets on `context` are visible to the other tasks of the
 * batch, but not to the next batch.
 *
 * @param resources factories by name, or `{ create, dispose, scope, maxAgeSeconds, validate }`; a factory gets
 *   `{ aws, signal, resources }`
 * @throws OptionError when a name is a property of the Lambda context, or a resource has an unknown or bad option
 * @example
 * const resources = contextResources({ db: () => connect() });
 * const worker = async (task: Task, context: ContextOf<typeof resources>) => (await context.db).query('…');
 * export const handler = middy(queued(worker)).use(resources).use(sqsSnsUnwrap());
 */
export function contextResources<V extends Record<string, unknown>, R>(
  resources: R & { readonly [K in keyof V]: Resource<V[K], V> },
): ContextResources<ResourceValues<R>> {
  const all = checkResources(resources);
  const container = containerResources(all);
  const batchKey = Symbol(owner);
  const getters = gettersOf(all.keys(), batchKey);

  return stageMiddleware({
    name: owner,
    passive: true,
    anyEvent: true,
    twice: 'put all resources into one',
    open({ context, addToContext, onEnd }) {
      const batch = batchResources(all, context, container);
      onEnd(() => inTime(context, batch.dispose()));
      addToContext({ aws: { value: context, configurable: true }, [batchKey]: { value: batch } }, getters);
      return undefined;
    },
  });
}

function checkResources(resources: unknown): Map<string, ObjectResource> {
  if (typeof resources !== 'object' || resources === null) {
    throw new OptionError(`${owner}: the resources must be an object.`);
  }
  return new Map(Object.entries(resources).map(([name, given]) => [name, checkResource(name, given)]));
}

function checkResource(name: string, given: unknown): ObjectResource {
  if (reserved.has(name)) {
    throw new OptionError(`${owner}: ${name} is a property of the Lambda context. Choose another name.`);
  }
  const resource = (typeof given === 'function' ? { create: given } : given) as ObjectResource;
  const { create, scope, maxAgeSeconds, validate } = checkOptions(`${owner}: ${name}`, resource, {
    create: func,
    dispose: func,
    scope: oneOf('batch', 'container'),
    maxAgeSeconds: duration('seconds'),
    validate: func,
  });
  checkOption(`${owner}: ${name}`, 'create', create, func);
  if (scope !== 'container' && (maxAgeSeconds ?? validate) !== undefined) {
    throw new OptionError(`${owner}: ${name}: maxAgeSeconds and validate need the scope "container".`);
  }
  return resource;
}

/**
 * The getters of the resources, made once for all invocations. They are not enumerable, so that copying the context does
 * not make every resource.
 */
function gettersOf(names: Iterable<string>, batchKey: symbol): object {
  const getterOf = (name: string): PropertyDescriptor & ThisType<Record<symbol, BatchResources>> => ({
    get() {
      return this[batchKey]?.get(name);
    },
    configurable: true,
  });
  return Object.create(
    Object.prototype,
    Object.fromEntries([...names].map((name) => [name, getterOf(name)])),
  );
}
