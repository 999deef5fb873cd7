import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as everything from '../middlewares/index.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

/** An import, and its name in the results. */
interface Entry {
  readonly name: string;
  /** The module to bundle and import. For this library it is the built file, as in the package. */
  readonly file: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const ours = (name: string, path: string): Entry => ({ name, file: `${root}dist/${path}.js` });
const peer = (name: string): Entry => ({ name, file: fileURLToPath(import.meta.resolve(name)) });

/** A file in middlewares/ is an entry point if the package exports its name. */
const middlewares = readdirSync(`${root}middlewares`)
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => name in everything);
const whole = ours('algernon-middy', 'middlewares/index');
const sqsSnsUnwrap = ours('middlewares/sqsSnsUnwrap', 'middlewares/sqsSnsUnwrap');
const own = [
  whole,
  ours('core', 'core/index'),
  ours('local', 'local/index'),
  sqsSnsUnwrap,
  ...middlewares
    .filter((name) => name !== 'sqsSnsUnwrap')
    .map((name) => ours(`middlewares/${name}`, `middlewares/${name}`)),
];
const peers = [
  '@middy/event-normalizer',
  '@middy/sqs-partial-batch-failure',
  '@aws-lambda-powertools/batch',
].map(peer);

/** The minified size: this library without other packages, a peer with all its dependencies except the AWS SDK. */
async function bytesOf({ file }: Entry, isOurs: boolean): Promise<number> {
  const { outputFiles } = await build({
    logLevel: 'error',
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    charset: 'utf8',
    write: false,
    ...(isOurs ? { packages: 'external' } : { external: ['@aws-sdk/*', '@middy/core'] }),
  });
  return outputFiles[0]?.contents.length ?? Number.NaN;
}

/** The milliseconds of an import in a new process. */
function importTime({ file }: Entry): number {
  const script = `
    const start = performance.now();
    await import(${JSON.stringify(file)});
    console.log(performance.now() - start);
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  return Number(output);
}

// The built files are measured, so they must be up to date.
execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

/** In turn, so that load on the machine affects all. */
const runs = 21;
const nothing: Entry = { name: 'nothing', file: 'data:text/javascript,' };
const entries = [...own, ...peers];
const times = new Map<Entry, number[]>([nothing, ...entries].map((entry) => [entry, []]));
for (let run = 0; run < runs; run++) for (const [entry, list] of times) list.push(importTime(entry));
const median = (entry: Entry) => quantile(times.get(entry) ?? [], 0.5);

const bytes = new Map<Entry, number>();
for (const entry of entries) bytes.set(entry, await bytesOf(entry, own.includes(entry)));
const row = (entry: Entry) => [
  entry.name,
  (bytes.get(entry) ?? 0).toLocaleString('en'),
  median(entry).toFixed(1),
];
const kilobytes = (entry: Entry) => ((bytes.get(entry) ?? Number.NaN) / 1000).toFixed(1);

console.log(
  [
    'The size minified, in bytes: ours without other packages, a peer with all that it needs but the AWS SDK and',
    `@middy/core. And the time to import it with all that it loads, in milliseconds: median of ${runs} processes.`,
    `To import an empty file takes ${median(nothing).toFixed(1)} ms.\n`,
    table(['', 'bytes', 'import'], entries.map(row)),
    '\nGoals:\n',
    `- sqsSnsUnwrap under 4 kB: ${kilobytes(sqsSnsUnwrap)} kB`,
    `- all of ours together under 30 kB: ${kilobytes(whole)} kB`,
    `- import of sqsSnsUnwrap under 3 ms: ${median(sqsSnsUnwrap).toFixed(1)} ms`,
  ].join('\n'),
);
