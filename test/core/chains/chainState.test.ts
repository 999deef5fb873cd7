import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';
import { chainState, foldChain } from '../../../core/chains/foldChain.ts';
import { anyEvent } from './anyEvents.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:load';
type Fields = Record<string, unknown>;

/** The events of one delivery of a message. */
function delivery(messageId: string, taskName: string, attempt = 1, recordId = `${messageId}-sqs`) {
  const common = { chainId: 'c', messageId, taskName, receiver: queue, recordId, attempt };
  return (type: ChainEvent['type'], at: number, fields: Fields = {}) =>
    ({ type, ...common, at, ...fields }) as ChainEvent;
}

const callback = (messageId: string, taskName: string) => ({ messageId, taskName, role: 'callback' });
const error = { name: 'Error', message: 'no' };
const tasksOf = (events: readonly unknown[]) =>
  chainState(events)?.tasks.map(({ taskName, depth, status }) => [taskName, depth, status]);

/** A chain of two tasks, of which the first is tried twice. */
function twoTasks(): ChainEvent[] {
  const first = delivery('m1', 'load');
  const second = delivery('m1', 'load', 2);
  const next = delivery('m2', 'report');
  return [
    { type: 'sent', chainId: 'c', messageId: 'm1', taskName: 'load', at: 1020, callback: 'load#report' },
    first('received', 1100, { sentAt: 1010 }),
    first('started', 1105),
    first('failed', 1200, { error, durationMillis: 90 }),
    first('retried', 1201, { delaySeconds: 2 }),
    second('received', 3301),
    second('started', 3302),
    second('stored', 3420, { pointer: 'b#f/x!1.json', durationMillis: 15 }),
    second('published', 3450, { messages: [callback('m2', 'report')], durationMillis: 30 }),
    second('succeeded', 3451, { durationMillis: 100, next: ['report'] }),
    next('received', 3500),
    next('started', 3501),
    next('succeeded', 3600, { durationMillis: 99 }),
  ];
}

