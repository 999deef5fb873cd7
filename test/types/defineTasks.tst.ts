import { defineTasks, queued, routeTasks, sendTask, typed } from 'algernon-middy';
import { expect, test } from 'tstyche';
import * as v from 'valibot';
import { z } from 'zod';

const tasks = defineTasks({
  load: { kwargs: z.object({ symbol: z.string() }), result: typed<{ prices: number[] }>() },
  analyse: { kwargs: v.object({ prices: v.array(v.number()) }), result: typed<{ mean: number }>() },
  report: { kwargs: typed<{ mean: number }>(), result: typed<void>() },
  clean: { kwargs: typed<object>() },
});

test('functions get the output of the schemas', () => {
  const worker = routeTasks(
    {
      load: async ({ symbol }) => {
        expect(symbol).type.toBe<string>();
        return { prices: [1] };
      },
      analyse: ({ prices }, context: { scale: number }) => ({ mean: prices.length * context.scale }),
    },
    { tasks },
  );
  expect(queued(worker)).type.toBeCallableWith({ Records: [] }, {} as never);
  expect(routeTasks).type.not.toBeCallableWith({ load: () => ({ prices: 'text' }) }, { tasks });
});

test('a valid task can be sent', () => {
  const task_kwargs = { symbol: 'IBM' };
  expect(sendTask).type.toBeCallableWith({ task_name: 'load', task_kwargs }, { tasks });
  expect(sendTask).type.toBeCallableWith({ task_name: 'load', task_kwargs, callback: 'analyse' }, { tasks });
  expect(sendTask).type.toBeCallableWith(
    { task_name: 'load', task_kwargs, callback: 'load#analyse#report' },
    { tasks },
  );
  expect(sendTask).type.toBeCallableWith(
    { task_name: 'load', task_kwargs, callback: 'analyse#report#clean' },
    { tasks },
  );
});

test('an invalid task does not compile', () => {
  const task_kwargs = { symbol: 'IBM' };
  expect(sendTask).type.not.toBeCallableWith({ task_name: 'unheard', task_kwargs }, { tasks });
  expect(sendTask).type.not.toBeCallableWith({ task_name: 'load', task_kwargs: { symbol: 7 } }, { tasks });
  expect(sendTask).type.not.toBeCallableWith(
    { task_name: 'load', task_kwargs, callback: 'report' },
    { tasks },
  );
  expect(sendTask).type.not.toBeCallableWith(
    { task_name: 'load', task_kwargs, callback: 'analyse#unheard' },
    { tasks },
  );
  expect(sendTask).type.not.toBeCallableWith(
    { task_name: 'load', task_kwargs, callback: 'load#report#analyse' },
    { tasks },
  );
});

test('the compiler says why', () => {
  const task_kwargs = { symbol: 'IBM' };
  // @ts-expect-error the result of load does not fit the arguments of report
  sendTask({ task_name: 'load', task_kwargs, callback: 'report' }, { tasks });
  // @ts-expect-error there is no task unheard
  sendTask({ task_name: 'load', task_kwargs, callback: 'load#analyse#unheard' }, { tasks });
});

test('without definitions any task can be sent', () => {
  expect(sendTask).type.toBeCallableWith({ task_name: 'any', task_kwargs: { n: 1 }, callback: 'a#b' }, {});
});
