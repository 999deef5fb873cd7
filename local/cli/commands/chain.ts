import type { ChainState } from '../../../core/chains/ChainState.ts';
import { AlgernonError } from '../../../core/errors.ts';
import { chainIdPattern } from '../../../core/tasks/chainId.ts';
import { chainInBucket, chainInRun, chainOfDev } from '../chainEvents.ts';
import {
  chainOfLines,
  type LoggedAttempt,
  type LoggedLine,
  type LoggedTask,
  linesOfChain,
} from '../chainOfLines.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { describeChain } from '../describeChain.ts';
import { readInput } from '../input.ts';
import { type Output, plain } from '../output.ts';
import { linesIn, readLines } from '../readLines.ts';

/** Shows a chain. */
export const chain: Command = defineCommand({
  name: 'chain',
  usage: 'ID [FILE|-]',
  args: [1, 2],
  summary: 'show the tasks of a chain, with their times and errors',
  description:
    'Shows a chain as a tree, with the times of each attempt: a chain of the dev server in this folder, or with --bucket one\n' +
    'on AWS, from the events of s3Sink. A file may be that of a run (.jsonl).\n' +
    'Without events, the tasks are read from the lines of lambdaLogged: from CloudWatch Logs with --log-group, or from a file or\n' +
    'standard input with one line of JSON each. A task that wrote no line is not shown then.',
  options: {
    bucket: { type: 'string', value: 'NAME', help: 'the bucket of s3Sink' },
    folder: { type: 'string', value: 'NAME', help: 'the folder of s3Sink; default chains' },
    'log-group': { type: 'string', multiple: true, value: 'NAME', help: 'the log group of a worker' },
    since: { type: 'string', value: 'AGE', help: 'how far to look back, such as 90m, 12h or 7d; default 1d' },
    lines: { type: 'boolean', help: 'show the lines too' },
  },
  examples: [
    ['algernon-middy chain 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d', 'of the running dev server'],
    [
      'algernon-middy chain 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d --bucket my-events --profile prod',
      'on AWS, from its events',
    ],
    [
      'algernon-middy chain 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d --log-group /aws/lambda/worker --profile prod',
      'on AWS, from logs',
    ],
    [
      'node local.ts | algernon-middy chain 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d - --lines',
      'a worker on this machine',
    ],
  ],
  async run({ values, args: [id = '', file], out, target }) {
    if (!chainIdPattern.test(id)) throw new UsageError('the id must be 1 to 128 letters, digits and "_.:-".');
    const { bucket, folder } = values;
    const logGroups = values['log-group'] ?? [];
    if ([file, bucket, logGroups[0]].filter((source) => source !== undefined).length > 1) {
      throw new UsageError('give one of --bucket NAME, --log-group NAME, and a file or "-".');
    }
    const since = Date.now() - readAge(values.since);
    if (file === undefined && logGroups.length === 0) {
      const reading =
        bucket === undefined ? chainOfDev(id) : chainInBucket(id, await target(), { bucket, folder });
      return showState(id, await reading, out);
    }
    if (file?.endsWith('.jsonl')) {
      const state = await chainInRun(id, file).catch(otherLines);
      if (state) return showState(id, state, out);
    }
    const texts =
      file === undefined
        ? await readLines(id, { ...values, logGroups, since })
        : linesIn((await readInput(file)).toString('utf8'));
    const lines = linesOfChain(texts, id);
    if (lines.length === 0) {
      throw new AlgernonError('CHAIN_NOT_FOUND', `There is no line of the chain ${id}. See --since.`);
    }
    const tasks = chainOfLines(lines);
    out.json({ chainId: id, tasks, ...(values.lines && { lines }) });
    out.say(tasks.map((task) => describe(task, values.lines ? lines : [])).join('\n'));
    return 0;
  },
});

function showState(id: string, state: ChainState | undefined, out: Output): number {
  if (!state) throw new AlgernonError('CHAIN_NOT_FOUND', `There is no event of the chain ${id}.`);
  out.json(JSON.parse(JSON.stringify(state)));
  out.say(describeChain(state));
  return 0;
}

/** A file without an entry of a run may have lines of lambdaLogged. */
function otherLines(error: unknown): undefined {
  const { code } = error as { code?: unknown };
  if (code !== 'NOT_A_RUN' && code !== 'ENOENT') throw error;
}

const units: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

function readAge(text = '1d'): number {
  const [, count, unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`--since must be such as 90m, 12h or 7d, not ${text}.`);
  return Number(count) * (units[unit] ?? 0) * 1000;
}

function describe(
  { taskName, messageId, chain, attempts }: LoggedTask,
  lines: readonly LoggedLine[],
): string {
  const head = [taskName, messageId, ...(chain === undefined ? [] : [chain])].map(plain).join('  ');
  return [
    head,
    ...attempts.flatMap((attempt) => [
      `  ${describeAttempt(attempt)}`,
      ...lines
        .filter((line) => line.message_id === messageId && (line.receive_count ?? 1) === attempt.attempt)
        .map(({ timestamp, level, message }) => `    ${timeOf(timestamp)} ${plain(level)} ${plain(message)}`),
    ]),
  ].join('\n');
}

function describeAttempt({ attempt, firstAt, lastAt, error }: LoggedAttempt): string {
  const seconds = ((Date.parse(lastAt) - Date.parse(firstAt)) / 1000).toFixed(3);
  const end = error === undefined ? '' : `  failed: ${plain(error.name)}: ${plain(error.message)}`;
  return `#${attempt}  ${plain(firstAt.slice(0, 10))} ${timeOf(firstAt)} +${seconds} s${end}`;
}

function timeOf(timestamp: string): string {
  return plain(timestamp.slice(11, 23));
}
