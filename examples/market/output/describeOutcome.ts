import type { DeadLetter, Outcome } from '../runMarket.ts';
import { drawTable } from './drawTable.ts';
import { format } from './format.ts';

/** The context of an outcome. */
export interface OutcomeContext {
  /** The company that should fail. */
  victim: string | undefined;
  /** Whether the run was interrupted. */
  stopped: boolean;
  /** The path of the page. */
  page: string;
}

/** Describes the outcome in lines of text: the table, the counts and the result. */
export function describeOutcome(outcome: Outcome, context: OutcomeContext): string[] {
  const { reports, portfolio } = outcome;
  return [
    '',
    ...(reports.length > 0 ? [...drawTable(reports), ''] : []),
    ...(portfolio
      ? [
          `${format.count(portfolio.count, 'price')} add up to ${format.price(portfolio.sum)}, exact to the last digit.`,
          '',
        ]
      : []),
    ...describeCounts(outcome, context),
    '',
    describeEnd(outcome, context),
  ];
}

/** Whether every chain came to its end, except where a company should fail. */
export function isGood(outcome: Outcome, { victim }: Pick<OutcomeContext, 'victim'>): boolean {
  return outcome.deadLetters.every(isMeant(victim)) && lostOf(outcome).length === 0;
}

const isMeant =
  (victim: string | undefined) =>
  ({ symbol }: DeadLetter): boolean =>
    symbol !== undefined && symbol === victim;

/** The chains that neither came to a portfolio nor wait for a dead letter. */
function lostOf({ sent, arrived, deadLetters, failures }: Outcome): string[] {
  const holdsUp = ({ task }: DeadLetter) => failures === 'wait' || task === 'split' || task === 'portfolio';
  const waiting = new Set(deadLetters.filter(holdsUp).map(({ chainId }) => chainId));
  return sent.filter((chain) => !arrived.has(chain) && !waiting.has(chain));
}

function describeCounts(outcome: Outcome, { page }: OutcomeContext): string[] {
  const { done, batches, retries, bytes, calendars, deadLetters, seconds } = outcome;
  const tasks = Object.entries(done).map(([task, count]) => `${count.toLocaleString('en-US')} ${task}`);
  const rows: [string, string][] = [
    ['portfolio', describePortfolio(outcome)],
    ['tasks', `${tasks.join(', ')} in ${seconds.toFixed(1)} s`],
    ['batches', batches.toLocaleString('en-US')],
    ['retries', retries.toLocaleString('en-US')],
    ['S3', `${format.bytes(bytes.up)} up, ${format.bytes(bytes.down)} down`],
    [
      'calendar',
      `opened ${format.count(calendars, 'time')} for ${format.count(done['analyse'] ?? 0, 'task')}`,
    ],
    ['dead letters', deadLetters.length.toLocaleString('en-US')],
    ...describeProblems(outcome).map((problem): [string, string] => ['', problem]),
    ['report', page],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)}  ${text}`);
}

function describePortfolio({ portfolio, companies }: Outcome): string {
  if (!portfolio) return 'not yet';
  const { change, best, worst, problems } = portfolio;
  const count = `${portfolio.companies.length} of ${format.count(companies.length, 'company', 'companies')}`;
  const mean =
    change === null
      ? ''
      : `, ${format.percent(change, { sign: true })} on average; best ${best}, worst ${worst}`;
  return `${count}${mean}${problems.length > 0 ? `; ${format.count(problems.length, 'error')} collected` : ''}`;
}

/** Groups messages with the same problem. */
function describeProblems({ deadLetters }: Outcome): string[] {
  return [
    ...new Set(
      deadLetters.map(({ task, problem }) => `${task}: ${problem ?? 'the message could not be read'}`),
    ),
  ];
}

function describeEnd(outcome: Outcome, { victim, stopped }: OutcomeContext): string {
  const { sent, arrived, companies, deadLetters } = outcome;
  const finished = Object.values(outcome.done).reduce((sum, count) => sum + count, 0);
  // The page may have sent more.
  const all = Math.max(finished, sent.length * (2 * companies.length + 2));
  const tasks = `${finished.toLocaleString('en-US')} of ${format.count(all, 'task')} finished`;
  const left = sent.filter((chain) => !arrived.has(chain)).length;
  if (stopped && left > 0)
    return `Stopped: ${tasks}, ${format.count(left, 'portfolio')} had not come to ${left === 1 ? 'its' : 'their'} end.`;

  const lost = lostOf(outcome);
  const waiting = left - lost.length;
  const failed = `${format.count(deadLetters.length, 'message')} ${deadLetters.length === 1 ? 'is' : 'are'} in a dead-letter queue`;
  const asked = deadLetters.every(isMeant(victim)) ? ', as --poison asked for' : '';
  return `${[
    tasks,
    ...(deadLetters.length > 0 ? [`${failed}${asked}`] : []),
    ...(waiting > 0
      ? [`${format.count(waiting, 'portfolio')} ${waiting === 1 ? 'waits' : 'wait'} for a redrive`]
      : []),
    lost.length > 0
      ? `${format.count(lost.length, 'chain')} ${lost.length === 1 ? 'was' : 'were'} lost: ${lost.join(', ')}`
      : 'none was lost',
  ].join('; ')}.`;
}
