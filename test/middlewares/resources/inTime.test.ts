import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { inTime } from '../../../middlewares/resources/inTime.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';

let finish = () => {};
const hangs = new Promise<void>((resolve) => {
  finish = resolve;
});
const contextOf = (millis: number) => lambdaContext({ getRemainingTimeInMillis: () => millis });
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const outcomeOf = (work: Promise<void>) =>
  Promise.race([work.then(() => 'over'), sleep(150, 'waiting', { ref: false })]);

// Stops the timers.
afterAll(() => finish());

test('waits until 200 ms before the deadline for work that hangs', async () => {
  expect(await outcomeOf(inTime(contextOf(200), hangs))).toBe('over');
  expect(await outcomeOf(inTime(contextOf(60_000), hangs))).toBe('waiting');
});

test('ends with the work, without a timer left', async () => {
  const before = timers();
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = inTime(contextOf(60_000), promise);
  resolve();
  await waiting;
  expect(timers()).toBe(before);
});

test.each([
  ['without a context', undefined],
  ['with a context that has no clock', {}],
])('waits for the work %s', async (_, context) => {
  expect(await outcomeOf(inTime(context as never, hangs))).toBe('waiting');
  await inTime(context as never, Promise.resolve());
});
