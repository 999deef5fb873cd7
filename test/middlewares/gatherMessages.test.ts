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
