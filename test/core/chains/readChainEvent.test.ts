import { describe, expect, test } from '@jest/globals';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';
import { chainState, foldChain } from '../../../core/chains/foldChain.ts';
import { memorySink } from '../../../core/chains/memorySink.ts';
import { readChainEvent } from '../../../core/chains/readChainEvent.ts';
import { ChainFailedError, getChain, waitForChain } from '../../../core/chains/waitForChain.ts';

const common = { chainId: 'c', messageId: 'm', at: 1 };
const delivery = { ...common, receiver: 'q', attempt: 1 };
const group = { id: 'g', of: 3, index: 2 };
const message = { messageId: 'n', taskName: 'b', role: 'callback' };
const calling = { signal: new AbortController().signal };
const read = (value: unknown) => readChainEvent(value) as Record<string, unknown> | undefined;

describe('an event that is read', () => {
  test.each<[string, object]>([
    ['sent', { ...common, type: 'sent' }],
    [
      'sent, with all fields',
      { ...common, type: 'sent', taskName: 'a', parentId: 'p', callback: 'b', delaySeconds: 0, group },
    ],
    ['received', { ...delivery, type: 'received' }],
    [
      'received, with all fields',
      { ...delivery, type: 'received', taskName: 'a', sentAt: 0, callback: 'b', recordId: 'r', part: 1 },
    ],
    ['started', { ...delivery, type: 'started' }],
    ['stored', { ...delivery, type: 'stored', pointer: 'p', length: 1, durationMillis: 0 }],
    ['published', { ...delivery, type: 'published', messages: [], durationMillis: 2 }],
    [
      'published, with a message',
      { ...delivery, type: 'published', messages: [{ ...message, callback: 'c', delaySeconds: 1, group }] },
    ],
    ['succeeded', { ...delivery, type: 'succeeded', durationMillis: 1, endsChain: true, next: ['a'] }],
    ['failed', { ...delivery, type: 'failed', error: { name: 'E', message: 'm' }, durationMillis: 1 }],
    [
      'failed, with all of its error',
      {
        ...delivery,
        type: 'failed',
        error: { name: 'E', message: 'm', code: 'c', stack: 's', cause: { name: 'F', message: 'n' } },
      },
    ],
    ['retried', { ...delivery, type: 'retried', delaySeconds: 3 }],
    ['deadLettered', { ...delivery, type: 'deadLettered', queue: 'u' }],
    ['joined', { ...delivery, type: 'joined', group, isError: true }],
    ['joined, as the end of a group', { ...delivery, type: 'joined', group: { id: 'g', of: 0 } }],
  ])('is the same: %s', (_, event) => {
    expect(read(event)).toEqual(event);
    expect(read({ ...event, unknown: 1 })).toEqual(event);
  });

  test.each(['error', 'branch', 'join'])('has messages of the role %s', (role) => {
    const event = { ...delivery, type: 'published', messages: [{ ...message, role }] };
    expect(read(event)).toEqual(event);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'sent'],
    ['no type', common],
    ['another type', { ...delivery, type: 'other' }],
    ['no chain', { ...common, type: 'sent', chainId: undefined }],
    ['a chain id with a space', { ...common, type: 'sent', chainId: 'a b' }],
    ['a chain id that is a number', { ...common, type: 'sent', chainId: 1 }],
    ['no message', { ...common, type: 'sent', messageId: '' }],
    ['a long message id', { ...common, type: 'sent', messageId: 'x'.repeat(257) }],
    ['no time', { ...common, type: 'sent', at: undefined }],
    ['a time before 1970', { ...common, type: 'sent', at: -1 }],
    ['a time after the last date', { ...common, type: 'sent', at: 8.64e15 + 2 }],
    ['a time that is NaN', { ...common, type: 'sent', at: Number.NaN }],
    ['no receiver', { ...common, type: 'started', attempt: 1 }],
    ['no attempt', { ...common, type: 'started', receiver: 'q' }],
    ['the attempt 0', { ...delivery, type: 'started', attempt: 0 }],
    ['the attempt 1.5', { ...delivery, type: 'started', attempt: 1.5 }],
    ['a stored value without a pointer', { ...delivery, type: 'stored', pointer: '' }],
    ['messages that are no list', { ...delivery, type: 'published', messages: {} }],
    ['too many messages', { ...delivery, type: 'published', messages: Array(10_001).fill(message) }],
    ['no group', { ...delivery, type: 'joined' }],
    ['a group without an id', { ...delivery, type: 'joined', group: { of: 1 } }],
    ['a group without a size', { ...delivery, type: 'joined', group: { id: 'g' } }],
    ['a branch beyond its group', { ...delivery, type: 'joined', group: { id: 'g', of: 3, index: 3 } }],
  ])('is undefined for %s', (_, value) => {
    expect(readChainEvent(value)).toBeUndefined();
  });

  test('has no fields that are wrong', () => {
    expect(
      read({ ...common, type: 'sent', taskName: '', parentId: 1, callback: '', delaySeconds: '1', group: 1 }),
    ).toEqual({ ...common, type: 'sent' });
    expect(read({ ...delivery, type: 'received', sentAt: -1, part: 0, recordId: '' })).toEqual({
      ...delivery,
      type: 'received',
    });
    expect(read({ ...delivery, type: 'succeeded', endsChain: 1, next: 'a' })).toEqual({
      ...delivery,
      type: 'succeeded',
    });
    expect(read({ ...delivery, type: 'succeeded', next: [1, '', 'a'] })?.['next']).toEqual(['a']);
    expect(read({ ...delivery, type: 'failed', error: 'x' })?.['error']).toEqual({
      name: 'Error',
      message: '',
    });
    expect(read({ ...delivery, type: 'failed', error: {} })?.['error']).toEqual({
      name: 'Error',
      message: '',
    });
    expect(read({ ...delivery, type: 'retried' })?.['delaySeconds']).toBe(0);
    expect(read({ ...delivery, type: 'joined', group, isError: 1 })).not.toHaveProperty('isError');
    expect(read({ ...delivery, type: 'joined', group: { id: 'g', of: 3, index: -1 } })?.['group']).toEqual({
      id: 'g',
      of: 3,
    });
    const messages = [
      null,
      { ...message, role: 'x' },
      { ...message, taskName: '' },
      { ...message, messageId: 1 },
    ];
    expect(read({ ...delivery, type: 'published', messages: [...messages, message] })?.['messages']).toEqual([
      message,
    ]);
    expect(Object.is(read({ ...common, type: 'sent', at: -0 })?.['at'], 0)).toBe(true);
  });

  test('is bounded', () => {
    const long = 'x'.repeat(10_000);
    const lengthOf = (event: object, ...path: string[]) =>
      (path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], read(event)) as string)
        .length;
    const sent = { ...common, type: 'sent', taskName: long, callback: long };
    expect([lengthOf(sent, 'taskName'), lengthOf(sent, 'callback')]).toEqual([256, 4096]);
    expect(lengthOf({ ...delivery, type: 'started', receiver: long }, 'receiver')).toBe(1024);
    expect(lengthOf({ ...delivery, type: 'stored', pointer: long }, 'pointer')).toBe(4096);
    expect(lengthOf({ ...delivery, type: 'deadLettered', queue: long }, 'queue')).toBe(1024);
    const failed = {
      ...delivery,
      type: 'failed',
      error: { name: long, message: long, code: long, stack: long },
    };
    expect(['name', 'message', 'code', 'stack'].map((key) => lengthOf(failed, 'error', key))).toEqual([
      256, 4096, 256, 8192,
    ]);
    expect(lengthOf({ ...delivery, type: 'succeeded', next: Array(10_001).fill('a') }, 'next')).toBe(10_000);
    expect(
      lengthOf({ ...delivery, type: 'published', messages: Array(10_000).fill(message) }, 'messages'),
    ).toBe(10_000);
    expect(read({ ...common, type: 'sent', messageId: 'x'.repeat(256) })).toBeDefined();
    expect(read({ ...common, type: 'sent', at: 8.64e15 })).toBeDefined();
    let cause: object | undefined;
    for (let depth = 0; depth < 20; depth++) cause = { name: 'E', message: 'm', cause };
    let causes = 0;
    for (let error = read({ ...delivery, type: 'failed', error: cause })?.['error']; error; causes++) {
      error = (error as { cause?: unknown }).cause;
    }
    expect(causes).toBe(8);
  });
});

