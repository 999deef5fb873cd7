import { describe, expect, test } from '@jest/globals';
import { sendReported } from '../../../middlewares/callbacks/sendReported.ts';

const messages = ['a', 'b'].map((topicArn) => ({ topicArn, message: '{}' }));
const plan = {
  role: 'callback',
  following: [{ task_name: 'a' }, { task_name: 'b', callback: 'a#b' }],
} as const;

/** Sends the messages of a task. Returns what happened, in its order. */
async function send(
  options: { isReported?: boolean; isOver?: boolean; failing?: string } = {},
): Promise<{ events: unknown[]; error: unknown }> {
  const { isReported = true, isOver = false, failing } = options;
  const events: unknown[] = [];
  const run = {
    cutoff: isOver ? AbortSignal.abort() : new AbortController().signal,
    waitToSend: () => events.push('waiting'),
    ...(isReported && { report: (event: unknown) => events.push(event) }),
  };
  const sending = sendReported(run as never, plan, messages, async ({ topicArn }) => {
    events.push(`to ${topicArn}`);
    if (topicArn === failing) throw new Error('refused');
    return `id of ${topicArn}`;
  });
  return {
    error: await sending.then(
      () => undefined,
      (reason) => reason,
    ),
    events,
  };
}

const published = (...sent: object[]) => ({
  type: 'published',
  messages: sent,
  durationMillis: expect.any(Number),
});
const first = { messageId: 'id of a', taskName: 'a', role: 'callback' };
const second = { messageId: 'id of b', taskName: 'b', role: 'callback', callback: 'a#b' };

describe('the messages of a task', () => {
  test('are reported once they are sent', async () => {
    const { events, error } = await send();
    expect(error).toBeUndefined();
    expect(events).toStrictEqual(['waiting', 'to a', 'to b', published(first, second)]);
    expect((events.at(-1) as { durationMillis: number }).durationMillis).toBeLessThan(10_000);
  });

  test('are reported if another one failed', async () => {
    const { events, error } = await send({ failing: 'b' });
    expect(error).toEqual(new Error('refused'));
    expect(events).toStrictEqual(['waiting', 'to a', 'to b', published(first)]);
  });

  test('are sent without a report too', async () => {
    expect(await send({ isReported: false })).toEqual({
      events: ['waiting', 'to a', 'to b'],
      error: undefined,
    });
    expect((await send({ isReported: false, failing: 'a' })).error).toEqual(new Error('refused'));
  });

  test('are not sent when nothing may leave any more', async () => {
    const { events, error } = await send({ isOver: true });
    expect(error).toMatchObject({ name: 'DeadlineError' });
    expect(events).toEqual([]);
  });
});

test('nothing is reported if no message was sent', async () => {
  const events: unknown[] = [];
  const run = {
    cutoff: new AbortController().signal,
    waitToSend() {},
    report: (event: unknown) => events.push(event),
  };
  const failing = sendReported(run as never, plan, messages, async () => {
    throw new Error('refused');
  });
  await expect(failing).rejects.toThrow('refused');
  await sendReported(run as never, { role: 'callback', following: [] }, [], async () => '');
  expect(events).toEqual([]);
});
