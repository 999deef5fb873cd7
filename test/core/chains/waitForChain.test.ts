import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';
import type { EventSource } from '../../../core/chains/EventSink.ts';
import { memorySink } from '../../../core/chains/memorySink.ts';
import { getChain, waitForChain, watchChain } from '../../../core/chains/waitForChain.ts';
import { AlgernonError, OptionError } from '../../../core/errors.ts';

afterEach(() => {
  jest.useRealTimers();
});

const { signal } = new AbortController();
const common = {
  chainId: 'c',
  messageId: 'm',
  taskName: 'load',
  receiver: 'queue',
  recordId: 'r',
  attempt: 1,
};
const received: ChainEvent = { type: 'received', ...common, at: 1000 };
const succeeded: ChainEvent = { type: 'succeeded', ...common, at: 1001 };
const failed: ChainEvent = {
  type: 'failed',
  ...common,
  at: 1001,
  error: { name: 'TypeError', message: 'no' },
};
const deadLettered: ChainEvent = { type: 'deadLettered', ...common, at: 1002 };

/** A source that is polled. Each read takes the next step: events, or an error. */
function polled(...steps: (readonly unknown[] | Error)[]): EventSource & { reads: number } {
  const source = {
    reads: 0,
    open: () => ({
      async read() {
        source.reads += 1;
        const step = steps.shift() ?? [];
        if (step instanceof Error) throw step;
        return step;
      },
    }),
  };
  return source;
}

