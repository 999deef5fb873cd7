import { expect, test } from '@jest/globals';
import { type as arktype } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { defineTasks, routeTasks, TaskArgumentsError, typed } from '../../../core/index.ts';

const extras = { record: undefined, signal: new AbortController().signal };

test.each([
  ['zod', z.object({ sizes: z.array(z.object({ width: z.number() })) }), /expected number, received string/],
  [
    'valibot',
    v.object({ sizes: v.array(v.object({ width: v.number() })) }),
    /Expected number but received "wide"/,
  ],
  ['arktype', arktype({ sizes: arktype({ width: 'number' }).array() }), /must be a number \(was a string\)/],
])('%s: arguments that the schema refuses fail with its message and path', async (_, kwargs, message) => {
  const route = routeTasks(
    { resize: ({ sizes }) => sizes.length },
    { tasks: defineTasks({ resize: { kwargs } }) },
  );
  const send = (task_kwargs: Record<string, unknown>) =>
    route({ task_name: 'resize', task_kwargs }, {}, extras);
  expect(await send({ sizes: [{ width: 1 }, { width: 2 }] })).toBe(2);
  const failing = send({ sizes: [{ width: 1 }, { width: 'wide' }] });
  await expect(failing).rejects.toThrow(TaskArgumentsError);
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toMatchObject({ path: '$.task_kwargs.sizes[1].width', retryable: false });
});

test("passes on the schema's output", async () => {
  const tasks = defineTasks({ resize: { kwargs: z.object({ width: z.number().default(200) }) } });
  const route = routeTasks({ resize: ({ width }) => width }, { tasks });
  expect(await route({ task_name: 'resize' }, {}, extras)).toBe(200);
});

test('`typed` checks nothing', async () => {
  const tasks = defineTasks({ resize: { kwargs: typed<{ width: number }>() } });
  const route = routeTasks({ resize: (kwargs) => kwargs }, { tasks });
  expect(await route({ task_name: 'resize', task_kwargs: { width: 'wide' } }, {}, extras)).toEqual({
    width: 'wide',
  });
});

test('refuses undefined tasks, bad schemas and unknown options at once', () => {
  const tasks = defineTasks({ resize: {} });
  expect(() => routeTasks({ resize: () => {}, crop: () => {} } as never, { tasks })).toThrow(
    'routeTasks: the task crop is not defined. Defined are: resize.',
  );
  expect(() => defineTasks({ resize: { kwargs: {} as never } })).toThrow(
    'defineTasks: resize.kwargs must be a Standard Schema',
  );
  expect(() => defineTasks({ resize: { kwarg: typed() } as never })).toThrow('no option "resize.kwarg"');
  expect(() => routeTasks({ resize: () => {} }, { task: tasks } as never)).toThrow('no option "task"');
});
