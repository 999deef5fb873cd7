import { describe, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import { OptionError } from '../../../core/errors.ts';
import { contextResources, queued, type Resource, sqsSnsUnwrap } from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

type Context = Record<string, unknown>;

/** Invokes a handler with these resources. */
function invoke(
  resources: Record<string, Resource<unknown>>,
  work: (context: Context) => unknown,
  event: unknown = { task_name: 'work' },
): Promise<unknown> {
  const handler = middy((_: unknown, context: unknown) => work(context as Context) as Promise<unknown>);
  return handler.use(contextResources(resources))(event as never, lambdaContext()) as Promise<unknown>;
}

describe('contextResources', () => {
  test.each([...Object.keys(lambdaContext()), 'aws', 'identity', 'clientContext', 'tenantId', 'then'])(
    'refuses the name %s',
    (name) => {
      expect(() => contextResources({ [name]: () => 1 })).toThrow(OptionError);
    },
  );

  test.each([[null], [5], [() => 1], ['db'], [undefined]])('refuses %p instead of resources', (resources) => {
    expect(() => contextResources(resources as never)).toThrow('the resources must be an object');
  });

  test.each([
    [{ create: 1 }, 'contextResources: db: create must be a function, not 1.'],
    [{}, 'contextResources: db: create must be a function'],
    [
      { create: () => 1, scope: 'container', maxAgeSeconds: '5' },
      'contextResources: db: maxAgeSeconds must be',
    ],
    [
      { create: () => 1, validate: () => true },
      'contextResources: db: maxAgeSeconds and validate need the scope "container"',
    ],
  ])('names the resource and its bad option: %p', (db, message) => {
    expect(() => contextResources({ db } as never)).toThrow(message);
  });

  test('works with any event, and with a batch whose records the handler runs itself', async () => {
    const resources = { db: () => 'db' };
    expect(await invoke(resources, ({ db }) => db, { any: 'event' })).toBe('db');
    expect(await invoke(resources, ({ db }) => db, { Records: [sqsRecord({ task_name: 'a' })] })).toBe('db');
  });

  test('has no value for a resource on a context that outlives another one', async () => {
    const prototype = await invoke({ db: () => 'db' }, (context) => Object.getPrototypeOf(context));
    expect((prototype as Context)['db']).toBeUndefined();
  });
});

describe('the resources that a factory gets', () => {
  test('are asked for by name, and by no other key', async () => {
    let made = 0;
    const seen = await invoke(
      {
        db: () => ++made,
        repo: async ({ resources }) => {
          const view = resources as Record<PropertyKey, unknown>;
          const before = [{ ...view }, Object.keys(view), 'db' in view, made];
          const others = ['nope' in view, Symbol.iterator in view, view['nope'], view[Symbol.iterator]];
          const { get, ...descriptor } = Object.getOwnPropertyDescriptor(view, 'db') ?? {};
          const none = Object.getOwnPropertyDescriptor(view, 'nope');
          return [before, others, none, descriptor, await get?.(), Reflect.ownKeys(view)];
        },
      },
      ({ repo }) => repo,
    );
    expect(seen).toEqual([
      [{}, [], true, 0],
      [false, false, undefined, undefined],
      undefined,
      { set: undefined, enumerable: false, configurable: true },
      1,
      ['db', 'repo'],
    ]);
  });
});

describe('the end of a resource', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a text', 'db'],
    ['an object', {}],
    ['a function', () => 1],
    ['an object whose Symbol.dispose is undefined', { [Symbol.dispose]: undefined }],
  ])('needs nothing for %s', async (_, value) => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    try {
      await invoke({ db: () => value }, async ({ db }) => void (await db));
      expect(logged.mock.calls).toEqual([]);
    } finally {
      logged.mockRestore();
    }
  });

  test('calls Symbol.dispose of a function, with the function as this', async () => {
    const ended: unknown[] = [];
    const db = Object.assign(() => 1, {
      [Symbol.dispose](this: unknown) {
        ended.push(this);
      },
    });
    await invoke({ db: () => db }, async (context) => void (await context['db']));
    expect(ended).toEqual([db]);
  });

  test('happens once, although two tasks and another resource use it', async () => {
    const ended: string[] = [];
    const resources = contextResources({
      db: { create: () => 'db', dispose: () => ended.push('db') },
      repo: { create: ({ resources }) => resources.db, dispose: () => ended.push('repo') },
    });
    const worker = async (_: unknown, context: unknown) => {
      await Promise.all([(context as Context)['repo'], (context as Context)['db']]);
    };
    const handler = middy(queued(worker)).use(resources).use(sqsSnsUnwrap());
    await handler(
      { Records: [sqsRecord({ task_name: 'a' }), sqsRecord({ task_name: 'b' })] } as never,
      lambdaContext(),
    );
    expect(ended).toEqual(['repo', 'db']);
  });
});

describe('a cycle', () => {
  const of = (...names: string[]): Resource<unknown> => ({
    create: ({ resources }) => Promise.all(names.map((name) => resources[name])),
  });

  test('is an error with its code and its names', async () => {
    await expect(invoke({ a: of('b'), b: of('c'), c: of('a') }, ({ a }) => a)).rejects.toMatchObject({
      name: 'ResourceCycleError',
      code: 'RESOURCE_CYCLE',
      cycle: ['c', 'a', 'b', 'c'],
    });
  });

  test('is found where several resources wait for the same ones', async () => {
    const resources: Record<string, Resource<unknown>> = { r0: of('r1', 's1'), s0: () => 1 };
    for (let level = 1; level < 60; level += 1) {
      resources[`r${level}`] = of(`r${level + 1}`, `s${level + 1}`);
      resources[`s${level}`] = of(`r${level + 1}`, `s${level + 1}`);
    }
    Object.assign(resources, { r60: () => 1, s60: of('r0') });
    await expect(invoke(resources, ({ r0 }) => r0)).rejects.toMatchObject({ code: 'RESOURCE_CYCLE' });
  });
});
