import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';
import { type EventTarget, type EventWriter, writersOf } from '../../../middlewares/events/eventWriter.ts';
import { keyTime } from '../../../middlewares/events/readEventObjects.ts';

const eventOf = (n: number) => ({ at: n }) as unknown as ChainEvent;
const writerOf = (target: EventTarget) => writersOf('chainEvents', 'sinks', target)[0] as EventWriter;

/** A sink that records its writes, and answers when it is told to. */
function recorded(options: { lingerMillis?: number; isSlow?: boolean } = {}) {
  const writes: number[][] = [];
  const answers: (() => void)[] = [];
  const { isSlow = false, ...rest } = options;
  const writer = writerOf({
    ...rest,
    write(events) {
      writes.push(events.map(({ at }) => at));
      return isSlow ? new Promise<void>((resolve) => answers.push(resolve)) : Promise.resolve();
    },
  });
  return { writer, writes, answer: () => answers.shift()?.() };
}

let warned: unknown[] = [];
const listenToWarnings = () => {
  warned = [];
  jest.spyOn(console, 'warn').mockImplementation((error) => void warned.push(error));
};
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the writer of a sink', () => {
  test('is the same for each option that has the sink, and is checked', () => {
    const sink = { write: async () => {} };
    const write = async () => {};
    expect(writerOf(sink)).toBe(writerOf(sink));
    const [first, second] = writersOf('chainEvents', 'sinks', [sink, write]);
    expect([first, second]).toEqual([writerOf(sink), writerOf(write)]);
    expect(first).not.toBe(second);
    expect(() => writerOf({} as never)).toThrow(/^chainEvents: sinks must be/);
  });

  test('writes the events that come within its time together', async () => {
    const { writer, writes } = recorded({ lingerMillis: 20 });
    writer.add(eventOf(1));
    writer.add(eventOf(2));
    expect(writes).toEqual([]);
    await sleep(60);
    expect(writes).toEqual([[1, 2]]);
    writer.add(eventOf(3));
    await writer.flush(1000);
    expect(writes).toEqual([[1, 2], [3]]);
    await sleep(40);
    expect(writes).toHaveLength(2);
  });

  test('writes each event at once if its time is 0', () => {
    const { writer, writes } = recorded({ lingerMillis: 0 });
    writer.add(eventOf(1));
    expect(writes).toEqual([[1]]);
  });

  test('writes one after the other, with at most 1000 events', async () => {
    const { writer, writes, answer } = recorded({ isSlow: true });
    for (let n = 0; n < 1001; n += 1) writer.add(eventOf(n));
    const flushed = writer.flush(10_000);
    await sleep(5);
    expect(writes.map(({ length }) => length)).toEqual([1000]);
    answer();
    await sleep(5);
    expect(writes.map(({ length }) => length)).toEqual([1000, 1]);
    expect(writes[1]).toEqual([1000]);
    answer();
    await flushed;
  });

  test('waits no longer than asked for', async () => {
    const { writer, answer } = recorded({ isSlow: true });
    await writer.flush(60_000);
    writer.add(eventOf(1));
    await writer.flush(5);
    answer();
    await writer.flush(60_000);
  });

  test('drops events above 10,000 that wait, and says so once', async () => {
    listenToWarnings();
    const { writer, writes, answer } = recorded({ isSlow: true, lingerMillis: 60_000 });
    for (let n = 0; n < 10_000; n += 1) writer.add(eventOf(n));
    expect(warned).toEqual([]);
    writer.add(eventOf(-1));
    writer.add(eventOf(-2));
    expect(warned).toEqual([expect.objectContaining({ code: 'EVENTS_DROPPED', retryable: true })]);
    const flushed = writer.flush(10_000);
    for (let write = 0; write < 10; write += 1) {
      await sleep(1);
      answer();
    }
    await flushed;
    expect(writes.flat()).not.toContain(-1);
    expect(writes.flat()).toHaveLength(10_000);
  });

  test.each<[string, () => unknown, string]>([
    ['rejects', () => Promise.reject(Object.assign(new Error('no'), { code: 'E_NO' })), '(E_NO: no)'],
    [
      'throws',
      () => {
        throw new TypeError('broken');
      },
      '(TypeError: broken)',
    ],
    ['throws a text', () => Promise.reject('text'), '(undefined: text)'],
  ])('goes on if the sink %s, and says so once', async (_, fail, detail) => {
    listenToWarnings();
    const writer = writerOf((() => fail()) as never);
    for (const n of [1, 2]) {
      writer.add(eventOf(n));
      await writer.flush(1000);
    }
    expect(warned).toEqual([expect.objectContaining({ code: 'EVENTS_NOT_WRITTEN', retryable: true })]);
    expect((warned[0] as Error).message).toContain(detail);
  });

  test('takes a sink that answers with nothing', async () => {
    const seen: unknown[] = [];
    const writer = writerOf(((events: unknown) => void seen.push(events)) as never);
    writer.add(eventOf(1));
    await writer.flush(1000);
    expect(seen).toEqual([[eventOf(1)]]);
  });
});

test('keys are in the order of their times', () => {
  expect([keyTime(5), keyTime(1_700_000_000_000)]).toEqual(['000000000000005', '001700000000000']);
});
