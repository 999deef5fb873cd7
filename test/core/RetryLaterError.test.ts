import { describe, expect, test } from '@jest/globals';
import { AlgernonError, isFinal, NonRetryableError, OptionError, RetryLaterError } from '../../core/index.ts';
import { retryAfterSeconds } from '../../core/RetryLaterError.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const secondsOf = (error: unknown) => retryAfterSeconds(error, now);

describe('RetryLaterError', () => {
  test('is not final, and keeps its seconds and its message', () => {
    const error = new RetryLaterError(2.5, 'not ready');
    expect(error).toMatchObject({ code: 'RETRY_LATER', retryable: true, retryAfterSeconds: 2.5 });
    expect([error.message, isFinal(error), secondsOf(error)]).toEqual(['not ready', false, 2.5]);
    expect(new RetryLaterError(0).message).toContain('0 seconds');
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined])('refuses %j', (seconds) => {
    expect(() => new RetryLaterError(seconds as never)).toThrow(OptionError);
  });
});

describe('retryAfterSeconds', () => {
  const plain = (status: number, value: unknown = '7') => ({ status, headers: { 'retry-after': value } });

  test.each<[string, unknown, number | undefined]>([
    ['a response that was thrown', new Response(null, { status: 429, headers: { 'Retry-After': '7' } }), 7],
    ['a response of 503', new Response(null, { status: 503, headers: { 'Retry-After': '7' } }), 7],
    ['a response of 500', new Response(null, { status: 500, headers: { 'Retry-After': '7' } }), undefined],
    ['an error with a response', Object.assign(new Error(), { response: plain(429) }), 7],
    ['an error with a response of 400', Object.assign(new Error(), { response: plain(400) }), undefined],
    [
      'the status on the error, as got has it',
      { response: { statusCode: 429, headers: { 'Retry-After': '7' } } },
      7,
    ],
    ['headers on the error, as openai has them', Object.assign(new Error(), plain(503)), 7],
    ['headers and no status', { headers: { 'RETRY-AFTER': 7 } }, 7],
    ['a map of headers', { headers: new Map([['retry-after', '7']]) }, 7],
    ['the SDK', { $response: { statusCode: 503, headers: { 'retry-after': '7' } } }, 7],
    [
      'the status in $metadata',
      { $metadata: { httpStatusCode: 400 }, headers: { 'retry-after': '7' } },
      undefined,
    ],
    ['the hint of the SDK', { retryAfterHint: new Date(now + 7000) }, 7],
    ['a cause', new Error('outer', { cause: new Error('inner', { cause: plain(429) }) }), 7],
    ['a cause that is a RetryLaterError', new Error('outer', { cause: new RetryLaterError(7) }), 7],
    ['the outermost of two', new RetryLaterError(7, 'x'), 7],
    ['a date', plain(429, 'Fri, 02 Jan 2026 03:05:05 GMT'), 60],
    ['a date in the past', plain(429, 'Fri, 02 Jan 2015 03:05:05 GMT'), 0],
    ['zero', plain(429, '0'), 0],
    ['a fraction', plain(429, '1.5'), 1.5],
    ['more than any queue waits', plain(429, '9'.repeat(400)), Number.POSITIVE_INFINITY],
    ['a negative number', plain(429, '-7'), undefined],
    ['words', plain(429, '5 minutes'), undefined],
    ['a date that is none', plain(429, 'Xyz, 99 Foo 2026 99:99:99 GMT'), undefined],
    ['nothing', plain(429, null), undefined],
    ['a list', plain(429, ['7', '8']), undefined],
    ['no error', undefined, undefined],
    ['a string', 'Retry-After: 7', undefined],
    ['null headers and response', { headers: null, response: null, $response: null }, undefined],
    ['another error of this library', new AlgernonError('X', 'x', { retryable: true }), undefined],
    ['a property that only looks like ours', Object.assign(new Error(), { retryAfterSeconds: 7 }), undefined],
  ])('%s', (_, error, expected) => {
    expect(secondsOf(error)).toBe(expected);
  });

  test('stops at a cycle of causes, and at a getter that throws', () => {
    const cycle: Error & { cause?: unknown } = new Error('cycle');
    cycle.cause = cycle;
    expect(secondsOf(cycle)).toBeUndefined();
    const hostile = Object.defineProperty(new Error(), 'headers', {
      get() {
        throw new Error('no');
      },
    });
    expect(secondsOf(hostile)).toBeUndefined();
  });

  test('does not make a final error retryable', () => {
    expect(isFinal(new NonRetryableError('never', new RetryLaterError(7)))).toBe(true);
    expect(isFinal(new RetryLaterError(7))).toBe(false);
  });
});
