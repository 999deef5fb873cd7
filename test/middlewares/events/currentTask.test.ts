import { expect, test } from '@jest/globals';
import { currentTask, openBatchTasks, runAs } from '../../../middlewares/events/currentTask.ts';
import { type EventWriter, writersOf } from '../../../middlewares/events/eventWriter.ts';

const writerTo = () => writersOf('chainEvents', 'to', () => undefined)[0] as EventWriter;
const [a, b, c] = [writerTo(), writerTo(), writerTo()];
const ids = { chainId: 'c', messageId: 'm' };

test('a task that two stages observe sends to the sinks of both, each once', () => {
  const outer = openBatchTasks([a, b]).start(ids);
  const inner = openBatchTasks([b, c]).start(ids);
  const seen = runAs(outer, () => runAs(inner, () => currentTask()?.writers));
  expect(seen).toEqual([a, b, c]);
  expect(seen?.[0]).toBe(a);
});

test('a task within another keeps to its own sinks', () => {
  const outer = openBatchTasks([a]).start(ids);
  const inner = openBatchTasks([b]).start({ ...ids, messageId: 'other' });
  expect(runAs(outer, () => runAs(inner, () => currentTask()?.writers))).toEqual([b]);
  expect(outer.writers).toEqual([a]);
});

test('no task is current outside of one, or after its batch', () => {
  const batch = openBatchTasks([a]);
  const task = batch.start(ids);
  expect(currentTask()).toBeUndefined();
  expect(runAs(task, () => currentTask())).toBe(task);
  batch.end();
  expect(runAs(task, () => currentTask())).toBeUndefined();
});
