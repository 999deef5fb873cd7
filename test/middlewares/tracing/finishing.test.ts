import { describe, expect, test } from '@jest/globals';
import { asError, type End, finishing, once } from '../../../middlewares/tracing/finishing.ts';

/** Records the ends of a span. */
function recordedEnds(): { ends: unknown[]; end: End } {
  const ends: unknown[] = [];
  return { ends, end: (failure) => void ends.push(failure) };
}

describe('finishing', () => {
  test('ends at once after a synchronous function, and returns its value', () => {
    const { ends, end } = recordedEnds();
    expect(finishing(() => 7, end)).toBe(7);
    expect(ends).toEqual([undefined]);
  });

  test('ends when the promise resolves, not before', async () => {
    const { ends, end } = recordedEnds();
    const { promise, resolve } = Promise.withResolvers<number>();
    const result = finishing(() => promise, end);
    expect(ends).toEqual([]);
    resolve(7);
    await expect(result).resolves.toBe(7);
    expect(ends).toEqual([undefined]);
  });

  test('ends with the error of a function that throws or rejects', async () => {
    const { ends, end } = recordedEnds();
    const error = new RangeError('no');
    const failing = () => {
      throw error;
    };
    expect(() => finishing(failing, end)).toThrow(error);
    await expect(finishing(() => Promise.reject(error), end)).rejects.toBe(error);
    expect(ends).toEqual([{ error }, { error }]);
  });
});

test('once passes only the first end on', () => {
  const { ends, end } = recordedEnds();
  const first = once(end);
  first({ error: 1 });
  first();
  first({ error: 2 });
  expect(ends).toEqual([{ error: 1 }]);
});

test('asError keeps errors, and makes one of any other value', () => {
  const error = new TypeError('broken');
  expect(asError(error)).toBe(error);
  expect(asError('broken')).toEqual(new Error('broken'));
  expect(asError(undefined)).toEqual(new Error('undefined'));
  expect(asError(Object.create(null))).toEqual(new Error('a thrown value without a string form'));
});
