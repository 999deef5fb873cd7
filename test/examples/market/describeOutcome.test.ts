import { describe, expect, test } from '@jest/globals';
import { describeOutcome, isGood, type OutcomeContext } from '../../../examples/market/describeOutcome.ts';
import type { Outcome } from '../../../examples/market/Outcome.ts';
import { makeReport } from './makeReport.ts';

const good: Outcome = {
  sent: ['A', 'B'],
  arrived: new Set(['A', 'B']),
  deadLetters: [],
  done: { load: 2, analyse: 2, report: 2 },
  seconds: 1.23,
  batches: 4,
  retries: 0,
  bytes: { up: 2000, down: 1000 },
  calendars: 1,
  reports: [],
};
const context: OutcomeContext = { poisoned: new Set(), stopped: false, page: 'report.html' };
const deadB: Partial<Outcome> = {
  arrived: new Set(['A']),
  done: { load: 1, analyse: 1, report: 1 },
  deadLetters: [{ task: 'load', chain: 'B', problem: 'it is broken' }],
};

const endOf = (outcome: Outcome, parts: Partial<OutcomeContext> = {}): string | undefined =>
  describeOutcome(outcome, { ...context, ...parts }).at(-1);

describe('the last line', () => {
  test('of a successful run', () => {
    expect(endOf(good)).toBe('6 of 6 tasks finished; none was lost.');
    expect(isGood(good, context)).toBe(true);
  });

  test('lists chains that never finished', () => {
    const outcome = { ...good, arrived: new Set(['B']), done: { load: 2, analyse: 1, report: 1 } };
    expect(endOf(outcome)).toBe('4 of 6 tasks finished; 1 chain was lost: A.');
    expect(isGood(outcome, context)).toBe(false);
  });

  test('accepts a dead letter that --poison asked for', () => {
    const poisoned = new Set(['B']);
    expect(endOf({ ...good, ...deadB }, { poisoned })).toBe(
      '3 of 6 tasks finished; 1 message is in a dead-letter queue, as --poison asked for; none was lost.',
    );
    expect(isGood({ ...good, ...deadB }, { poisoned })).toBe(true);
  });

  test('does not accept any other dead letter', () => {
    expect(endOf({ ...good, ...deadB })).toBe(
      '3 of 6 tasks finished; 1 message is in a dead-letter queue; none was lost.',
    );
    expect(isGood({ ...good, ...deadB }, { poisoned: new Set(['A']) })).toBe(false);
  });

  test('counts a chain with an unreadable dead letter as lost', () => {
    const deadLetters = [{ task: 'load', chain: undefined, problem: undefined }];
    const outcome = { ...good, ...deadB, deadLetters };
    expect(endOf(outcome, { poisoned: new Set(['B']) })).toContain('1 chain was lost: B.');
    expect(isGood(outcome, { poisoned: new Set(['B']) })).toBe(false);
  });

  test('of an interrupted run', () => {
    const outcome = { ...good, arrived: new Set(['B']), done: { load: 2, analyse: 1, report: 1 } };
    expect(endOf(outcome, { stopped: true })).toBe(
      'Stopped: 4 of 6 tasks finished, 1 chain had not come to its end.',
    );
  });
});

test('the counts', () => {
  const text = describeOutcome({ ...good, ...deadB, retries: 2 }, context).join('\n');
  expect(text).toContain('tasks         1 load, 1 analyse, 1 report in 1.2 s\n');
  expect(text).toContain('batches       4\nretries       2\n');
  expect(text).toContain('S3            2.0 kB up, 1.0 kB down\n');
  expect(text).toContain('calendar      opened 1 time for 1 task\n');
  expect(text).toContain('dead letters  1\n              load: it is broken\n');
  expect(text).toContain('page          report.html\n');
});

test('the sum of all prices has every digit', async () => {
  const reports = [
    await makeReport('A', { '2000-01-03': '0.1', '2000-01-04': '0.2' }),
    await makeReport('B', { '2000-01-03': '10000000000000000.01' }),
  ];
  expect(describeOutcome({ ...good, reports }, context)).toContain(
    '3 prices add up to 10,000,000,000,000,000.31, exact to the last digit.',
  );
});
