import Big from 'big.js';
import { drawTable } from './drawTable.ts';
import { format } from './format.ts';
import type { Outcome } from './Outcome.ts';

/** The context of an outcome: the chains that should fail, and the path of the page. */
export interface OutcomeContext {
  poisoned: ReadonlySet<string>;
  /** Whether the run was interrupted. */
  stopped: boolean;
  page: string;
}

/** Describes the outcome in lines of text: the table, the counts and the result. */
export function describeOutcome(outcome: Outcome, context: OutcomeContext): string[] {
  return [
    '',
    ...(outcome.reports.length > 0 ? [...drawTable(outcome.reports), '', describeSum(outcome), ''] : []),
    ...describeCounts(outcome, context),
    '',
    describeEnd(outcome, context),
  ];
}

/** Whether every chain was completed, except those that should fail. */
export function isGood(outcome: Outcome, { poisoned }: Pick<OutcomeContext, 'poisoned'>): boolean {
  const asMeant = outcome.deadLetters.every(({ chain }) => chain !== undefined && poisoned.has(chain));
  return asMeant && lostOf(outcome).length === 0;
}

/** The chains that were sent, but neither completed nor dead-lettered. */
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

/** Groups messages with the same problem. */
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
