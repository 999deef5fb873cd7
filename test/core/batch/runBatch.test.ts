import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Deadline, startDeadline } from '../../../core/batch/deadline.ts';
import { runBatch } from '../../../core/batch/runBatch.ts';
import type { SqsRecord } from '../../../core/index.ts';
import { gate } from '../../local/tools.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const endless = () => startDeadline(undefined, 0);
const turn = () => new Promise(setImmediate);

/** Records of a queue, or of the message groups of a FIFO queue. */
const recordsOf = (names: readonly string[], groups?: string): SqsRecord[] =>
  names.map((messageId, index) => ({
    ...sqsRecord({ task_name: 'work' }, { messageId }),
    ...(groups && {
      eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:work.fifo',
      attributes: { ...sqsRecord('').attributes, MessageGroupId: groups[index] },
    }),
  })) as SqsRecord[];

/** Runs records that free their lanes at once, and end when they are told. */
function runWaiting(records: SqsRecord[], concurrency: number, deadline: Deadline = endless()) {
  const started: string[] = [];
  const gates = new Map(records.map(({ messageId }) => [messageId, gate()]));
  const run = async (record: unknown, freeLane: () => boolean) => {
    const { messageId } = record as SqsRecord;
    started.push(messageId);
    await turn();
    freeLane();
    await gates.get(messageId)?.opened;
    if (messageId.startsWith('bad')) throw new Error('broken');
    return messageId;
  };
  const outcomes = runBatch(records, run, { concurrency, deadline });
  return { started, end: (name: string) => gates.get(name)?.open(), outcomes };
}

