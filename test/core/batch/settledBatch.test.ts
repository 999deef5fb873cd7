import { describe, expect, test } from '@jest/globals';
import { Ledger } from '../../../core/batch/ledger.ts';
import { BatchFailedError, letHookRead, settledBatch } from '../../../core/batch/settledBatch.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const records = () => [sqsRecord({ task_name: 'a' }), sqsRecord({ task_name: 'b' })];
const done = { status: 'fulfilled', value: 1 } as const;
const failed = { status: 'rejected', reason: new Error('broken') } as const;

describe('the outcome lists every record that is not done', () => {
  test.each<[string, PromiseSettledResult<number>[], number[]]>([
    ['all done', [done, done], []],
    ['one failed', [done, failed], [1]],
    ['too short', [done], [1]],
    ['empty', [], [0, 1]],
    ['an element that is not an outcome', [done, 'done' as never], [1]],
  ])('%s', (_, outcomes, indices) => {
    const batch = records();
    const settled = settledBatch([...outcomes], new Ledger(batch), true);
    const named = indices.map((index) => ({ itemIdentifier: batch[index]?.messageId }));
    expect(settled.batchItemFailures).toEqual(named);
    if (named.length === 0) expect(JSON.stringify(settled)).toBe('{"batchItemFailures":[]}');
    else expect(() => JSON.stringify(settled)).toThrow(BatchFailedError);
  });

  test('including those that the ledger saw fail, even if the array was changed', () => {
    const batch = records();
    const ledger = new Ledger(batch);
    for (const record of batch) ledger.end(ledger.begin(record), { reason: 'broken' });
    const settled = settledBatch<number>([done, done], ledger, true);
    expect(settled.batchItemFailures).toHaveLength(2);
    expect(() => JSON.stringify(settled)).toThrow('2 of 2 records failed');
  });
});

test('a hook may serialise an outcome in the tick in which it read it', async () => {
  const settled = settledBatch<number>([done, failed], new Ledger(records()), true);
  letHookRead(settled);
  expect(JSON.parse(JSON.stringify(settled)).batchItemFailures).toHaveLength(1);
  await Promise.resolve();
  expect(() => JSON.stringify(settled)).toThrow(BatchFailedError);
});
