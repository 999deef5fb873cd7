import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import * as everything from '../middlewares/index.ts';
import { codeBlocks } from '../test/support/codeBlocks.ts';
import { loadedAtStart } from './loadedAtStart.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

/** An import, and its name in the results. */
interface Entry {
  readonly name: string;
  /** The module that Node imports. */
  readonly file: string;
  /** The module that a bundler takes: by its conditions, this library has a file for each source. */
  readonly bundled: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const ours = (name: string, path: string): Entry => ({
  name,
  file: `${root}dist/${path}.js`,
  bundled: `${root}dist/${path.startsWith('local/') ? '' : 'modules/'}${path}.js`,
});
const peer = (name: string): Entry => {
  const file = fileURLToPath(import.meta.resolve(name));
  return { name, file, bundled: file };
};

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

interface Size {
  readonly bytes: number;
  readonly gzip: number;
  /** The compressed bytes of all files, with those that only some calls load. */
  readonly gzipOfAll: number;
}

/**
 * The bytes of a bundle, minified and split: the files that its import loads. This library is without other packages, a peer has
 * all but the AWS SDK and Middy.
 */
async function sizeOf(input: BuildOptions, isOurs: boolean): Promise<Size> {
  const {
    outputFiles,
    metafile: { outputs },
  } = await build({
    logLevel: 'error',
    ...input,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    charset: 'utf8',
    splitting: true,
    outdir: `${root}size`,
    metafile: true,
    write: false,
    alias: {
      'algernon-middy': `${root}dist/modules/middlewares/index.js`,
      'algernon-middy/core': `${root}dist/modules/core/index.js`,
    },
    ...(isOurs ? { packages: 'external' } : { external: ['@aws-sdk/*', '@middy/core'] }),
  });
  // The entry comes before the chunks.
  const loaded = loadedAtStart(outputs, Object.keys(outputs)[0] as string);
  const textOf = (paths: Iterable<string>) =>
    Buffer.concat(
      [...paths].map((path) => {
        const file = outputFiles.find((output) => output.path === resolve(path));
        return file?.contents ?? new Uint8Array();
      }),
    );
  const gzipOf = (text: Buffer) => gzipSync(text, { level: 9 }).length;
  const atStart = textOf(loaded);
  return { bytes: atStart.length, gzip: gzipOf(atStart), gzipOfAll: gzipOf(textOf(Object.keys(outputs))) };
}

/** The milliseconds of an import in a new process. */
function importTime({ file }: Pick<Entry, 'file'>): number {
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
const nothing: Pick<Entry, 'file'> = { file: 'data:text/javascript,' };
const entries = [...own, ...peers];
const times = new Map<Pick<Entry, 'file'>, number[]>([nothing, ...entries].map((entry) => [entry, []]));
for (let run = 0; run < runs; run++) for (const [entry, list] of times) list.push(importTime(entry));
const median = (entry: Pick<Entry, 'file'>) => quantile(times.get(entry) ?? [], 0.5);

const rows: string[][] = [];
for (const entry of entries) {
  const { bytes, gzip, gzipOfAll } = await sizeOf({ entryPoints: [entry.bundled] }, own.includes(entry));
  rows.push([entry.name, inBytes(bytes), inBytes(gzip), inBytes(gzipOfAll), median(entry).toFixed(1)]);
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
  const input = { stdin: { contents, resolveDir: root, loader: 'ts' } } as const;
  const { bytes, gzip, gzipOfAll } = await sizeOf(input, isOurs);
  compressed.push([
    name,
    inBytes(bytes),
    inBytes(gzip),
    inBytes(gzipOfAll),
    goal === undefined ? '' : `≤ ${inBytes(goal * 1000)}`,
  ]);
}

console.log(
  [
    'The size of what an import loads, minified and compressed, in bytes; and compressed with the files that only some calls',
    'load, such as those of callbacks and groups. Ours is without other packages, a peer has all that it needs but the AWS',
    `SDK and @middy/core. And the time to import it with all that it loads, in milliseconds: median of ${runs} processes.`,
    `To import an empty file takes ${median(nothing).toFixed(1)} ms.\n`,
    table(['', 'bytes', 'gzip', 'all, gzip', 'import'], rows),
    '\nThe same for what one imports of it, beside the peers of ajson:\n',
    table(['', 'bytes', 'gzip', 'all, gzip', 'goal, gzip'], compressed),
    `\nGoal: import of sqsSnsUnwrap under 3 ms: ${median(sqsSnsUnwrap).toFixed(1)} ms.`,
  ].join('\n'),
);
