import Big from 'big.js';
import { drawTable } from './drawTable.ts';
import { format } from './format.ts';
import type { Outcome } from './Outcome.ts';

/** What is known beside the outcome: which chains were meant to fail, and where the page is. */
export interface OutcomeContext {
  poisoned: ReadonlySet<string>;
  /** Whether it was stopped before its end. */
  stopped: boolean;
  page: string;
}

/** Tells in lines of text what came of the chains: the table, the counts, and how it ended. */
export function describeOutcome(outcome: Outcome, context: OutcomeContext): string[] {
  return [
    '',
    ...(outcome.reports.length > 0 ? [...drawTable(outcome.reports), '', describeSum(outcome), ''] : []),
    ...describeCounts(outcome, context),
    '',
    describeEnd(outcome, context),
  ];
}

/** Whether all went as it should: every chain came to its end, but for those that were meant not to. */
export function isGood(outcome: Outcome, { poisoned }: Pick<OutcomeContext, 'poisoned'>): boolean {
  const asMeant = outcome.deadLetters.every(({ chain }) => chain !== undefined && poisoned.has(chain));
  return asMeant && lostOf(outcome).length === 0;
}

/** Chains that were sent, and neither came to their end nor to a dead-letter queue. */
function lostOf({ sent, arrived, deadLetters }: Outcome): string[] {
  const dead = new Set(deadLetters.map(({ chain }) => chain));
  return sent.filter((chain) => !arrived.has(chain) && !dead.has(chain));
}

function describeSum({ reports }: Outcome): string {
  const sum = reports.reduce((total, { analysis }) => total.plus(analysis.sum), new Big(0));
  const count = reports.reduce((total, { analysis }) => total + analysis.count, 0);
  return `${format.count(count, 'price')} add up to ${format.price(sum)}, exact to the last digit.`;
}

function describeCounts(outcome: Outcome, { page }: OutcomeContext): string[] {
  const { done, batches, retries, bytes, calendars, deadLetters, seconds } = outcome;
  const tasks = Object.entries(done).map(([task, count]) => `${count.toLocaleString('en-US')} ${task}`);
  const rows: [string, string][] = [
    ['tasks', `${tasks.join(', ')} in ${seconds.toFixed(1)} s`],
    ['batches', batches.toLocaleString('en-US')],
    ['retries', retries.toLocaleString('en-US')],
    ['S3', `${format.bytes(bytes.up)} up, ${format.bytes(bytes.down)} down`],
    ['calendar', `opened ${format.count(calendars, 'time')} for ${format.count(done.analyse ?? 0, 'task')}`],
    ['dead letters', deadLetters.length.toLocaleString('en-US')],
    ...describeProblems(outcome).map((problem): [string, string] => ['', problem]),
    ['page', page],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)}  ${text}`);
}

/** The same problem of many messages is told once. */
function describeProblems({ deadLetters }: Outcome): string[] {
  return [
    ...new Set(
      deadLetters.map(({ task, problem }) => `${task}: ${problem ?? 'the message could not be read'}`),
    ),
  ];
}

function describeEnd(outcome: Outcome, { poisoned, stopped }: OutcomeContext): string {
  const lost = lostOf(outcome);
  const counts = Object.values(outcome.done);
  const finished = counts.reduce((sum, count) => sum + count, 0);
  const tasks = `${finished.toLocaleString('en-US')} of ${format.count(outcome.sent.length * counts.length, 'task')} finished`;
  const dead = outcome.deadLetters.length;
  if (stopped)
    return `Stopped: ${tasks}, ${format.count(lost.length, 'chain')} had not come to ${lost.length === 1 ? 'its' : 'their'} end.`;
  const asMeant = outcome.deadLetters.every(({ chain }) => chain !== undefined && poisoned.has(chain));
  const failed = `${format.count(dead, 'message')} ${dead === 1 ? 'is' : 'are'} in a dead-letter queue`;
  const parts = [tasks, ...(dead > 0 ? [`${failed}${asMeant ? ', as --poison asked for' : ''}`] : [])];
  const end =
    lost.length > 0
      ? `${format.count(lost.length, 'chain')} ${lost.length === 1 ? 'was' : 'were'} lost: ${lost.join(', ')}`
      : 'none was lost';
  return `${[...parts, end].join('; ')}.`;
}
