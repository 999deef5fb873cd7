import { afterEach, expect, test } from '@jest/globals';
import { cancellationOf, chainIdCheck, reasonIn } from '../../../middlewares/cancelling/cancelledChains.ts';

afterEach(() => {
  delete process.env.ALGERNON_BUCKET_NAME;
});

test('a cancelled chain has an object, by default in the folder "cancelled" of the bucket in the environment', () => {
  const own = { bucket: 'own', folder: 'stopped' };
  expect(cancellationOf('c1', own, 'cancelChain')).toEqual({ bucket: 'own', key: 'stopped/c1.json' });
  process.env.ALGERNON_BUCKET_NAME = 'cache';
  expect(cancellationOf('c1', {}, 'cancelChain')).toEqual({ bucket: 'cache', key: 'cancelled/c1.json' });
  expect(() => cancellationOf('c1', { bucket: 'a b' }, 'cancelChain')).toThrow(
    /^cancelChain: bucket must be/,
  );
});

test.each([
  ['{"cancelledAt":5,"reason":"wrong prices"}', 'wrong prices'],
  [JSON.stringify({ reason: 'x'.repeat(1001) }), 'x'.repeat(1000)],
  ['{"reason":5}', undefined],
  ['{}', undefined],
  ['null', undefined],
  ['not JSON', undefined],
])('the reason in %j', (body, reason) => {
  expect(reasonIn(body)).toBe(reason);
});

test('the id of a chain keeps its object in the folder', () => {
  expect(['c', 'a_b.c:d-1', 'x'.repeat(128)].every(chainIdCheck.test)).toBe(true);
  expect(['', 'a/b', 'a b', 'x'.repeat(129), 5].some(chainIdCheck.test)).toBe(false);
});
