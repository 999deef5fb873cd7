/** Measures the memory that storing a large result takes, in new processes, with S3 in another process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLocalAws } from '../local/index.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const run = promisify(execFile);
const goal = 3;
/** Processes for each figure. `ROUNDS=1 SIZES=20` where time is short. */
const rounds = Number(process.env['ROUNDS'] ?? 3);
const sizes = (process.env['SIZES'] ?? '10,20,60').split(',').map(Number);
/** As Lambda's runtime starts Node in a function of 1,024 MB, whatever the memory of this machine. */
const flags = ['--expose-gc', '--max-semi-space-size=51', '--max-old-space-size=922'];
/** Keeps the young generation small. The last one of a flag counts. */
const smallFlag = '--max-semi-space-size=1';

const records = (at: string) =>
  `(_, id) => ({ id, name: 'item ' + id, price: id * 1.25, tags: ['a', 'b'], at: ${at} })`;
const record = records("'2024-01-01T00:00:00Z'");

/** Makes a result of about so many bytes. */
const results: Readonly<Record<string, string>> = {
  records: `(bytes) => Array.from({ length: bytes / 93 }, ${record})`,
  'records with a Date': `(bytes) => Array.from({ length: bytes / 138 }, ${records('new Date(id)')})`,
  'a Map of records': `(bytes) => new Map(Array.from({ length: bytes / 105 }, (_, id) => ['key' + id, (${record})(_, id)]))`,
  'a Set of texts': `(bytes) => new Set(Array.from({ length: bytes / 14 }, (_, id) => 'item ' + id))`,
  'lines of text': `(bytes) => Array.from({ length: bytes / 1000 }, (_, id) => ('' + id).padEnd(995, 'x'))`,
  bytes: `(bytes) => new Uint8Array(bytes * 0.75).fill(7)`,
  'one text': `(bytes) => ({ image: Buffer.alloc(bytes, 'abcdefgh').toString('latin1') })`,
};

/** The code that writes the result: `storeData`, `storeData` with a small young generation, or native JSON. */
const writers = ['ours', 'small', 'native'] as const;
type Writer = (typeof writers)[number];

/** Megabytes beyond the memory of the process before it made the result. */
interface Measured {
  readonly made: number;
  readonly peak: number;
}

// A large result first, so that the SDK is loaded. Sweeping goes on for a while after a collection, so it is waited for: else
// the memory that is compared with would be too high. The kernel keeps the peak, and starts it anew when it is told to.
const script = (make: string, megabytes: number, writer: Writer) => `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const { storeData } = await import('./middlewares/storeData.ts');
  const megabytes = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024 / 1e6;
  await storeData('x'.repeat(9e6));
  for (let turn = 0; turn < 3; turn++) {
    gc();
    await sleep(50);
  }
  const base = megabytes('VmRSS');
  const result = (${make})(${megabytes} * 1e6);
  gc();
  const made = megabytes('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5');
  if (${writer !== 'native'}) await storeData(result);
  else Buffer.from(JSON.stringify(result, (_, value) =>
    value instanceof Map || value instanceof Set ? [...value] : value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value));
  console.log(JSON.stringify({ made: made - base, peak: megabytes('VmHWM') - base }));
  process.exit();`;

const aws = await startLocalAws();
const rows: string[][] = [];
const most = { ours: 0, small: 0, beyond: 0 };
try {
  for (const [name, make] of Object.entries(results)) {
    for (const size of sizes) {
      const measured: Record<Writer, Measured[]> = { ours: [], small: [], native: [] };
      for (let round = 0; round < rounds; round++) {
        for (const writer of writers) {
          const given = writer === 'small' ? [...flags, smallFlag] : flags;
          const words = [...given, '--input-type=module', '--eval', script(make, size, writer)];
          const { stdout } = await run(process.execPath, words, { env: { ...process.env, ...aws.env } });
          measured[writer].push(JSON.parse(stdout));
        }
      }
      const median = (writer: Writer, key: keyof Measured) =>
        quantile(
          measured[writer].map((each) => each[key]),
          0.5,
        ) / size;
      const made = median('ours', 'made');
      const [ours, small, native] = writers.map((writer) => median(writer, 'peak')) as [
        number,
        number,
        number,
      ];
      most.ours = Math.max(most.ours, ours);
      most.small = Math.max(most.small, small);
      most.beyond = Math.max(most.beyond, ours - made);
      rows.push([`${name}, ${size} MB`, ...[made, ours, small, native].map((part) => part.toFixed(2))]);
    }
  }
} finally {
  await aws.stop();
}

console.log(
  [
    'The memory of a process that stores a large result, in proportion to the size of the result: the peak of resident memory',
    `beyond that before the result was made. Medians of ${rounds} processes; S3 is in another. Node has the flags that Lambda gives`,
    `it in a function of 1,024 MB (\`${flags.join(' ')}\`). The first column is the result itself, as the`,
    'handler made it, with what the young generation of V8 keeps. Storing adds two parts of 5 MiB, and short-lived text until the',
    `young generation is full: the third column is with \`${smallFlag}\`. The last one is`,
    '`Buffer.from(JSON.stringify(result))` alone, without a call.\n',
    table(['result', 'the result', 'peak', 'small young generation', 'JSON.stringify'], rows),
    '\nGoals:\n',
    `- at most ${goal} times the result: ${most.ours.toFixed(2)} at most; ${most.small.toFixed(2)} with a small young generation; beyond the result itself ${most.beyond.toFixed(2)}`,
  ].join('\n'),
);
