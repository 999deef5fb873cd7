import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import * as everything from '../middlewares/index.ts';
import { codeBlocks } from '../test/support/codeBlocks.ts';
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
const inBytes = (count: number) => count.toLocaleString('en');
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

/** The bytes of a bundle, minified: this library without other packages, a peer with all but the AWS SDK and Middy. */
async function sizeOf(input: BuildOptions, isOurs: boolean): Promise<{ bytes: number; gzip: number }> {
  const { outputFiles } = await build({
    logLevel: 'error',
    ...input,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    charset: 'utf8',
    write: false,
    alias: {
      'algernon-middy': `${root}dist/middlewares/index.js`,
      'algernon-middy/core': `${root}dist/core/index.js`,
    },
    ...(isOurs ? { packages: 'external' } : { external: ['@aws-sdk/*', '@middy/core'] }),
  });
  const text = outputFiles[0]?.contents ?? new Uint8Array();
  return { bytes: text.length, gzip: gzipSync(text, { level: 9 }).length };
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

const rows: string[][] = [];
for (const entry of entries) {
  const { bytes, gzip } = await sizeOf({ entryPoints: [entry.file] }, own.includes(entry));
  rows.push([entry.name, inBytes(bytes), inBytes(gzip), median(entry).toFixed(1)]);
}

/** Imports that are compared by their compressed size, with the goals in kilobytes. */
const parts: readonly [name: string, contents: string, isOurs: boolean, goal?: number][] = [
  ["the README's stack", codeBlocks('README.md')[0]?.code ?? '', true, 22],
  ['storedDataHydrate', "export { storedDataHydrate } from 'algernon-middy'", true, 8],
  ['sqsSnsUnwrap', "export { sqsSnsUnwrap } from 'algernon-middy'", true, 4.5],
  [
    'ajson, createAjson, AlgObject',
    "export { ajson, createAjson, AlgObject } from 'algernon-middy/core'",
    true,
    7,
  ],
  ['superjson', "export { default } from 'superjson'", false],
  ['typeson', "export * from 'typeson'", false],
  ['devalue', "export * from 'devalue'", false],
  ['devalue: stringify, parse', "export { stringify, parse } from 'devalue'", false],
  ['seroval', "export * from 'seroval'", false],
  [
    'seroval: toJSON, fromJSON, createPlugin',
    "export { toJSON, fromJSON, createPlugin } from 'seroval'",
    false,
  ],
];
const compressed: string[][] = [];
for (const [name, contents, isOurs, goal] of parts) {
  const { bytes, gzip } = await sizeOf({ stdin: { contents, resolveDir: root, loader: 'ts' } }, isOurs);
  compressed.push([
    name,
    inBytes(bytes),
    inBytes(gzip),
    goal === undefined ? '' : `≤ ${inBytes(goal * 1000)}`,
  ]);
}

console.log(
  [
    'The size minified and compressed, in bytes: ours without other packages, a peer with all that it needs but the AWS',
    `SDK and @middy/core. And the time to import it with all that it loads, in milliseconds: median of ${runs} processes.`,
    `To import an empty file takes ${median(nothing).toFixed(1)} ms.\n`,
    table(['', 'bytes', 'gzip', 'import'], rows),
    '\nThe same for what one imports of it, beside the peers of ajson:\n',
    table(['', 'bytes', 'gzip', 'goal, gzip'], compressed),
    `\nGoal: import of sqsSnsUnwrap under 3 ms: ${median(sqsSnsUnwrap).toFixed(1)} ms.`,
  ].join('\n'),
);
