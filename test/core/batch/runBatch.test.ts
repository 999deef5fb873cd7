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
