import { defineTasks, type FailedBranch, fanOut, routeTasks, sendGroup, typed } from 'algernon-middy';
import { expect, test } from 'tstyche';
import { z } from 'zod';

const tasks = defineTasks({
  split: { kwargs: typed<{ images: string[] }>() },
  thumb: { kwargs: z.object({ image: z.string() }), result: typed<{ size: number }>() },
  label: { kwargs: typed<{ size: number }>(), result: typed<string>() },
  clean: { kwargs: typed<object>(), result: typed<void>() },
  album: { kwargs: typed<{ results: { size: number }[] }>() },
  labels: { kwargs: typed<{ results: string[] }>() },
  mixed: { kwargs: typed<{ results: (string | { size: number } | null)[] }>() },
  outcomes: { kwargs: typed<{ results: ({ value: { size: number } } | FailedBranch)[] }>() },
  partial: { kwargs: typed<{ results: ({ size: number } | FailedBranch)[] }>() },
});

const images = ['a', 'b'];
const thumb = { task_name: 'thumb', task_kwargs: { image: 'a' } } as const;
const thumbs = images.map((image) => ({ task_name: 'thumb' as const, task_kwargs: { image } }));

test('branches and a join that fit', () => {
  expect(fanOut).type.toBeCallableWith(thumbs, { then: 'album', tasks });
  expect(fanOut).type.toBeCallableWith([thumb, thumb], { then: 'album', tasks });
  expect(fanOut).type.toBeCallableWith([{ ...thumb, callback: 'label' }], { then: 'labels', tasks });
  expect(fanOut).type.toBeCallableWith([{ ...thumb, callback: 'thumb#label' }], { then: 'labels', tasks });
  expect(fanOut).type.toBeCallableWith(
    [thumb, { ...thumb, callback: 'label' }, { task_name: 'clean', task_kwargs: {} }],
    { then: 'mixed', tasks },
  );
  expect(sendGroup).type.toBeCallableWith(thumbs, { then: 'album', tasks });
});

test('arguments, chains and joins that do not fit', () => {
  expect(fanOut).type.not.toBeCallableWith([{ task_name: 'thumb', task_kwargs: { image: 7 } }], {
    then: 'album',
    tasks,
  });
  expect(fanOut).type.not.toBeCallableWith([{ task_name: 'unheard', task_kwargs: {} }], {
    then: 'album',
    tasks,
  });
  expect(fanOut).type.not.toBeCallableWith(thumbs, { then: 'unheard', tasks });
  expect(fanOut).type.not.toBeCallableWith(thumbs, { then: 'labels', tasks });
  expect(fanOut).type.not.toBeCallableWith([{ ...thumb, callback: 'labels' }], { then: 'album', tasks });
  expect(fanOut).type.not.toBeCallableWith([{ ...thumb, callback: 'label#unheard' }], {
    then: 'labels',
    tasks,
  });
  expect(sendGroup).type.not.toBeCallableWith(thumbs, { then: 'labels', tasks });
});

test('the results depend on the failures, the deadline and the form', () => {
  expect(fanOut).type.toBeCallableWith(thumbs, { then: 'outcomes', failures: 'collect', tasks });
  expect(fanOut).type.not.toBeCallableWith(thumbs, { then: 'album', failures: 'collect', tasks });
  expect(fanOut).type.toBeCallableWith(thumbs, { then: 'partial', deadlineSeconds: 60, tasks });
  expect(fanOut).type.not.toBeCallableWith(thumbs, { then: 'album', deadlineSeconds: 60, tasks });
  expect(fanOut).type.toBeCallableWith(thumbs, { then: 'labels', results: 'pointers', tasks });
  expect(fanOut).type.not.toBeCallableWith(thumbs, { then: 'album', results: 'pointers', tasks });
});

test('a defined function may return a group', () => {
  routeTasks({ split: () => fanOut(thumbs, { then: 'album', tasks }) }, { tasks });
  routeTasks({ label: () => fanOut(thumbs, { then: 'album' }) }, { tasks });
});

test('without definitions any task is sent', () => {
  expect(fanOut).type.toBeCallableWith([{ task_name: 'any', task_kwargs: { n: 1 }, callback: 'a#b' }], {
    then: 'c',
  });
  expect(sendGroup).type.toBeCallableWith([{ task_name: 'any' }], { then: 'c' });
});
