import middy from '@middy/core';
import {
  type ContextOf,
  contextResources,
  defineTasks,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  typed,
} from 'algernon-middy';
import { type TestWorker, testWorker } from 'algernon-middy/testing';
import { expect, test } from 'tstyche';

const tasks = defineTasks({
  load: { kwargs: typed<{ symbol: string }>(), result: typed<{ prices: number[] }>() },
  analyse: { kwargs: typed<{ prices: number[] }>(), result: typed<{ mean: number }>() },
});
const resources = contextResources({ db: async () => ({ query: (text: string) => text }) });
type Context = ContextOf<typeof resources>;
const handler = middy(queued(routeTasks({ load: (_, __: Context) => ({ prices: [1] }) }, { tasks })))
  .use(sqsSnsUnwrap())
  .use(resources);

test('a worker infers its tasks from their definitions', async () => {
  const worker = await testWorker(handler, { tasks });
  expect(worker.results('load')).type.toBe<{ prices: number[] }[]>();
  expect(worker.results()).type.toBe<unknown[]>();
  expect(worker.results).type.not.toBeCallableWith('lode');
  const load = { task_name: 'load', task_kwargs: { symbol: 'IBM' } } as const;
  expect(worker.run(load)).type.toBe<Promise<{ prices: number[] }>>();
  expect(worker.run).type.not.toBeCallableWith({ task_name: 'load', task_kwargs: { symbol: 1 } });
  expect(worker.send).type.toBeCallableWith({ ...load, callback: 'load#analyse' });
  expect(worker.send).type.not.toBeCallableWith({ ...load, callback: 'load#analyse#load' });
  expect(worker.queues.load.url).type.toBe<string>();
});

test('or is told them', async () => {
  const worker = await testWorker<typeof tasks, Context>(handler);
  expect(worker).type.toBe<TestWorker<typeof tasks, Context>>();
  const load = { task_name: 'load', task_kwargs: { symbol: 'IBM' } } as const;
  expect(worker.run).type.toBeCallableWith(load, { context: { db: { query: () => 'none' } } });
  expect(worker.run).type.not.toBeCallableWith(load, { context: { db: { query: () => 1 } } });
  expect(worker.run).type.not.toBeCallableWith(load, { context: { bd: 1 } });
});

test('a worker of named tasks takes any task', async () => {
  const worker = await testWorker(handler, { tasks: ['load'], context: { db: 1 } });
  expect(worker).type.toBeAssignableTo<TestWorker>();
  expect(worker.send).type.toBeCallableWith({ task_name: 'load' });
  expect(worker.run({ task_name: 'load', task_kwargs: { a: 1 } })).type.toBe<Promise<unknown>>();
  expect(worker.results('load')).type.toBe<unknown[]>();
});