describe('chainState', () => {
  test('shows a chain with its attempts, waits, runs and result', () => {
    expect(chainState(twoTasks())).toMatchObject({
      chainId: 'c',
      status: 'succeeded',
      startedAt: 1010,
      endedAt: 3600,
      open: [],
      openSince: undefined,
      tasks: [
        {
          messageId: 'm1',
          parentId: undefined,
          callback: 'load#report',
          sentAt: 1010,
          pointer: 'b#f/x!1.json',
          error: undefined,
          attempts: [
            {
              attempt: 1,
              outcome: 'failed',
              queueMillis: 90,
              runMillis: 90,
              error,
              retry: { delaySeconds: 2, dueAt: 3201 },
            },
            {
              attempt: 2,
              outcome: 'succeeded',
              queueMillis: 100,
              runMillis: 100,
              storeMillis: 15,
              publishMillis: 30,
            },
          ],
        },
        { messageId: 'm2', parentId: 'm1', depth: 1, role: 'callback', attempts: [{ queueMillis: 50 }] },
      ],
    });
  });

  test.each<[number, [string, string, number]]>([
    [1, ['waiting', 'm1', 1020]],
    [3, ['running', 'm1', 1100]],
    [4, ['retrying', 'm1', 1200]],
    [7, ['running', 'm1', 3301]],
    [9, ['running', 'm1', 3301]],
    [11, ['running', 'm2', 3500]],
  ])('after %i events the chain is open', (count, expected) => {
    const [status, messageId, since] = expected;
    const state = chainState(twoTasks().slice(0, count));
    expect(state?.status).toBe('open');
    expect(state?.open[0]).toBe(messageId);
    expect(state?.openSince).toBe(since);
    expect(state?.tasks.find((task) => task.messageId === messageId)?.status).toBe(status);
  });

  test('a task whose callback is lost keeps its chain open', () => {
    const events = twoTasks().filter(({ type, messageId }) => type !== 'published' && messageId !== 'm2');
    const state = chainState(events);
    expect(state?.tasks[0]).toMatchObject({ status: 'succeeded', missing: ['report'] });
    expect(state?.status).toBe('open');
  });

  test('a killed delivery is lost, and received again', () => {
    const first = delivery('m1', 'load');
    const second = delivery('m1', 'load', 2);
    const killed = [first('received', 1000), first('started', 1001)];
    expect(chainState(killed)?.tasks[0]?.attempts[0]?.outcome).toBe('running');
    const again = [...killed, second('received', 2000), second('succeeded', 2001)];
    expect(chainState(again)?.tasks[0]?.attempts.map(({ outcome }) => outcome)).toEqual([
      'lost',
      'succeeded',
    ]);
  });

  test('a dead letter fails the chain, and a redrive opens it again', () => {
    const first = delivery('m1', 'load');
    const redriven = delivery('m1', 'load', 1, 'another');
    const events = [
      first('received', 1000),
      first('failed', 1001, { error }),
      first('deadLettered', 1002, { queue: 'https://dead' }),
    ];
    expect(chainState(events)).toMatchObject({
      status: 'failed',
      tasks: [{ status: 'failed', error, attempts: [{ deadLetter: { at: 1002, queue: 'https://dead' } }] }],
    });
    expect(tasksOf([...events, redriven('received', 5000)])).toEqual([['load', 0, 'running']]);
    const done = [...events, redriven('received', 5000), redriven('succeeded', 5001)];
    expect(chainState(done)).toMatchObject({ status: 'succeeded', tasks: [{ error: undefined }] });
  });

  test('an error task belongs to the task that failed', () => {
    const first = delivery('m1', 'load');
    const events = [
      first('received', 1000),
      first('published', 1001, { messages: [{ messageId: 'm2', taskName: 'tell', role: 'error' }] }),
      first('failed', 1002, { error }),
      first('deadLettered', 1003),
    ];
    expect(chainState(events)?.status).toBe('open');
    const told = delivery('m2', 'tell');
    const ended = chainState([...events, told('received', 1100), told('succeeded', 1101)]);
    expect(ended).toMatchObject({
      status: 'failed',
      tasks: [{ taskName: 'load' }, { role: 'error', depth: 1 }],
    });
  });

  test('a delayed task waits until it is due', () => {
    const sent = {
      type: 'sent',
      chainId: 'c',
      messageId: 'm1',
      taskName: 'load',
      at: 1000,
      delaySeconds: 3600,
    };
    const run = delivery('m1', 'load');
    expect(chainState([sent])?.tasks[0]).toMatchObject({ status: 'waiting', sentAt: 1000, dueAt: 3_601_000 });
    // Scheduler stamps it with the time that it was due at.
    const received = run('received', 3_601_200, { sentAt: 3_601_000 });
    expect(chainState([sent, received])?.tasks[0]).toMatchObject({
      sentAt: 1000,
      dueAt: 3_601_000,
      attempts: [{ queueMillis: 200 }],
    });
  });

  test('endChain ends it', () => {
    const first = delivery('m1', 'load');
    const state = chainState([first('received', 1000), first('succeeded', 1001, { endsChain: true })]);
    expect(state).toMatchObject({ status: 'succeeded', tasks: [{ endsChain: true }] });
  });

  test('a message that two queues get is done when both are', () => {
    const first = delivery('m1', 'load');
    const other = { receiver: 'arn:aws:sqs:us-east-1:000000000000:copy' };
    const events = [first('received', 1000), first('received', 1000, other), first('succeeded', 1001)];
    expect(chainState(events)?.status).toBe('open');
    expect(chainState([...events, first('succeeded', 1002, other)])?.status).toBe('succeeded');
  });

  test('a second callback of a redelivered task, which FIFO drops, does not keep the chain open', () => {
    const events = twoTasks();
    const again = delivery('m1', 'load', 3)('published', 3460, { messages: [callback('m3', 'report')] });
    expect(chainState([...events, again])?.status).toBe('succeeded');
    expect(tasksOf([...events.slice(0, 10), again])).toEqual([
      ['load', 0, 'succeeded'],
      ['report', 1, 'waiting'],
      ['report', 1, 'waiting'],
    ]);
    expect(tasksOf([...events, again])?.at(-1)).toEqual(['report', 1, 'duplicate']);
  });

  test('branches join below the task that has split', () => {
    const splitter = delivery('m1', 'split');
    const branch = (index: number) => ({
      messageId: `b${index}`,
      taskName: 'resize',
      role: 'branch',
      group: { id: 'g', index, of: 2 },
    });
    const events: ChainEvent[] = [
      splitter('received', 1000),
      splitter('published', 1001, { messages: [branch(0), branch(1)] }),
      splitter('succeeded', 1002),
    ];
    for (const index of [0, 1]) {
      const run = delivery(`b${index}`, 'resize');
      events.push(run('received', 1100 + index), run('joined', 1110 + index, { group: branch(index).group }));
      const messages = [{ messageId: 'm9', taskName: 'album', role: 'join', group: { id: 'g', of: 2 } }];
      if (index === 1) events.push(run('published', 1112, { messages }));
      events.push(run('succeeded', 1120 + index));
      if (index === 0) {
        expect(chainState(events)?.groups).toEqual([
          { id: 'g', of: 2, joined: [0], failed: [], joinId: undefined, isOpen: true },
        ]);
      }
    }
    const join = delivery('m9', 'album');
    const state = chainState([...events, join('received', 1200), join('succeeded', 1201)]);
    expect(state).toMatchObject({
      status: 'succeeded',
      groups: [{ joined: [0, 1], joinId: 'm9', isOpen: false }],
    });
    expect(state?.tasks.map(({ taskName, depth, role }) => [taskName, depth, role])).toEqual([
      ['split', 0, undefined],
      ['resize', 1, 'branch'],
      ['resize', 1, 'branch'],
      ['album', 1, 'join'],
    ]);
  });

  test('a branch without events ends when it has joined, and a deadline gives up the others', () => {
    const id = '0123456789abcdefghijk';
    const sent = [0, 1, 2].map((index) => ({
      ...{ type: 'sent', chainId: 'c', messageId: `b${index}`, taskName: 'python', at: 1000 },
      callback: `python#gather#g-${id}-${index}-of-3`,
      group: { id, index, of: 3 },
    }));
    const gather = delivery('m5', 'gather');
    const recorded = [
      gather('received', 1100),
      gather('joined', 1101, { group: { id, index: 0, of: 3 } }),
      gather('succeeded', 1102),
    ];
    const statuses = (events: readonly unknown[]) => chainState(events)?.tasks.map(({ status }) => status);
    expect(tasksOf([...sent, ...recorded])).toEqual([
      ['python', 0, 'succeeded'],
      ['gather', 1, 'succeeded'],
      ['python', 0, 'waiting'],
      ['python', 0, 'waiting'],
    ]);
    const timer = delivery(`${id}.deadline`, 'gather');
    const closed = [
      timer('joined', 2000, { group: { id, index: 1, of: 3 }, isError: true }),
      // Of a group that fails with its first error, and has no error task.
      timer('joined', 2001, { group: { id, of: 3 } }),
    ];
    const state = chainState([...sent, ...recorded, ...closed]);
    expect(state).toMatchObject({
      status: 'failed',
      groups: [{ joined: [0, 1], failed: [1], joinId: undefined, isOpen: false }],
    });
    expect(statuses([...sent, ...recorded, ...closed])).toEqual([
      'succeeded',
      'succeeded',
      'failed',
      'failed',
    ]);
    const late = delivery('b2', 'python');
    expect(statuses([...sent, ...recorded, ...closed, late('received', 3000)])).toContain('running');
  });

  test('a task of another chain may join a group, and is no task of this one', () => {
    const joins = delivery('elsewhere', 'last');
    const sent = {
      ...{ type: 'sent', chainId: 'c', messageId: 'b0', taskName: 'first', at: 1000 },
      group: { id: 'g', index: 0, of: 1 },
    };
    const messages = [{ messageId: 'm9', taskName: 'album', role: 'join', group: { id: 'g', of: 1 } }];
    const state = chainState([
      sent,
      joins('joined', 1100, { group: { id: 'g', index: 0, of: 1 } }),
      joins('published', 1101, { messages }),
    ]);
    expect(state?.tasks.map(({ taskName }) => taskName)).toEqual(['first', 'album']);
    expect(state?.groups).toMatchObject([{ joined: [0], joinId: 'm9', isOpen: false }]);
  });

  test('a group that waits for a dead letter has failed, and any other stays open', () => {
    const group = { id: 'g', index: 0, of: 2 };
    const sent = [0, 1].map((index) => ({
      ...{ type: 'sent', chainId: 'c', messageId: `b${index}`, taskName: 'resize', at: 1000 },
      group: { ...group, index },
    }));
    const done = (index: number) => {
      const run = delivery(`b${index}`, 'resize');
      return [run('joined', 1100, { group: { ...group, index } }), run('succeeded', 1101)];
    };
    const dead = [
      delivery('b1', 'resize')('failed', 1100, { error }),
      delivery('b1', 'resize')('deadLettered', 1101),
    ];
    expect(chainState([...sent, ...done(0), ...dead])?.status).toBe('failed');
    expect(chainState([...sent, ...done(0), ...done(1)])?.status).toBe('open');
  });

  test('without events there is no state', () => {
    expect(chainState([])).toBeUndefined();
    expect(chainState([null, 1, 'x', [], {}, { type: 'sent' }])).toBeUndefined();
    expect(foldChain('c').state()).toBeUndefined();
  });

  test('events of another chain are left out', () => {
    const [first] = twoTasks();
    const fold = foldChain('c');
    expect(fold.add({ ...first, chainId: 'd' })).toBe(false);
    expect(fold.add(first)).toBe(true);
    expect(chainState([{ ...first, chainId: 'd', messageId: 'm7' }, first])?.open).toEqual(['m1']);
  });
});

