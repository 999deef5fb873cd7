/** Measures the memory that storing a large result takes, in new processes, with S3 in another process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLocalAws } from '../local/index.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const run = promisify(execFile);
const goal = 3;
/** Processes for each figure. `ROUNDS=1` where time is short. */
const rounds = Number(process.env['ROUNDS'] ?? 3);

/** Makes a result of about so many bytes. */
const results: Readonly<Record<string, string>> = {
  records: `(bytes) => Array.from({ length: Math.floor(bytes / 93) }, (_, id) => (
    { id, name: 'item ' + id, price: id * 1.25, tags: ['a', 'b'], at: '2024-01-01T00:00:00Z' }))`,
  'records with a Date': `(bytes) => Array.from({ length: Math.floor(bytes / 138) }, (_, id) => (
    { id, name: 'item ' + id, price: id * 1.25, tags: ['a', 'b'], at: new Date(id) }))`,
  'lines of text': `(bytes) => Array.from({ length: Math.floor(bytes / 1000) }, (_, id) => ('' + id).padEnd(995, 'x'))`,
  'an instance of a class': `(bytes) => new Report(Array.from({ length: Math.floor(bytes / 93) }, (_, id) => (
    { id, name: 'item ' + id, price: id * 1.25, tags: ['a', 'b'], at: '2024-01-01T00:00:00Z' })))`,
  bytes: `(bytes) => new Uint8Array(bytes * 0.75).fill(7)`,
  'one text': `(bytes) => ({ image: Buffer.alloc(bytes, 'abcdefgh').toString('latin1') })`,
};

interface Measured {
  /** Megabytes: of the stored object, and of resident memory. */
  readonly stored: number;
  readonly base: number;
  readonly made: number;
  readonly peak: number;
}

// A small result first, so that the SDK is loaded. The kernel keeps the peak, and starts it anew when it is told to.
const script = (make: string, megabytes: number, isNative: boolean) => `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const { storeData } = await import('./middlewares/storeData.ts');
  const { s3ObjectStore } = await import('./middlewares/aws/s3ObjectStore.ts');
  const { parsePointer } = await import('./core/storedData/pointer.ts');
  const { AlgObject, ajson } = await import('./core/ajson/index.ts');
  class Report extends AlgObject {
    constructor(rows) { super(); this.rows = rows; }
    static parseJson({ rows }) { return new Report(rows); }
  }
  ajson.register(Report, { module: 'bench' });
  const resident = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024 / 1e6;
  await storeData('x'.repeat(9e6));
  gc();
  await sleep(50);
  const base = resident('VmRSS');
  const result = (${make})(${megabytes} * 1e6);
  gc();
  const made = resident('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5');
  const native = ${isNative} ? Buffer.from(JSON.stringify(result instanceof Uint8Array ? Buffer.from(result.buffer).toString('base64') : result)) : undefined;
  const { pointer } = native ? {} : await storeData(result);
  const peak = resident('VmHWM');
  if (native) report(native.length / 1e6);
  let stored = 0;
  await s3ObjectStore().get(parsePointer(pointer), { admit: (bytes) => { stored += bytes / 1e6; } });
  report(stored);
  function report(stored) {
    console.log(JSON.stringify({ stored, base, made, peak }));
    process.exit();
  }`;

const aws = await startLocalAws();
const measured = async (
  make: string,
  megabytes: number,
  { flags = [], isNative = false }: { flags?: readonly string[]; isNative?: boolean } = {},
): Promise<Measured> => {
  const words = ['--expose-gc', ...flags, '--input-type=module', '--eval', script(make, megabytes, isNative)];
  const { stdout } = await run(process.execPath, words, { env: { ...process.env, ...aws.env } });
  return JSON.parse(stdout);
};

const rows: string[][] = [];
const most = { all: 0, small: 0 };
try {
  for (const [name, make] of Object.entries(results)) {
    for (const megabytes of [10, 20, 60]) {
      const times: Record<'own' | 'native' | 'all' | 'small', number[]> = {
        own: [],
        native: [],
        all: [],
        small: [],
      };
      for (let round = 0; round < rounds; round++) {
        const { stored, base, made, peak } = await measured(make, megabytes);
        times.all.push((peak - base) / stored);
        times.own.push((made - base) / stored);
        const native = await measured(make, megabytes, { isNative: true });
        times.native.push((native.peak - native.base) / native.stored);
        const small = await measured(make, megabytes, { flags: ['--max-semi-space-size=1'] });
        times.small.push((small.peak - small.base) / small.stored);
      }
      const { own, native, all, small } = Object.fromEntries(
        Object.entries(times).map(([key, list]) => [key, quantile(list, 0.5)]),
      ) as Record<keyof typeof times, number>;
      most.all = Math.max(most.all, all);
      most.small = Math.max(most.small, small);
      rows.push([`${name}, ${megabytes} MB`, ...[own, native, all, small].map((part) => part.toFixed(2))]);
    }
  }
} finally {
  await aws.stop();
}

console.log(
  [
    'The memory for a result that is stored, in proportion to its bytes in S3: the peak of resident memory beyond that of the',
    `process before it made the result. S3 is in another process. Processes for each figure, of which it is the median: ${rounds}. The first column is the result itself, as the`,
    'handler made it; the second the peak of `Buffer.from(JSON.stringify(result))` alone, without a call, in proportion to the bytes of that (bytes as base64).',
    "All have V8's young generation. It grows to some 100 MB while the handler makes the result, and storing then fills it with",
    'short-lived text, and copies of what becomes a tag, before V8 collects them; the last column is with',
    '`--max-semi-space-size=1`, which keeps it small. Where the goal is missed, that is the cause: beyond it there are two parts of 5 MiB.\n',
    table(['result', 'the result', 'JSON.stringify', 'peak', 'peak, small young generation'], rows),
    '\nGoals:\n',
    `- at most ${goal} times the result: ${most.all.toFixed(2)} at most; ${most.small.toFixed(2)} with a small young generation`,
  ].join('\n'),
);