describe('a sink in memory', () => {
  const event = (chainId: string, at: number) => ({ ...common, chainId, at, type: 'sent' }) as ChainEvent;

  test('keeps the events by chain, and tells its listeners', async () => {
    const sink = memorySink();
    const told: number[] = [];
    const woken: string[] = [];
    const unsubscribe = sink.subscribe((events) => told.push(events.length));
    const reader = sink.open('a');
    const close = reader.onChange?.(() => woken.push('a'));
    sink.write([event('a', 1), event('b', 2)], calling);
    sink.write([event('b', 3)], calling);
    expect([told, woken]).toEqual([[2, 1], ['a']]);
    expect(sink.chainIds()).toEqual(['a', 'b']);
    expect(sink.events('b').map(({ at }) => at)).toEqual([2, 3]);
    expect(sink.events().map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(sink.events('c')).toEqual([]);
    expect(await reader.read({})).toHaveLength(1);
    expect(await reader.read({})).toHaveLength(0);
    unsubscribe();
    close?.();
    sink.write([event('a', 4)], calling);
    expect([told, woken]).toEqual([[2, 1], ['a']]);
    expect((await reader.read({})).map((each) => (each as ChainEvent).at)).toEqual([4]);
    expect(await sink.open('c').read({})).toEqual([]);
    expect(sink.lingerMillis).toBe(0);
  });

  test('drops the oldest chains beyond its limit, but not the last one', () => {
    const sink = memorySink({ maxEvents: 3 });
    sink.write([event('a', 1), event('b', 2), event('a', 3)], calling);
    expect(sink.chainIds()).toEqual(['a', 'b']);
    sink.write([event('c', 4)], calling);
    expect(sink.chainIds()).toEqual(['b', 'c']);
    sink.write([event('c', 5), event('c', 6), event('c', 7)], calling);
    expect(sink.chainIds()).toEqual(['c']);
    expect(sink.events('c')).toHaveLength(4);
    expect(() => memorySink({ maxEvents: 0 })).toThrow('memorySink: maxEvents must be a whole number from 1');
  });
});

describe('the state of a chain', () => {
  const of = (type: string, at: number, fields: object = {}) => ({
    ...delivery,
    taskName: 'a',
    type,
    at,
    ...fields,
  });

  test('has the earliest start, and its last change', () => {
    const events = [
      of('started', 30),
      of('received', 20, { sentAt: 10 }),
      of('succeeded', 50, { durationMillis: 5 }),
    ];
    expect(chainState(events)).toMatchObject({
      startedAt: 10,
      updatedAt: 50,
      endedAt: 50,
      tasks: [
        {
          since: 50,
          sentAt: 10,
          attempts: [{ receivedAt: 20, startedAt: 30, endedAt: 50, queueMillis: 10, runMillis: 5 }],
        },
      ],
    });
    expect(chainState(events.slice(0, 1))).toMatchObject({
      startedAt: 30,
      endedAt: undefined,
      openSince: 30,
      tasks: [{ status: 'running', since: 30, sentAt: undefined }],
    });
    expect(chainState([of('received', 20, { sentAt: 25 })])?.tasks[0]?.attempts[0]?.queueMillis).toBe(0);
  });

  test('has the attempts of each receiver in order, and the most urgent status', () => {
    const events = [
      of('failed', 40, { attempt: 2, error: { name: 'E', message: 'm' } }),
      of('failed', 20, { error: { name: 'E', message: 'm' } }),
      of('retried', 21, { delaySeconds: 1 }),
      of('received', 10, { receiver: 'r' }),
      of('received', 5, { receiver: 'r', part: 1 }),
      of('deadLettered', 6, { receiver: 'r', part: 1 }),
    ];
    const [task] = chainState(events)?.tasks ?? [];
    expect(task).toMatchObject({ status: 'running', since: 10, error: { name: 'E' } });
    expect(
      task?.attempts.map(({ receiver, part, attempt, outcome }) => [receiver, part, attempt, outcome]),
    ).toEqual([
      ['r', 1, 1, 'failed'],
      ['r', 0, 1, 'running'],
      ['q', 0, 1, 'failed'],
      ['q', 0, 2, 'failed'],
    ]);
    expect(task?.attempts[0]?.endedAt).toBe(6);
    expect(chainState(events.slice(0, 3))?.tasks[0]).toMatchObject({ status: 'retrying', since: 40 });
  });

  test('of a retry without a failure is retrying', () => {
    const [task] = chainState([of('retried', 9, { delaySeconds: 2 })])?.tasks ?? [];
    expect(task).toMatchObject({
      status: 'retrying',
      since: 9,
      attempts: [{ outcome: 'failed', endedAt: 9, retry: { delaySeconds: 2, dueAt: 2009 } }],
    });
  });

  test('lists what is missing once, in order', () => {
    const done = of('succeeded', 9, { next: ['z', 'y', 'y', 'x'] });
    const published = of('published', 8, { messages: [{ ...message, taskName: 'x' }] });
    const [task] = chainState([done, published, { ...done, part: 1, next: ['z'] }])?.tasks ?? [];
    expect(task?.missing).toEqual(['y', 'z']);
  });

  test('takes the later of two ends, and the later pointer', () => {
    const stored = (at: number, pointer: string) => of('stored', at, { pointer });
    for (const events of [
      [stored(1, 'a'), stored(2, 'b')],
      [stored(2, 'b'), stored(1, 'a')],
      [stored(2, 'a'), stored(2, 'b')],
      [stored(2, 'b'), stored(2, 'a')],
    ]) {
      expect(chainState(events)?.tasks[0]?.pointer).toBe('b');
    }
    const failed = of('failed', 3, { error: { name: 'E', message: 'm' } });
    expect(chainState([of('succeeded', 2), failed])?.tasks[0]?.status).toBe('retrying');
    expect(chainState([of('succeeded', 4), failed])?.tasks[0]?.status).toBe('succeeded');
  });

  test('has the branches and siblings in the order of their messages', () => {
    const branch = (index: number) => ({
      ...common,
      type: 'sent',
      messageId: `b${9 - index}`,
      group: { id: 'g', of: 3, index },
    });
    const plain = ['z', 'y'].map((messageId) => ({ ...common, type: 'sent', messageId }));
    const early = { ...common, type: 'sent', messageId: 'zz', at: 0 };
    const state = chainState([branch(2), branch(0), branch(1), ...plain, early]);
    expect(state?.tasks.map(({ messageId }) => messageId)).toEqual(['zz', 'b9', 'y', 'z', 'b8', 'b7']);
    expect(state?.tasks.map(({ role }) => role)).toEqual([
      undefined,
      'branch',
      undefined,
      undefined,
      'branch',
      'branch',
    ]);
  });

  test('is told by events of its own chain', () => {
    const fold = foldChain('c');
    expect(fold.add(of('started', 1))).toBe(true);
    expect(fold.add({ ...of('started', 2), chainId: 'd' })).toBe(false);
    expect(fold.add('x')).toBe(false);
    expect(fold.state()).toMatchObject({ chainId: 'c', updatedAt: 1 });
    // Of several chains, that with the first id.
    expect(chainState([{ ...of('started', 2), chainId: 'd' }, of('started', 1)])?.chainId).toBe('c');
  });
});

describe('waiting for a chain', () => {
  const sinkOf = (...events: object[]) => {
    const sink = memorySink();
    sink.write(events as ChainEvent[], calling);
    return sink;
  };
  const of = (type: string, at: number, fields: object = {}) => ({
    ...delivery,
    taskName: 'a',
    type,
    at,
    ...fields,
  });
  const late = (...events: object[]) =>
    waitForChain('c', { from: sinkOf(...events), timeoutSeconds: 0.001 }).catch((error: Error) => error);

  test('fails with the error of the task, or with a hint where there is none', async () => {
    const dead = of('deadLettered', 2);
    const error = { name: 'E', message: 'no' };
    const failed = (await late(of('failed', 1, { error }), dead)) as ChainFailedError;
    expect(failed).toBeInstanceOf(ChainFailedError);
    expect(failed).toMatchObject({
      name: 'ChainFailedError',
      code: 'CHAIN_FAILED',
      messageId: 'm',
      cause: error,
      message: 'a of the chain c has failed: E: no.',
      state: { status: 'failed' },
    });
    expect(await late(dead)).toMatchObject({
      message: 'a of the chain c has failed: see its dead-letter queue.',
    });
    expect(await late({ ...dead, taskName: undefined })).toMatchObject({
      message: expect.stringContaining('A task of the chain c'),
    });
  });

  test('names what is open when the time is over', async () => {
    expect(await late()).toMatchObject({
      name: 'ChainTimeoutError',
      code: 'CHAIN_TIMEOUT',
      retryable: true,
      state: undefined,
      message:
        'The chain c was not done within 0.001 s: there is no event of it. The worker needs chainEvents(), with the same sink.',
    });
    expect(await late(of('started', 1))).toMatchObject({
      message: expect.stringContaining(': a is running.'),
    });
    const two = [
      of('started', 1),
      of('started', 1, { messageId: 'n' }),
      of('started', 1, { messageId: 'o' }),
    ];
    expect(await late(...two)).toMatchObject({
      message: expect.stringContaining('a is running, and 2 more tasks are open.'),
    });
    expect(await late({ ...of('started', 1), taskName: undefined })).toMatchObject({
      message: expect.stringContaining(': m is running.'),
    });
    expect(await late(of('succeeded', 1, { next: ['b'] }))).toMatchObject({
      message: expect.stringContaining('no task is open, but messages or branches are missing'),
    });
  });

  test.each<[string, string, object]>([
    ['waitForChain: the chain id must be 1 to 128 letters', 'a b', { from: sinkOf() }],
    ['waitForChain: from must be a source such as s3Sink()', 'c', {}],
    ['waitForChain: from must be a source such as s3Sink()', 'c', { from: {} }],
    [
      'waitForChain: pollSeconds must be a number of seconds above 0',
      'c',
      { from: sinkOf(), pollSeconds: 0 },
    ],
    [
      'waitForChain: timeoutSeconds must be a number of seconds above 0',
      'c',
      { from: sinkOf(), timeoutSeconds: 0 },
    ],
    ['waitForChain: signal must be an AbortSignal', 'c', { from: sinkOf(), signal: {} }],
    ['waitForChain: there is no option "timeout"', 'c', { from: sinkOf(), timeout: 1 }],
  ])('is refused: %s', async (message, chainId, options) => {
    await expect(waitForChain(chainId, options as never)).rejects.toThrow(message);
  });

  test('is not an option of getChain', async () => {
    await expect(getChain('c', { from: sinkOf(), pollSeconds: 1 } as never)).rejects.toThrow(
      'getChain: there is no option "pollSeconds"',
    );
    expect(await getChain('c', { from: sinkOf(of('succeeded', 1)) })).toMatchObject({ status: 'succeeded' });
  });
});
