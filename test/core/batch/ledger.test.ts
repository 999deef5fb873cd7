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

test('the records are those of the event, even if that list is emptied', () => {
  const records = [sqsRecord({ task_name: 'a' }), sqsRecord({ task_name: 'b' })];
  const ledger = new Ledger(records);
  const [first, second] = records.splice(0);
  expect(ledger.records).toEqual([first, second]);
});

test('the ids of the same record objects are not read again', () => {
  let reads = 0;
  const record = Object.defineProperty(sqsRecord({ task_name: 'a' }), 'messageId', {
    get: () => {
      reads += 1;
      return 'a';
    },
  });
  const ledger = new Ledger([record]);
  reads = 0;
  expect(ledger.matches({ Records: [record] })).toBe(true);
  expect(reads).toBe(0);
});

test('a failure counts until all runs of that time have ended', () => {
  const record = sqsRecord({ task_name: 'a' });
  const ledger = new Ledger([record]);
  const [first, second] = [ledger.begin(record), ledger.begin(record)];
  ledger.end(first, { reason: 'broken' });
  const third = ledger.begin(record);
  ledger.end(second);
  ledger.end(third);
  expect(ledger.undone()).toMatchObject([{ state: 'failed', reason: 'broken' }]);
  ledger.end(ledger.begin(record));
  expect(ledger.undone()).toEqual([]);
});

test('a record that is acknowledged again, or run again, does not count for another one', () => {
  const [a, b] = [sqsRecord({ task_name: 'a' }), sqsRecord({ task_name: 'b' })];
  const ledger = new Ledger([a, b]);
  for (let n = 0; n < 3; n += 1) {
    ledger.acknowledge(a);
    expect(ledger.undone()).toMatchObject([{ index: 1, state: 'untouched' }]);
  }
  const run = ledger.begin(a);
  expect(ledger.undone()).toMatchObject([{ state: 'running' }, { state: 'untouched' }]);
  ledger.end(run);
  expect(ledger.undone()).toMatchObject([{ index: 1 }]);
});
