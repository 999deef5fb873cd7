import { expect, test } from '@jest/globals';
import { EventReplacedError, Ledger } from '../../../core/batch/ledger.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

test('a record that was not in the event cannot be run or acknowledged', () => {
  const ledger = new Ledger([sqsRecord({ task_name: 'a' })]);
  const other = sqsRecord({ task_name: 'b' });
  expect(() => ledger.begin(other)).toThrow(EventReplacedError);
  expect(() => ledger.acknowledge(other)).toThrow(EventReplacedError);
  expect(ledger.touched).toBe(false);
});

test('a run ends once; the ledger is idle after the last', async () => {
  const record = sqsRecord({ task_name: 'a' });
  const ledger = new Ledger([record]);
  await ledger.idle();
  const [first, second, part] = [record, record, { ...record }].map((each) => ledger.begin(each));
  expect([first?.part, second?.part, part?.part]).toEqual([0, 0, 1]);
  let isIdle = false;
  const idle = ledger.idle().then(() => {
    isIdle = true;
  });
  if (!first || !second || !part) throw new Error('not begun');
  ledger.end(first);
  ledger.end(first, { reason: 'again' });
  ledger.end(second);
  await Promise.resolve();
  expect([ledger.running, isIdle, ledger.undone()[0]?.state]).toEqual([1, false, 'running']);
  ledger.end(part);
  await idle;
  expect(ledger.undone()).toEqual([]);
});

test('an acknowledged record is done unless one of its runs failed', () => {
  const [done, failed, untouched] = ['a', 'b', 'c'].map((task_name) => sqsRecord({ task_name })) as [
    ReturnType<typeof sqsRecord>,
    ReturnType<typeof sqsRecord>,
    ReturnType<typeof sqsRecord>,
  ];
  const ledger = new Ledger([done, failed, untouched]);
  for (const record of [done, failed]) ledger.acknowledge(record);
  ledger.end(ledger.begin(failed), { reason: 'broken' });
  ledger.note(done.messageId, 'named');
  expect(ledger.undone().map(({ index, state }) => [index, state])).toEqual([
    [0, 'failed'],
    [1, 'failed'],
    [2, 'untouched'],
  ]);
  expect(ledger.undone({ exceptUntouched: true })).toHaveLength(2);
});
