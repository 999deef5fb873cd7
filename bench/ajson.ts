import { execFileSync } from 'node:child_process';
import { ajson } from '../core/ajson/index.ts';
import { contenders } from './contenders.ts';
import { payloads } from './payloads.ts';

/** The upper limits for ajson, for dumps and for loads; on Node 26, whose native JSON is faster, for dumps alone. */
const GOALS: Readonly<Record<string, readonly [number, number, number?]>> = {
  A: [1.2, 1.15, 2],
  B: [1.2, 1.1, 1.6],
  D: [1.3, 1.15],
  F: [1.35, 1.3, 1.9],
  C: [1.35, 1.4, 2.3],
  G: [1.4, 2.2, 2.4],
};

/** Node 26, as npm installs it. */
const node26 = execFileSync('npm', ['exec', '--yes', '--package=node@26', '-c', 'node -p process.execPath'], {
  encoding: 'utf8',
}).trim();

function measured(node: string, contender: string, payload: string): readonly [string, string] | undefined {
  const said = execFileSync(node, ['bench/measure.ts', contender, payload], { encoding: 'utf8' });
  const result: [string, string] | null = JSON.parse(said);
  if (!result) left.push(`${contender} on ${payload}`);
  return result ?? undefined;
}

const limit = (goal: number | undefined) => (goal === undefined ? '' : `≤ ${goal.toFixed(2)}`);
const only = process.argv[3];
const head26 = ['goal on 26', 'ajson on 26'];
const rows = [['payload', 'bytes', '', 'goal', ...contenders.map(({ name }) => name), ...head26]];
const left: string[] = [];
for (const payload of payloads) {
  if (only && !only.includes(payload.name)) continue;
  const results = contenders.map(({ name }) => measured(process.execPath, name, payload.name) ?? ['–', '–']);
  const on26 = measured(node26, 'ajson', payload.name);
  const bytes = String(ajson.dumps(payload.value).length);
  const goals = GOALS[payload.name];
  for (const [index, way] of ['dumps', 'loads'].entries())
    rows.push([
      payload.name,
      bytes,
      way,
      limit(goals?.[index]),
      ...results.map((result) => result[index] ?? ''),
      index === 0 ? limit(goals?.[2]) : '',
      on26?.[index] ?? '–',
    ]);
}
const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
const line = (row: string[]) =>
  `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
const [head = [], ...body] = rows;
console.log(
  [
    `Node ${process.version}: time in proportion to native JSON on the text that ajson writes,`,
    'median of 400 paired runs, and the middle half of them; each in a process of its own.\n',
    line(head),
    line(widths.map((width) => '-'.repeat(width))),
    ...body.map(line),
    '',
    ...payloads.map(({ name, about }) => `- ${name}: ${about}`),
    `\nLeft out, for what they read is not what they wrote: ${left.join(', ') || 'none'}.`,
  ].join('\n'),
);
