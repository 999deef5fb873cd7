import { describe, expect, test } from '@jest/globals';
import { type ChainEvent, memorySink } from '../../../core/chains/index.ts';
import { type CurrentTask, runAs } from '../../../middlewares/events/currentTask.ts';
import { type EventTarget, writersOf } from '../../../middlewares/events/eventWriter.ts';
import { openSentReport, reportSent } from '../../../middlewares/sending/reportSent.ts';
import { gate } from '../../local/tools.ts';

const sent = { chainId: 'chain', messageId: 'message' };

/** The events of tasks that were sent outside of a task. */
async function eventsOf(
  tasks: Parameters<typeof reportSent>[0],
  outcomes: Parameters<typeof reportSent>[1],
  options: Parameters<typeof reportSent>[2] = {},
) {
  const written: ChainEvent[] = [];
  const events: EventTarget = (batch) => void written.push(...batch);
  await reportSent(tasks, outcomes, { ...options, events });
  return written;
}

describe('the event of a task that was sent', () => {
  test('has its ids, its name, and the tasks after it', async () => {
    const before = Date.now();
    const [event] = await eventsOf([{ task_name: 'load', callback: 'load#report' }], [{ sent }]);
    expect(event).toEqual({
      type: 'sent',
      ...sent,
      taskName: 'load',
      at: expect.any(Number),
      callback: 'load#report',
    });
    expect(event?.at).toBeGreaterThanOrEqual(before);
    expect(event?.at).toBeLessThanOrEqual(Date.now());
  });

  test.each([undefined, null, ''])(
    'has no callback for %j, no delay, no group and no parent',
    async (callback) => {
      const [event] = await eventsOf([{ task_name: 'load', callback } as never], [{ sent }]);
      expect(Object.keys(event ?? {}).sort()).toEqual(['at', 'chainId', 'messageId', 'taskName', 'type']);
    },
  );

  test('has the delay in seconds, also of a time', async () => {
    const delayOf = async (options: object) =>
      ((await eventsOf([{ task_name: 'load' }], [{ sent }], options))[0] as { delaySeconds?: number })
        .delaySeconds;
    expect(await delayOf({ delaySeconds: 0 })).toBe(0);
    expect(await delayOf({ delaySeconds: 5 })).toBe(5);
    expect(await delayOf({ at: new Date(Date.now() - 60_000) })).toBe(0);
    const left = await delayOf({ at: new Date(Date.now() + 3_600_000) });
    expect(left).toBeGreaterThan(3500);
    expect(left).toBeLessThanOrEqual(3600);
  });

  test('is missing for a task that was not sent, and the others keep their names', async () => {
    const tasks = ['a', 'b', 'c'].map((task_name) => ({ task_name }));
    const events = await eventsOf(tasks, [{ error: new Error('no') }, { sent }, {}]);
    expect(events.map((event) => (event as { taskName?: string }).taskName)).toEqual(['b']);
  });

  test('has the group of a branch', () => {
    const events: ChainEvent[] = [];
    const group = { id: 'g', of: 2, index: 1 };
    const task: CurrentTask = {
      ...sent,
      writers: [{ add: (event) => void events.push(event), flush: async () => {} }],
      hasEnded: false,
    };
    runAs(task, () => openSentReport('sendGroup', undefined)?.add({ ...sent, taskName: 'thumb', group }));
    expect(events).toMatchObject([{ taskName: 'thumb', group }]);
  });
});

describe('a sender within a task', () => {
  const running = () => {
    const sink = memorySink();
    const task: CurrentTask = {
      chainId: 'chain',
      messageId: 'running',
      writers: writersOf('test', 'to', sink),
      hasEnded: false,
    };
    const report = (chainId: string, options: object = {}) =>
      runAs(task, () => reportSent([{ task_name: 'load' }], [{ sent: { ...sent, chainId } }], options));
    const events = async () => {
      await task.writers[0]?.flush(1000);
      return sink.events();
    };
    return { report, events };
  };

  test('writes to the sinks of the task, which is the parent in its own chain only', async () => {
    const { report, events } = running();
    await report('chain');
    await report('another');
    const [inChain, started] = await events();
    expect(inChain).toMatchObject({ chainId: 'chain', parentId: 'running' });
    expect(started).toMatchObject({ chainId: 'another' });
    expect(started).not.toHaveProperty('parentId');
  });

  test('writes to the sinks of the option instead', async () => {
    const { report, events } = running();
    const own = memorySink();
    await report('chain', { events: own });
    await writersOf('test', 'to', own)[0]?.flush(1000);
    expect(own.events()).toMatchObject([{ parentId: 'running' }]);
    expect(await events()).toEqual([]);
  });
});

describe('a slow sink', () => {
  const slow = () => {
    const { opened, open } = gate();
    return { events: () => opened.then(() => {}), open };
  };

  test('is waited for, but not for long', async () => {
    const { events, open } = slow();
    const startedAt = performance.now();
    await reportSent([{ task_name: 'load' }], [{ sent }], { events });
    // Timers may be a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThan(240);
    open();
  });

  test('is not waited for within a task, whose batch waits', async () => {
    const { events, open } = slow();
    const task: CurrentTask = { ...sent, writers: [], hasEnded: false };
    const reported = runAs(task, () => reportSent([{ task_name: 'load' }], [{ sent }], { events }));
    const late = new Promise((resolve) => setTimeout(resolve, 200, 'late'));
    expect(await Promise.race([reported, late])).toBeUndefined();
    open();
  });
});

test('without a sink there is no report, and a bad one is an error of the sender', () => {
  expect(openSentReport('sendTask', undefined)).toBeUndefined();
  expect(openSentReport('sendTask', [])).toBeUndefined();
  expect(() => openSentReport('sendGroup', 5 as never)).toThrow(/^sendGroup: events /);
});
