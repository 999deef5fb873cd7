import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import type { LambdaContext } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { extendContext, openPipeline, originalContext } from '../core/tasks/pipeline.ts';
import { makeResources, type Resource, type ResourceSet } from './makeResources.ts';

export type { Resource } from './makeResources.ts';

declare const values: unique symbol;

/** The middleware, with the types of its resources beside it: Middy would make them required of Lambda itself. */
export interface ContextResources<V> extends MiddlewareObj {
  readonly [values]?: V;
}

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

const reserved = new Set([
  'aws',
  'awsRequestId',
  'callbackWaitsForEmptyEventLoop',
  'clientContext',
  'functionName',
  'functionVersion',
  'getRemainingTimeInMillis',
  'identity',
  'invokedFunctionArn',
  'logGroupName',
  'logStreamName',
  'memoryLimitInMB',
]);

/**
 * Keeps connections, credentials and the like across the tasks of a batch: `context.<name>` is a promise of the
 * resource, made when a task first asks. A factory that fails, fails those who asked, and the next who asks tries
 * again. When the batch ends, resources of scope `batch` are disposed of, the last made first, by `dispose` or by their
 * own `Symbol.asyncDispose` or `Symbol.dispose`; those of scope `container` live on across invocations.
 *
 * `context.aws` is the context as Lambda gave it. What a task stores on `context` is there for the other tasks of the
 * batch, and gone in the next.
 *
 * @param resources factories by name, or `{ create, dispose, scope }`; scope is `batch` by default
 * @throws OptionError when a name is one of the Lambda context's own, or a resource has no factory
 * @example
 * const resources = contextResources({ db: () => connect() });
 * const worker = async (task: Task, context: ContextOf<typeof resources>) => (await context.db).query('…');
 * export const handler = middy(queued(worker)).use(resources).use(sqsSnsUnwrap());
 */
export function contextResources<V extends Record<string, unknown>>(
  resources: {
    readonly [K in keyof V]: Resource<V[K]>;
  },
): ContextResources<V> {
  for (const [name, resource] of Object.entries(resources)) {
    const create = typeof resource === 'function' ? resource : resource?.create;
    assertOption(
      !reserved.has(name),
      'contextResources',
      name,
      "named otherwise: it is the Lambda context's own",
    );
    assertOption(
      typeof create === 'function',
      'contextResources',
      name,
      'a function, or have one named create',
    );
  }
  const container = makeResources(resources, 'container');
  const underWay = new WeakMap<object, ResourceSet>();

  const end = async (request: object) => {
    const batch = underWay.get(request);
    underWay.delete(request);
    await batch?.dispose();
  };

  return {
    before(request) {
      keepResponse(request);
      const aws: LambdaContext = originalContext(request.context);
      const batch = makeResources(resources, 'batch', container);
      underWay.set(request, batch);
      const parts = { aws: { value: aws, configurable: true }, ...getters(resources, batch, aws) };
      request.context = extendContext(request.context, parts);
      openPipeline(request)?.contextParts.push((context) => {
        if (!('aws' in context)) Object.defineProperties(context, parts);
      });
    },
    after: end,
    async onError(request) {
      keepResponse(request);
      await end(request);
    },
  };
}

/** Not enumerable: whoever copies the context must not make every resource. */
function getters(resources: object, batch: ResourceSet, aws: LambdaContext): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.keys(resources).map((name) => [name, { get: () => batch.get(name, aws), configurable: true }]),
  );
}