describe('for all events', () => {
  test('neither their order nor a repetition changes the state', () => {
    const shuffled = fc.array(anyEvent, { maxLength: 40 }).chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc
          .shuffledSubarray([...events, ...events], { minLength: events.length })
          .map((some) => [...some, ...events.filter((event) => !some.includes(event))]),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(chainState(others)).toEqual(chainState(events));
      }),
      { numRuns: 500 },
    );
  });

  test('each task is in the tree once, after its parent', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const state = chainState(events);
        const depths = new Map<string, number>();
        for (const { messageId, parentId, depth } of state?.tasks ?? []) {
          expect(depths.has(messageId)).toBe(false);
          expect(depth).toBe(parentId === undefined ? 0 : (depths.get(parentId) ?? Number.NaN) + 1);
          depths.set(messageId, depth);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a state goes through JSON and back', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
        const read = chainState(events.map((event) => JSON.parse(JSON.stringify(event))));
        expect(read).toEqual(chainState(events));
      }),
    );
  });

  test('anything at all is read without an error', () => {
    const value = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true });
    const mutated = fc.tuple(
      anyEvent,
      fc.constantFrom('at', 'type', 'messages', 'error', 'group', 'attempt'),
      value,
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            value,
            mutated.map(([event, key, other]) => ({ ...(event as object), [key]: other })),
          ),
        ),
        (all) => {
          chainState(all);
          expect({}).toEqual({});
          expect(Object.keys(Object.prototype)).toEqual([]);
        },
      ),
    );
  });
});

