import { execFileSync } from 'node:child_process';
import { contenders } from './contenders.ts';
import type { Ratio } from './pairedRatio.ts';
import { payloads } from './payloads.ts';
import { table } from './table.ts';

/** The upper limits for ajson, for dumps and for loads; on Node 26, whose native JSON is faster, for dumps alone. */
const GOALS: Readonly<Record<string, readonly [number, number, number?]>> = {
  A: [1.2, 1.15, 2],
  B: [1.2, 1.1, 1.6],
  D: [1.3, 1.15],
  F: [1.35, 1.3, 1.9],
  C: [1.35, 1.4, 2.3],
  G: [1.4, 2.2, 2.4],
};

/** This Node, and Node 26 as npm installs it. */
const nodes = [
  process.execPath,
  execFileSync('npm', ['exec', '--yes', '--package=node@26', '-c', 'node -p process.execPath'], {
    encoding: 'utf8',
  }).trim(),
];
const versions = nodes.map((node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim());
const [here, newest] = versions;

/** The ratios of dumps and loads on each Node; null for a contender that does not read what it wrote. */
function measured(contender: string, payload: string): ([Ratio, Ratio] | null)[] {
  return nodes.map((node) =>
    JSON.parse(execFileSync(node, ['bench/measure.ts', contender, payload], { encoding: 'utf8' })),
  );
}

const limit = (goal: number | undefined) => (goal === undefined ? '' : `≤ ${goal.toFixed(2)}`);
const medianOf = (ratio: Ratio | undefined) => ratio?.median.toFixed(2) ?? '–';
const spreadOf = (ratio: Ratio | undefined) =>
  `${medianOf(ratio)} (${ratio?.quartiles.map((quartile) => quartile.toFixed(2)).join('–')})`;

const only = process.argv[3];
const peers = contenders.map(({ name }) => name).filter((name) => name !== 'ajson');
const rows: string[][] = [];
for (const { name } of payloads) {
  if (only && !only.includes(name)) continue;
  const own = measured('ajson', name);
  const others = peers.map((peer) => measured(peer, name));
  for (const [index, way] of ['dumps', 'loads'].entries())
    rows.push([
      `${name} ${way}`,
      limit(GOALS[name]?.[index]),
      spreadOf(own[0]?.[index]),
      index === 0 ? limit(GOALS[name]?.[2]) : '',
      spreadOf(own[1]?.[index]),
      ...others.map((ratios) => ratios.map((ratio) => medianOf(ratio?.[index])).join(' / ')),
    ]);
}

console.log(
  [
    `Time in proportion to native JSON on the text that ajson writes, on Node ${here} and ${newest}: medians of many`,
    'short rounds in which both take turns, and for ajson the middle half of the rounds. Each contender runs in a process',
    'of its own. A dash: what it reads is not what it wrote.\n',
    table(
      ['', 'goal', `ajson, ${here}`, 'goal', `ajson, ${newest}`, ...peers.map((peer) => `${peer}, both`)],
      rows,
    ),
    '',
    ...payloads.map(({ name, about }) => `- ${name}: ${about}`),
  ].join('\n'),
);