describe('a record that only waits to send', () => {
  test('frees its lane, and the batch waits for it', async () => {
    const { started, end, outcomes } = runWaiting(recordsOf(['a', 'b', 'c']), 1);
    for (let n = 0; n < 5; n += 1) await turn();
    expect(started).toEqual(['a', 'b', 'c']);
    let isDone = false;
    void outcomes.then(() => {
      isDone = true;
    });
    for (const name of ['c', 'a']) end(name);
    await turn();
    expect(isDone).toBe(false);
    end('b');
    expect(await outcomes).toEqual(['a', 'b', 'c'].map((value) => ({ status: 'fulfilled', value })));
  });

  test('keeps the rest of its FIFO group waiting, but not other groups', async () => {
    const { started, end, outcomes } = runWaiting(recordsOf(['a1', 'a2', 'b1', 'b2'], 'AABB'), 1);
    for (let n = 0; n < 5; n += 1) await turn();
    expect(started).toEqual(['a1', 'b1']);
    end('b1');
    for (let n = 0; n < 3; n += 1) await turn();
    expect(started).toEqual(['a1', 'b1', 'b2']);
    for (const name of ['a1', 'a2', 'b2']) end(name);
    await outcomes;
    expect(started).toEqual(['a1', 'b1', 'b2', 'a2']);
  });

  test('halts its FIFO group if sending fails', async () => {
    const { started, end, outcomes } = runWaiting(recordsOf(['bad', 'a2', 'b1'], 'AAB'), 1);
    for (const name of ['bad', 'b1']) end(name);
    expect(await outcomes).toMatchObject([
      { reason: { message: 'broken' } },
      { reason: { code: 'GROUP_HALTED' } },
      { value: 'b1' },
    ]);
    expect(started).toEqual(['bad', 'b1']);
  });

  test('does not start another one after the deadline, and counts as failed at the cut-off', async () => {
    const stop = new AbortController();
    const { started, outcomes } = runWaiting(
      recordsOf(['a', 'b']),
      1,
      startDeadline(undefined, 0, stop.signal),
    );
    stop.abort();
    expect(await outcomes).toMatchObject([
      { reason: { code: 'DEADLINE' } },
      { reason: { code: 'NOT_STARTED' } },
    ]);
    await turn();
    expect(started).toEqual(['a']);
  });

  test('does not start another one in its own async context', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const run = (record: unknown, freeLane: () => boolean) => {
      seen.push(storage.getStore());
      return storage.run((record as SqsRecord).messageId, async () => {
        await turn();
        freeLane();
        await turn();
      });
    };
    await runBatch(recordsOf(['a', 'b', 'c']), run, { concurrency: 1, deadline: endless() });
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  test('a hundred may wait; the next one keeps its lane', async () => {
    const names = Array.from({ length: 150 }, (_, n) => String(n));
    const { started, end, outcomes } = runWaiting(recordsOf(names), 1);
    for (let n = 0; n < 200; n += 1) await turn();
    expect(started).toHaveLength(101);
    for (const name of names) end(name);
    expect(await outcomes).toHaveLength(150);
    expect(started).toEqual(names);
  });

  test('frees its lane once', async () => {
    const freed: boolean[] = [];
    const running = { now: 0, most: 0 };
    const run = async (_record: unknown, freeLane: () => boolean) => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await turn();
      running.now -= 1;
      freed.push(freeLane(), freeLane());
      await turn();
    };
    await runBatch(recordsOf(['a', 'b', 'c', 'd']), run, { concurrency: 1, deadline: endless() });
    expect(freed).toEqual(Array(4).fill([true, false]).flat());
    expect(running.most).toBe(1);
  });

  test('fails the batch if the clock fails when it frees its lane', async () => {
    let reads = 0;
    const isOver = () => {
      reads += 1;
      if (reads > 1) throw new Error('no clock');
      return false;
    };
    const run = async (_record: unknown, freeLane: () => boolean) => {
      await turn();
      freeLane();
      await new Promise(() => {});
    };
    const deadline = { ...endless(), isOver };
    const outcomes = runBatch(recordsOf(['a', 'b']), run, { concurrency: 1, deadline });
    await expect(outcomes).rejects.toThrow('no clock');
  });

  test('a hundred may wait, and no more than `concurrency` others run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.record({ works: fc.nat(3), waits: fc.option(fc.nat(200)) }), { maxLength: 250 }),
        async (concurrency, tasks) => {
          let running = 0;
          let waiting = 0;
          const most = { running: 0, waiting: 0 };
          const turns = async (count: number) => {
            for (let n = 0; n < count; n += 1) await turn();
          };
          const run = async (record: unknown, freeLane: () => boolean) => {
            const { works, waits } = tasks[Number((record as SqsRecord).messageId)] as (typeof tasks)[number];
            running += 1;
            most.running = Math.max(most.running, running);
            await turns(works);
            const isFree = waits !== null && freeLane();
            if (isFree) {
              running -= 1;
              waiting += 1;
            }
            most.waiting = Math.max(most.waiting, waiting);
            await turns(waits ?? 0);
            if (isFree) waiting -= 1;
            else running -= 1;
          };
          const records = recordsOf(tasks.map((_, index) => String(index)));
          const outcomes = await runBatch(records, run, { concurrency, deadline: endless() });
          expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
          expect(most.running).toBeLessThanOrEqual(concurrency);
          expect(most.waiting).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a record that was made by hand', () => {
  const order = async (records: readonly object[]) => {
    const steps: string[] = [];
    const run = async (record: unknown) => {
      const { messageId } = record as SqsRecord;
      steps.push(`${messageId} starts`);
      await turn();
      steps.push(`${messageId} ends`);
      if (messageId === 'bad') throw new Error('broken');
    };
    const options = { concurrency: 10, deadline: endless() };
    return { outcomes: await runBatch(records as SqsRecord[], run, options), steps };
  };

  test('runs without a queue, or without a message group', async () => {
    const Sns = { MessageId: 's', TopicArn: 't', Message: '{}', Timestamp: '' };
    const eventSourceARN = 'arn:aws:sqs:us-east-1:123456789012:work.fifo';
    const { outcomes, steps } = await order([
      { messageId: 'a', body: '{}' },
      { Sns, messageId: 'b', eventSourceARN },
      { messageId: 'bad', body: '{}', eventSourceARN },
      { messageId: 'c', body: '{}', eventSourceARN, attributes: {} },
    ]);
    expect(steps.slice(0, 3)).toEqual(['a starts', 'b starts', 'bad starts']);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
      { reason: { message: 'broken' } },
      { reason: { name: 'GroupHaltedError', code: 'GROUP_HALTED' } },
    ]);
  });
});

test('nothing starts once nothing may leave', async () => {
  const deadline = startDeadline(undefined, 0, AbortSignal.abort());
  const run = () => Promise.reject(new Error('started'));
  expect(
    await runBatch(recordsOf(['a']), run, { concurrency: 1, deadline, notStarted: 'late' }),
  ).toMatchObject([{ reason: { code: 'NOT_STARTED', message: 'late' } }]);
});
