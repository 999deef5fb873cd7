import { afterEach, expect, jest, test } from '@jest/globals';
import { DeadlineError, startDeadline, stoppedBy, untilAborted } from '../../../core/batch/deadline.ts';

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const within = (left: () => number) => ({ getRemainingTimeInMillis: left });

test('reads the clock when timers cannot fire', () => {
  let left = 1000;
  const deadline = startDeadline(
    within(() => left),
    500,
  );
  expect(deadline.isOver()).toBe(false);
  left = 500;
  expect(deadline.isOver()).toBe(true);
  expect([deadline.signal.aborted, deadline.cutoff.aborted]).toEqual([true, false]);
  deadline.clear();
});

test('stops at once if most of the reserve is used', () => {
  const deadline = startDeadline(
    within(() => 150),
    500,
  );
  expect([deadline.signal.aborted, deadline.cutoff.aborted]).toEqual([true, true]);
});

test.each([
  ['no context', undefined, 500],
  ['no clock', {}, 500],
  ['a clock that never ends', within(() => Number.POSITIVE_INFINITY), 500],
  ['a reserve of 0', within(() => 1000), 0],
])('%s: never stops tasks', (_, context, reserve) => {
  const deadline = startDeadline(context as never, reserve);
  expect(deadline.isOver()).toBe(false);
  deadline.clear();
});

test.each([
  ['before the deadline', 1000],
  ['between the deadline and the cut-off', 400],
])('leaves no timer behind when cleared %s', (_, left) => {
  jest.useFakeTimers();
  const deadline = startDeadline(
    within(() => left),
    500,
  );
  expect(jest.getTimerCount()).toBeGreaterThan(0);
  deadline.clear();
  expect(jest.getTimerCount()).toBe(0);
});

test('starts no timer for a task that asks after the end', () => {
  jest.useFakeTimers();
  let left = 1000;
  const deadline = startDeadline(
    within(() => left),
    500,
  );
  deadline.clear();
  left = 400;
  expect(deadline.isOver()).toBe(true);
  expect(deadline.cutoff.aborted).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

test("the caller's signal stops tasks and publishes nothing", () => {
  const stop = new AbortController();
  const deadline = startDeadline(undefined, 500, stop.signal);
  stop.abort();
  expect([deadline.signal.aborted, deadline.cutoff.aborted]).toEqual([true, true]);
  const late = startDeadline(undefined, 500, AbortSignal.abort());
  expect([late.signal.aborted, late.cutoff.aborted]).toEqual([true, true]);
});

test('work stopped by the signal fails with the deadline, other work with its own error', async () => {
  const stop = new AbortController();
  const work = () => Promise.reject(new Error('aborted'));
  await expect(stoppedBy(stop.signal, work())).rejects.toThrow('aborted');
  stop.abort();
  await expect(stoppedBy(stop.signal, work())).rejects.toThrow(DeadlineError);
  await expect(stoppedBy(stop.signal, Promise.resolve(1))).resolves.toBe(1);
});

test('work that has settled when the signal is aborted keeps its outcome; other work is cut off', async () => {
  const waitFor = async (stop: AbortController, work: Promise<unknown>) => {
    let taken: unknown;
    await untilAborted(stop.signal, work, {
      take(value) {
        taken = value;
      },
      takeThrown(error) {
        throw error;
      },
    });
    return taken;
  };
  const outcomes = (stop: AbortController) =>
    Promise.allSettled([
      waitFor(stop, Promise.resolve('done')),
      waitFor(stop, Promise.reject(new Error('failed'))),
      waitFor(stop, new Promise(() => {})),
    ]);
  const expected = [{ value: 'done' }, { reason: { message: 'failed' } }, { reason: { code: 'DEADLINE' } }];
  const before = new AbortController();
  before.abort();
  expect(await outcomes(before)).toMatchObject(expected);
  const during = new AbortController();
  const settled = outcomes(during);
  during.abort();
  expect(await settled).toMatchObject(expected);
});
