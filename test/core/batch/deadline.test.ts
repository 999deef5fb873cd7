import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  DeadlineError,
  startDeadline,
  stoppedBy,
  untilAborted,
  whenAborted,
} from '../../../core/batch/deadline.ts';

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

describe('with fake timers', () => {
  /** A clock that goes with the fake timers. */
  const counting = (millis: number) => {
    jest.useFakeTimers();
    const end = Date.now() + millis;
    return within(() => end - Date.now());
  };

  test('tasks end when the reserve begins, and nothing leaves once 40 % of it are left', () => {
    const { signal, cutoff } = startDeadline(counting(1000), 500);
    const aborted = () => [signal.aborted, cutoff.aborted];
    jest.advanceTimersByTime(499);
    expect(aborted()).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    expect(aborted()).toEqual([true, false]);
    jest.advanceTimersByTime(299);
    expect(aborted()).toEqual([true, false]);
    jest.advanceTimersByTime(1);
    expect(aborted()).toEqual([true, true]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('a deadline that is over ends the tasks at once, and at 40 % of the reserve lets nothing leave', () => {
    jest.useFakeTimers();
    const [over, cut] = [500, 200].map((left) => {
      const { signal, cutoff } = startDeadline(
        within(() => left),
        500,
      );
      return [signal.aborted, cutoff.aborted];
    });
    expect([over, cut]).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  test('the clock and the timer of one deadline start one timer for the cut-off', () => {
    const deadline = startDeadline(counting(1000), 500);
    jest.advanceTimersByTime(495);
    // The clock is ahead of the timer.
    jest.setSystemTime(Date.now() + 10);
    expect(deadline.isOver()).toBe(true);
    jest.advanceTimersByTime(10);
    expect(jest.getTimerCount()).toBe(1);
    deadline.clear();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('a closed deadline starts no timer for the cut-off', () => {
    const deadline = startDeadline(counting(1000), 500);
    const before = jest.getTimerCount();
    deadline.close();
    expect([deadline.signal.aborted, deadline.cutoff.aborted]).toEqual([true, true]);
    expect(jest.getTimerCount()).toBe(before);
  });

  test.each([1000, 400])('a cleared deadline has no timer: %d ms before the time-out', (left) => {
    jest.useFakeTimers();
    const deadline = startDeadline(
      within(() => left),
      500,
    );
    deadline.clear();
    expect(jest.getTimerCount()).toBe(0);
  });
});

test("a cleared deadline does not follow the caller's signal", () => {
  const stop = new AbortController();
  const deadline = startDeadline(undefined, 500, stop.signal);
  deadline.clear();
  stop.abort();
  expect(deadline.signal.aborted).toBe(false);
});

test('one listener serves all work under a signal', async () => {
  const { signal } = new AbortController();
  const taker = { take: () => {}, takeThrown: () => {} };
  await Promise.all([1, 2, 3].map((value) => untilAborted(signal, Promise.resolve(value), taker)));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});

test('a thrown value may be taken as the outcome', async () => {
  const taken: unknown[] = [];
  const { signal } = new AbortController();
  const taker = { take: () => {}, takeThrown: (error: unknown) => void taken.push(error) };
  await untilAborted(signal, Promise.reject('thrown'), taker);
  expect(taken).toEqual(['thrown']);
});

test.each([true, false])(
  'nothing is taken from work that was cut off: aborted before: %s',
  async (before) => {
    const taken: unknown[] = [];
    const take = (value: unknown) => void taken.push(value);
    const stop = new AbortController();
    if (before) stop.abort();
    const works = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    const settled = Promise.allSettled(
      works.map(({ promise }) => untilAborted(stop.signal, promise, { take, takeThrown: take })),
    );
    stop.abort();
    const reason = { name: 'DeadlineError', code: 'DEADLINE', retryable: true };
    expect(await settled).toMatchObject([{ reason }, { reason }]);
    works[0].resolve('late');
    works[1].reject('late');
    await new Promise(setImmediate);
    expect(taken).toEqual([]);
  },
);

test('an abort is awaited, before and after it; without a signal for ever', async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  const waits = [stop.signal, undefined, AbortSignal.abort()].map((signal, index) =>
    whenAborted(signal).then(
      () => seen.push(['later', 'never', 'already'][index] as string),
      () => seen.push('rejected'),
    ),
  );
  await waits[2];
  expect(seen).toEqual(['already']);
  stop.abort();
  await waits[0];
  await new Promise(setImmediate);
  expect(seen).toEqual(['already', 'later']);
});

test('the error says whether the task was started, or why it was not', () => {
  expect(new DeadlineError().message).toContain('before this task is done');
  expect(new DeadlineError('NOT_STARTED').message).toContain('before this task could start');
  expect(new DeadlineError('NOT_STARTED', 'no time')).toMatchObject({
    code: 'NOT_STARTED',
    message: 'no time',
  });
});
