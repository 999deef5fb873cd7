import { describe, expect, test } from '@jest/globals';
import Big from 'big.js';
import {
  describeOutcome,
  isGood,
  type OutcomeContext,
} from '../../../../examples/market/output/describeOutcome.ts';
import type { DeadLetter, Outcome } from '../../../../examples/market/runMarket.ts';

const good: Outcome = {
  companies: ['A', 'B'].map((symbol) => ({ symbol, quotes: [] })),
  repeat: 2,
  failures: 'collect',
  sent: ['one', 'two'],
  arrived: new Set(['one', 'two']),
  deadLetters: [],
  done: { split: 2, load: 4, analyse: 4, portfolio: 2 },
  seconds: 1.23,
  batches: 4,
  retries: 0,
  bytes: { up: 2000, down: 1000 },
  calendars: 1,
  reports: [],
  portfolio: undefined,
};
const letter: DeadLetter = { task: 'load', chainId: 'two', symbol: 'B', problem: 'it is broken' };
const collected: Outcome = {
  ...good,
  done: { split: 2, load: 3, analyse: 3, portfolio: 2 },
  deadLetters: [letter],
};
const waiting: Outcome = {
  ...collected,
  failures: 'wait',
  arrived: new Set(['one']),
  done: { split: 2, load: 3, analyse: 3, portfolio: 1 },
};
const context: OutcomeContext = { victim: undefined, stopped: false, page: 'report.html' };
const poisoned: OutcomeContext = { ...context, victim: 'B' };

const endOf = (outcome: Outcome, ofContext = context): string | undefined =>
  describeOutcome(outcome, ofContext).at(-1);

describe('the last line', () => {
  test('of a successful run', () => {
    expect(endOf(good)).toBe('12 of 12 tasks finished; none was lost.');
    expect(isGood(good, context)).toBe(true);
  });

  test('lists chains that never came to their portfolio', () => {
    const outcome = {
      ...good,
      arrived: new Set(['two']),
      done: { split: 2, load: 4, analyse: 3, portfolio: 1 },
    };
    expect(endOf(outcome)).toBe('10 of 12 tasks finished; 1 chain was lost: one.');
    expect(isGood(outcome, context)).toBe(false);
  });

  test('accepts a dead letter that --poison asked for', () => {
    expect(endOf(collected, poisoned)).toBe(
      '10 of 12 tasks finished; 1 message is in a dead-letter queue, as --poison asked for; none was lost.',
    );
    expect(isGood(collected, poisoned)).toBe(true);
  });

  test('does not accept any other dead letter', () => {
    expect(endOf(collected)).toBe(
      '10 of 12 tasks finished; 1 message is in a dead-letter queue; none was lost.',
    );
    expect(isGood(collected, context)).toBe(false);
    expect(isGood(collected, { victim: 'A' })).toBe(false);
  });

  test('says that a portfolio waits for a redrive', () => {
    expect(endOf(waiting, poisoned)).toBe(
      '9 of 12 tasks finished; 1 message is in a dead-letter queue, as --poison asked for; 1 portfolio waits for a redrive; none was lost.',
    );
    expect(isGood(waiting, poisoned)).toBe(true);
  });

  test('counts a portfolio as lost that should have collected its error', () => {
    const outcome: Outcome = { ...waiting, failures: 'collect' };
    expect(endOf(outcome, poisoned)).toContain('1 chain was lost: two.');
    expect(isGood(outcome, poisoned)).toBe(false);
  });

  test('does not accept an unreadable dead letter', () => {
    const deadLetters = [{ task: 'load', chainId: undefined, symbol: undefined, problem: undefined }];
    const outcome = { ...waiting, deadLetters };
    expect(endOf(outcome, poisoned)).toContain('1 chain was lost: two.');
    expect(isGood(outcome, poisoned)).toBe(false);
    expect(isGood(outcome, context)).toBe(false);
  });

  test('of an interrupted run', () => {
    const outcome = {
      ...good,
      arrived: new Set(['two']),
      done: { split: 2, load: 4, analyse: 3, portfolio: 1 },
    };
    expect(endOf(outcome, { ...context, stopped: true })).toBe(
      'Stopped: 10 of 12 tasks finished, 1 portfolio had not come to its end.',
    );
  });
});

test('the counts', () => {
  const text = describeOutcome({ ...collected, retries: 2 }, context).join('\n');
  expect(text).toContain('portfolio     not yet\n');
  expect(text).toContain('tasks         2 split, 3 load, 3 analyse, 2 portfolio in 1.2 s\n');
  expect(text).toContain('batches       4\nretries       2\n');
  expect(text).toContain('S3            2.0 kB up, 1.0 kB down\n');
  expect(text).toContain('calendar      opened 1 time for 3 tasks\n');
  expect(text).toContain('dead letters  1\n              load: it is broken\n');
  expect(text).toContain('report        report.html\n');
});

test('the portfolio, and the sum of all prices with every digit', () => {
  const sum = new Big('10000000000000000.31');
  const portfolio = { companies: ['A'], count: 3, sum, change: 0.5, best: 'A', worst: 'A', problems: ['B'] };
  const lines = describeOutcome({ ...good, portfolio }, context);
  expect(lines).toContain('3 prices add up to 10,000,000,000,000,000.31, exact to the last digit.');
  expect(lines).toContain(
    'portfolio     1 of 2 companies, +50.0 % on average; best A, worst A; 1 error collected',
  );
});