describe('hostile events', () => {
  const first = delivery('m1', 'load');

  test('names of prototypes are ids like any other', () => {
    const text = JSON.stringify(
      first('published', 1000, { messages: [callback('__proto__', 'constructor')] }),
    );
    const state = chainState([
      JSON.parse(text.replace('"m1"', '"__proto__"').replace('"load"', '"hasOwnProperty"')),
    ]);
    expect(state?.tasks).toHaveLength(1);
    expect(state?.tasks[0]).toMatchObject({ messageId: '__proto__', parentId: undefined });
  });

  test('a cycle of parents has a root', () => {
    const sends = (from: string, to: string, at: number) =>
      delivery(from, from)('published', at, { messages: [callback(to, to)] });
    const state = chainState([
      sends('a', 'b', 1),
      sends('b', 'c', 2),
      sends('c', 'a', 3),
      sends('c', 'd', 3),
    ]);
    expect(state?.tasks.map(({ messageId, depth }) => [messageId, depth])).toEqual([
      ['b', 0],
      ['c', 1],
      ['a', 2],
      ['d', 2],
    ]);
  });

  test('long texts are cut, and deep causes left out', () => {
    const long = 'x'.repeat(1_000_000);
    let cause: unknown;
    for (let depth = 0; depth < 100_000; depth += 1) cause = { name: long, message: long, cause };
    const state = chainState([first('failed', 1, { error: cause, taskName: long })]);
    expect(JSON.stringify(state).length).toBeLessThan(100_000);
  });

  test('a chain of 50,000 tasks, one inside the other, is read without recursion', () => {
    const count = 50_000;
    function* events() {
      for (let index = 0; index < count; index += 1) {
        const run = delivery(`m${index}`, 'load');
        yield run('received', index);
        yield run('published', index, { messages: [callback(`m${index + 1}`, 'load')] });
        yield run('succeeded', index, { next: ['load'] });
        yield run('succeeded', index, { next: ['load'] });
      }
    }
    const state = chainState(events());
    expect(state?.tasks.at(-1)).toMatchObject({ depth: count, status: 'waiting' });
  }, 120_000);
});
