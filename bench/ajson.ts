import { execFileSync } from 'node:child_process';
import { ajson } from '../core/ajson/index.ts';
import { contenders } from './contenders.ts';
import { payloads } from './payloads.ts';

/** The upper limits for ajson, for dumps and for loads. */
const GOALS: Readonly<Record<string, readonly [number, number]>> = {
  A: [1.2, 1.15],
  B: [1.2, 1.1],
  D: [1.3, 1.15],
  F: [1.35, 1.3],
  C: [1.35, 1.4],
  G: [1.4, 2.2],
};

const only = process.argv[3];
const rows = [['payload', 'bytes', '', 'goal', ...contenders.map(({ name }) => name)]];
const left: string[] = [];
for (const payload of payloads) {
  if (only && !only.includes(payload.name)) continue;
  const results = contenders.map(({ name }) => {
    const said = execFileSync(process.execPath, ['bench/measure.ts', name, payload.name], {
      encoding: 'utf8',
    });
    const measured: [string, string] | null = JSON.parse(said);
    if (!measured) left.push(`${name} on ${payload.name}`);
    return measured ?? ['–', '–'];
  });
  const bytes = String(ajson.dumps(payload.value).length);
  for (const [index, way] of ['dumps', 'loads'].entries()) {
    const goal = `≤ ${GOALS[payload.name]?.[index]?.toFixed(2)}`;
    rows.push([payload.name, bytes, way, goal, ...results.map((result) => result[index] ?? '')]);
  }
}
const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
const line = (row: string[]) =>
  `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
const [head = [], ...body] = rows;
console.log(
  [
    `Node ${process.version}: time in proportion to native JSON on the text that ajson writes,`,
    'median of 240 paired runs, and the middle half of them; each in a process of its own.\n',
    line(head),
    line(widths.map((width) => '-'.repeat(width))),
    ...body.map(line),
    '',
    ...payloads.map(({ name, about }) => `- ${name}: ${about}`),
    `\nLeft out, for what they read is not what they wrote: ${left.join(', ') || 'none'}.`,
  ].join('\n'),
);
