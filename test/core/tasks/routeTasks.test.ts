import { expect, test } from '@jest/globals';
import { type RoutedExtras, routeTasks, UnknownTaskError } from '../../../core/index.ts';

const extras = { record: undefined, signal: new AbortController().signal };

test('calls the function named like the task with its arguments', async () => {
  const route = routeTasks({
    resize: ({ width }: { width: number }, context: { unit: string }, { task }: RoutedExtras) =>
      `${task.task_name} ${width}${context.unit}`,
    echo: (kwargs: object) => kwargs,
  });
  expect(await route({ task_name: 'resize', task_kwargs: { width: 2 } }, { unit: 'px' }, extras)).toBe(
    'resize 2px',
  );
  for (const task_kwargs of [undefined, null]) {
    expect(await route({ task_name: 'echo', task_kwargs }, { unit: '' }, extras)).toEqual({});
  }
});

test('an unknown name is an error that lists the registered names', async () => {
  const route = routeTasks({ resize: () => {}, describe: () => {} });
  for (const task_name of ['x', 'constructor', '__proto__', 'toString', '']) {
    const failed = expect(route({ task_name }, {}, extras)).rejects;
    await failed.toThrow(UnknownTaskError);
    await failed.toThrow(
      `task: ${task_name} is not registered with the system; registered are: resize, describe`,
    );
  }
});

test('refuses anything but functions at once', () => {
  expect(() => routeTasks({ resize: 'no function' as never })).toThrow(
    'routeTasks: resize must be a function',
  );
});
