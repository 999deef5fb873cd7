// Imported, so that fake timers do not replace it.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { gatherMessages } from '../../middlewares/callbacks/gatherMessages.ts';

/** Longer than any test. */
const never = Number.POSITIVE_INFINITY;
const messageTo = (topicArn: string, message = ''): TaskMessage => ({ topicArn, message });

function recorder(lingerMillis: number) {
  const calls: TaskMessage[][] = [];
  const publisher = {
    async send(messages: readonly TaskMessage[]) {
      calls.push([...messages]);
      return messages.map(({ message }, index) =>
        message === 'bad' ? { error: new Error('refused') } : { messageId: `id-${index}` },
      );
    },
  };
  return { calls, gathered: gatherMessages(publisher, lingerMillis) };
}
/** A task that runs until it is ended. */
function running(gathered: ReturnType<typeof gatherMessages>) {
  let end = () => {};
  const ended = gathered.during(() => new Promise<void>((resolve) => (end = resolve)));
  return {
    async end() {
      end();
      await ended;
    },
  };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('gatherMessages', () => {
  test('sends a full ten for one topic at once, while others are pending', async () => {
    const { calls, gathered } = recorder(never);
    const task = running(gathered);
    const other = gathered.during((send) => send(messageTo('b')));
    await Promise.all(Array.from({ length: 10 }, () => gathered.during((send) => send(messageTo('a')))));
    expect(calls.map((call) => call.map(({ topicArn }) => topicArn))).toEqual([Array(10).fill('a')]);
    await task.end();
    await other;
    expect(calls[1]).toEqual([messageTo('b')]);
  });

  test('counts tasks, not messages: a task with three messages waits for the other', async () => {
    const { calls, gathered } = recorder(never);
    const task = running(gathered);
    const sent = gathered.during((send) =>
      Promise.all(['a', 'b', 'c'].map((topic) => send(messageTo(topic)))),
    );
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    expect(calls).toEqual([]);
    await task.end();
    await sent;
    expect(calls).toHaveLength(1);
  });

  test('waits no longer than the limit', async () => {
    const { calls, gathered } = recorder(1);
    const task = running(gathered);
    await gathered.during((send) => send(messageTo('a')));
    expect(calls).toHaveLength(1);
    await task.end();
  });

  test('waits no longer than ten times as long, even if others keep coming', async () => {
    const { calls, gathered } = recorder(20);
    const task = running(gathered);
    let n = 0;
    const sent: Promise<string>[] = [];
    while (calls.length === 0) {
      sent.push(gathered.during((send) => send(messageTo(`topic ${n++}`))));
      await new Promise(setImmediate);
    }
    expect(calls[0]?.[0]).toEqual(messageTo('topic 0'));
    await task.end();
    await Promise.all(sent);
  });

  test('holds no more than about a megabyte', async () => {
    const { calls, gathered } = recorder(never);
    const task = running(gathered);
    await Promise.all(
      [1, 2, 3, 4, 5].map((n) => gathered.during((send) => send(messageTo(`${n}`, 'x'.repeat(250_000))))),
    );
    expect(calls.map(({ length }) => length)).toEqual([5]);
    await task.end();
  });

  test('lets a megabyte wait, and no more', async () => {
    const { calls, gathered } = recorder(never);
    const task = running(gathered);
    const first = gathered.during((send) => send(messageTo('a', 'x'.repeat(1_048_576))));
    await sleep(5);
    expect(calls).toEqual([]);
    const second = gathered.during((send) => send(messageTo('b', 'x')));
    await Promise.all([first, second]);
    // Messages that have left no longer count.
    const third = gathered.during((send) => send(messageTo('c', 'x')));
    await sleep(5);
    expect(calls.map(({ length }) => length)).toEqual([2]);
    await task.end();
    await third;
  });

  test('counts ten for one topic from the last time that they left', async () => {
    const { calls, gathered } = recorder(never);
    const task = running(gathered);
    const sendAll = (count: number) =>
      Array.from({ length: count }, () => gathered.during((send) => send(messageTo('a'))));
    const early = sendAll(6);
    gathered.leave();
    const late = sendAll(9);
    await Promise.all(early);
    expect(calls.map(({ length }) => length)).toEqual([6]);
    await Promise.all([...late, ...sendAll(1), ...sendAll(10)]);
    expect(calls.map(({ length }) => length)).toEqual([6, 10, 10]);
    await task.end();
  });

  test('a task that goes on after it has sent is not waiting', async () => {
    const { calls, gathered } = recorder(never);
    let end = () => {};
    const first = gathered.during(async (send) => {
      await Promise.all([send(messageTo('a')), send(messageTo('b'))]);
      await new Promise<void>((resolve) => (end = resolve));
    });
    await sleep(5);
    expect(calls.map(({ length }) => length)).toEqual([2]);
    const second = gathered.during((send) => send(messageTo('c')));
    await sleep(5);
    expect(calls).toHaveLength(1);
    end();
    await Promise.all([first, second]);
    expect(calls.map(({ length }) => length)).toEqual([2, 1]);
  });

  test('rejects each sender with the error of the publisher', async () => {
    const down = new Error('down');
    const gathered = gatherMessages({ send: () => Promise.reject(down) }, never);
    const sent = ['a', 'b'].map((topic) => gathered.during((send) => send(messageTo(topic))));
    for (const each of sent) await expect(each).rejects.toBe(down);
  });

  test('drops what waits, with an error, and sends nothing where nothing waits', async () => {
    const { calls, gathered } = recorder(never);
    gathered.leave();
    const task = running(gathered);
    const sent = gathered.during((send) => send(messageTo('a')));
    const late = new Error('late');
    gathered.drop(late);
    await expect(sent).rejects.toBe(late);
    await task.end();
    await sleep(5);
    expect(calls).toEqual([]);
  });

  test('has one timer, and none once nothing waits', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { gathered } = recorder(60_000);
    const task = running(gathered);
    const sent = ['a', 'b'].map((topic) => gathered.during((send) => send(messageTo(topic))));
    expect(timers() - before).toBe(1);
    gathered.leave();
    expect(timers() - before).toBe(0);
    await Promise.all(sent);
    await task.end();
  });

  test('takes ten times the limit from when the oldest came', async () => {
    jest.useFakeTimers();
    const { calls, gathered } = recorder(60_000);
    const task = running(gathered);
    const sendTo = (topic: string) => gathered.during((send) => send(messageTo(topic)));
    const sent = [sendTo('a')];
    jest.advanceTimersByTime(590_000);
    sent.push(sendTo('b'));
    await sleep(50);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(9990);
    sent.push(sendTo('c'));
    await Promise.all(sent);
    expect(calls.map(({ length }) => length)).toEqual([3]);
    await task.end();
  });

  test('gives each sender its own outcome', async () => {
    const { gathered } = recorder(never);
    const outcomes = await Promise.allSettled(
      ['good', 'bad', 'good'].map((text) => gathered.during((send) => send(messageTo('a', text)))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('does not hang under fake timers', async () => {
    jest.useFakeTimers();
    const { calls, gathered } = recorder(5);
    await gathered.during((send) => send(messageTo('a')));
    expect(calls).toHaveLength(1);
  });
});