describe('waitForChain', () => {
  test('is woken by events in memory', async () => {
    const events = memorySink();
    const waiting = waitForChain('c', { from: events, pollSeconds: 1000 });
    events.write([received], { signal });
    await new Promise(setImmediate);
    events.write([{ ...succeeded, chainId: 'another' }], { signal });
    events.write([succeeded], { signal });
    expect(await waiting).toMatchObject({ status: 'succeeded', tasks: [{ taskName: 'load' }] });
  });

  test('misses no event that comes while it reads', async () => {
    const events = memorySink();
    const slow: EventSource = {
      open(chainId) {
        const reader = events.open(chainId);
        return {
          ...reader,
          async read(options) {
            const read = await reader.read(options);
            if (read.length === 0) events.write([received, succeeded], { signal });
            return read;
          },
        };
      },
    };
    expect((await waitForChain('c', { from: slow, timeoutSeconds: 5 })).status).toBe('succeeded');
  });

  test('rejects with the error of the task that failed', async () => {
    const waiting = waitForChain('c', { from: polled([received, failed, deadLettered]) });
    await expect(waiting).rejects.toMatchObject({
      code: 'CHAIN_FAILED',
      retryable: false,
      messageId: 'm',
      cause: failed.type === 'failed' && failed.error,
      message: 'load of the chain c has failed: TypeError: no.',
      state: { status: 'failed' },
    });
  });

  test('rejects when the time is over, with the state so far', async () => {
    const waiting = waitForChain('c', { from: polled([received]), timeoutSeconds: 0.02, pollSeconds: 0.001 });
    await expect(waiting).rejects.toMatchObject({
      code: 'CHAIN_TIMEOUT',
      retryable: true,
      message: 'The chain c was not done within 0.02 s: load is running.',
      state: { status: 'open' },
    });
    const nothing = waitForChain('c', { from: polled(), timeoutSeconds: 0.02 });
    await expect(nothing).rejects.toMatchObject({ message: /no event/, state: undefined });
    const missing = polled([received, { ...succeeded, next: ['report'] }]);
    const lost = waitForChain('c', { from: missing, timeoutSeconds: 0.02 });
    await expect(lost).rejects.toMatchObject({ message: /no task is open, but messages/ });
  });

  test.each([Number.POSITIVE_INFINITY, 2_147_484, 2_147_483.647])(
    'may wait for %d seconds',
    async (timeoutSeconds) => {
      jest.useFakeTimers();
      const events = memorySink();
      await events.write([received], { signal });
      const waiting = waitForChain('c', { from: events, timeoutSeconds });
      await jest.advanceTimersByTimeAsync(1000);
      await events.write([succeeded], { signal });
      expect((await waiting).status).toBe('succeeded');
    },
  );

  test('clears its timers, and its listener on the signal', async () => {
    jest.useFakeTimers();
    const { signal: own } = new AbortController();
    const remove = jest.spyOn(own, 'removeEventListener');
    const reading = { from: polled([received], [], [succeeded]), pollSeconds: 1, signal: own };
    const waiting = waitForChain('c', reading);
    await jest.advanceTimersByTimeAsync(10_000);
    await waiting;
    expect(jest.getTimerCount()).toBe(0);
    for await (const { status } of watchChain('c', { from: polled([received, succeeded]), signal: own }))
      expect(status).toBe('succeeded');
    expect(remove).toHaveBeenCalledWith('abort', expect.any(Function));
  });

  test('stops with the reason of its signal', async () => {
    const stop = new AbortController();
    const waiting = waitForChain('c', { from: memorySink(), signal: stop.signal, timeoutSeconds: Infinity });
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(waitForChain('c', { from: memorySink(), signal: stop.signal })).rejects.toBe(reason);
  });

  test('polls less and less often, and often again after a change', async () => {
    jest.useFakeTimers();
    const from = polled([], [], [], [], [], [], [], [received], []);
    const waiting = waitForChain('c', { from, timeoutSeconds: 60 }).catch((error) => error);
    const readsBy = async (millis: number) => {
      await jest.advanceTimersByTimeAsync(millis);
      return from.reads;
    };
    // 0.5, 1, 2, 4, 5, 5 and 5 s after the first one.
    expect(await readsBy(0)).toBe(1);
    expect(await readsBy(500)).toBe(2);
    expect(await readsBy(1000)).toBe(3);
    expect(await readsBy(2000)).toBe(4);
    expect(await readsBy(4000)).toBe(5);
    expect(await readsBy(15_000)).toBe(8);
    expect(await readsBy(250)).toBe(9);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await waiting).toMatchObject({ code: 'CHAIN_TIMEOUT' });
  });

  test('ignores a fault that may pass, and no other', async () => {
    const passing = new AlgernonError('STORED_DATA_UNAVAILABLE', 'slow down', { retryable: true });
    const from = polled(passing, [received], passing, [succeeded]);
    expect((await waitForChain('c', { from, pollSeconds: 0.001 })).status).toBe('succeeded');
    for (const fault of [new AlgernonError('STORED_DATA_ACCESS', 'denied'), new TypeError('a bug')]) {
      await expect(waitForChain('c', { from: polled(fault) })).rejects.toBe(fault);
    }
  });

  test.each<[string, unknown[]]>([
    ['a chain id with a slash', ['a/b', { from: memorySink() }]],
    ['a chain id of dots', ['..', { from: memorySink() }]],
    ['no options', ['c', undefined]],
    ['no source', ['c', {}]],
    ['a source that cannot be read', ['c', { from: { write() {} } }]],
    ['a time below 0', ['c', { from: memorySink(), timeoutSeconds: -1 }]],
    ['an option that does not exist', ['c', { from: memorySink(), timeout: 1 }]],
  ])('refuses %s', async (_, given) => {
    const call = waitForChain as (...given: unknown[]) => Promise<unknown>;
    await expect(call(...given)).rejects.toBeInstanceOf(OptionError);
  });
});

describe('watchChain', () => {
  test('yields each change, and ends with the chain', async () => {
    const from = polled([], [received], [received], [succeeded], [failed]);
    const seen: unknown[] = [];
    for await (const { status, open } of watchChain('c', { from, pollSeconds: 0.001 }))
      seen.push([status, open]);
    expect(seen).toEqual([
      ['open', ['m']],
      ['open', ['m']],
      ['succeeded', []],
    ]);
    expect(from.reads).toBe(4);
  });

  test('ends its subscription when the loop is left', async () => {
    const events = memorySink();
    events.write([received], { signal });
    let subscribers = 0;
    const counted: EventSource = {
      open(chainId) {
        const reader = events.open(chainId);
        return {
          read: reader.read,
          onChange(wake) {
            subscribers += 1;
            const end = reader.onChange?.(wake);
            return () => {
              subscribers -= 1;
              end?.();
            };
          },
        };
      },
    };
    for await (const { status } of watchChain('c', { from: counted })) {
      expect([status, subscribers]).toEqual(['open', 1]);
      break;
    }
    expect(subscribers).toBe(0);
  });
});

test('getChain reads once', async () => {
  const from = polled([received, { type: 'sent' }, null]);
  expect((await getChain('c', { from }))?.status).toBe('open');
  expect(from.reads).toBe(1);
  expect(await getChain('c', { from: memorySink() })).toBeUndefined();
});
