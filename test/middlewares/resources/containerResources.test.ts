import { expect, test } from '@jest/globals';
import middy from '@middy/core';
import { contextResources, type Resource } from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';

type Context = Record<string, Promise<unknown>>;

/** A handler that does the work of its event. */
function createHandler(resources: Record<string, Resource<unknown>>) {
  const handler = middy(async (event: unknown, context: unknown) => {
    await (event as { work: Work }).work(context as Context);
  }).use(contextResources(resources));
  return (work: Work) => handler({ work } as never, lambdaContext()) as Promise<unknown>;
}
type Work = (context: Context) => unknown;

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('two invocations that find the same stale resource share the new one', async () => {
  let made = 0;
  const both = Promise.withResolvers<void>();
  let asking = 0;
  const invoke = createHandler({
    db: {
      scope: 'container',
      create: () => ++made,
      async validate(db) {
        if (db !== 1) return true;
        asking += 1;
        if (asking === 2) both.resolve();
        await both.promise;
        return false;
      },
    },
  });
  const seen: unknown[] = [];
  const use: Work = async ({ db }) => seen.push(await db);
  await invoke(use);
  await Promise.all([invoke(use), invoke(use)]);
  await invoke(use);
  expect([seen, made]).toEqual([[1, 2, 2, 2], 2]);
});

test('a resource that turns out to be stale after the invocation is not made again for it', async () => {
  let made = 0;
  const late = Promise.withResolvers<boolean>();
  const invoke = createHandler({
    db: { scope: 'container', create: () => ++made, validate: () => late.promise },
  });
  await invoke(({ db }) => db);
  let outcome: unknown;
  await invoke(({ db }) => {
    outcome = db?.catch(({ code }) => code);
  });
  late.resolve(false);
  expect(await outcome).toBe('BATCH_ENDED');
  expect(made).toBe(1);
});

test('a resource does not end while another one that uses it lives', async () => {
  const ended: string[] = [];
  let isFresh = true;
  const invoke = createHandler({
    secret: {
      scope: 'container',
      create: () => 'secret',
      validate: () => isFresh,
      dispose: () => ended.push('secret'),
    },
    db: {
      scope: 'container',
      create: ({ resources }) => resources['secret'],
      dispose: () => ended.push('db'),
    },
  });
  await invoke(({ db }) => db);
  isFresh = false;
  await invoke(({ secret }) => secret);
  await settled();
  expect(ended).toEqual([]);
});

test.each(['batch', 'container'] as const)(
  'a resource may ask for one that was made of it, in scope %s',
  async (scope) => {
    let ask: () => unknown = () => {};
    const invoke = createHandler({
      db: {
        scope,
        create({ resources }) {
          ask = () => resources['repo'];
          return 'db';
        },
      },
      repo: { scope, create: async ({ resources }) => `repo of ${await resources['db']}` },
    });
    await invoke(async ({ repo }) => {
      await repo;
      expect(await ask()).toBe('repo of db');
    });
  },
);
