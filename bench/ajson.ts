import { isDeepStrictEqual } from 'node:util';
import { AlgObject, ajson, Decimal } from '../core/ajson/index.ts';
import { type Contender, contenders } from './contenders.ts';
import { pairedRatio } from './pairedRatio.ts';
import { type Payload, payloads } from './payloads.ts';

/** What ajson is to stay under, for dumps and for loads. */
const GOALS: Readonly<Record<string, readonly [number, number]>> = {
  A: [1.2, 1.15],
  B: [1.2, 1.1],
  D: [1.3, 1.15],
  F: [1.35, 1.3],
  C: [1.35, 1.4],
  G: [1.45, 2.8],
};

/** Whether what comes back is what was sent, in kind and content. */
function same(sent: unknown, back: unknown): boolean {
  if (sent instanceof Decimal) return back instanceof Decimal && String(sent) === String(back);
  if (sent instanceof AlgObject) return back instanceof sent.constructor && sent.equals(back);
  if (Array.isArray(sent)) {
    return (
      Array.isArray(back) && sent.length === back.length && sent.every((item, at) => same(item, back[at]))
    );
  }
  if (typeof sent === 'object' && sent && Object.getPrototypeOf(sent) === Object.prototype) {
    const [own, other] = [Object.entries(sent), new Map(Object.entries(back ?? {}))];
    return own.length === other.size && own.every(([key, item]) => same(item, other.get(key)));
  }
  return isDeepStrictEqual(sent, back);
}

function comesBack({ write, read }: Contender, { value }: Payload): boolean {
  try {
    return same(value, read(write(value)));
  } catch {
    return false;
  }
}

/** The time to write and to read, against native JSON on the text that ajson writes. */
function measure({ write, read }: Contender, { value }: Payload): [string, string] {
  const [wire, text] = [ajson.dumps(value), write(value)];
  const tree: unknown = JSON.parse(wire);
  let sink = 0;
  // A character is asked for, so that a text in pieces is put together within the time.
  const dumps = pairedRatio(
    () => {
      sink += JSON.stringify(tree).charCodeAt(9);
    },
    () => {
      sink += write(value).charCodeAt(9);
    },
  );
  const loads = pairedRatio(
    () => {
      sink += JSON.parse(wire) ? 1 : 0;
    },
    () => {
      sink += read(text) ? 1 : 0;
    },
  );
  if (sink === 0) throw new Error('nothing was done');
  return [dumps, loads].map(({ median, quartiles: [low, high] }) => {
    return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
  }) as [string, string];
}

const only = process.argv[3];
const rows = [['payload', 'bytes', '', 'goal', ...contenders.map(({ name }) => name)]];
const left: string[] = [];
for (const payload of payloads) {
  if (only && !only.includes(payload.name)) continue;
  const results = contenders.map((contender) => {
    if (comesBack(contender, payload)) return measure(contender, payload);
    left.push(`${contender.name} on ${payload.name}`);
    return ['–', '–'];
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
    'median of 60 paired runs, and the middle half of them.\n',
    line(head),
    line(widths.map((width) => '-'.repeat(width))),
    ...body.map(line),
    '',
    ...payloads.map(({ name, about }) => `- ${name}: ${about}`),
    `\nLeft out, for what they read is not what they wrote: ${left.join(', ') || 'none'}.`,
  ].join('\n'),
);
