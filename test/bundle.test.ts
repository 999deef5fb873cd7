import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BuildOptions, build } from 'esbuild';
import { codeBlocks } from './support/codeBlocks.ts';

const root = new URL('..', import.meta.url).pathname;
const { peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
// README's install line names this one.
const inReadme = '@middy/sqs-partial-batch-failure';
const optionalPeers = Object.keys(peerDependenciesMeta).filter((name) => name !== inReadme);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'algernon-bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles what is built, as in a project that has none of the optional peers. */
async function bundle(code: string, options: BuildOptions): Promise<string> {
  const outfile = join(folder, 'worker.cjs');
  await build({
    stdin: { contents: code, loader: 'ts', resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    alias: {
      'algernon-middy': join(root, 'dist/middlewares/index.js'),
      ...Object.fromEntries(optionalPeers.map((name) => [name, './not-installed'])),
    },
    logLevel: 'silent',
    outfile,
    ...options,
  });
  return outfile;
}

const evaluate = (script: string) =>
  execFileSync(process.execPath, ['--input-type=commonjs', '--eval', script], { encoding: 'utf8' }).trim();

test("the README's worker is bundled without the optional peers, and loads", async () => {
  expect(optionalPeers).toContain('@aws-sdk/client-ssm');
  const worker = await bundle(codeBlocks('README.md')[0]?.code ?? '', {});
  expect(evaluate(`console.log(typeof require(${JSON.stringify(worker)}).handler)`)).toBe('function');
});

test("a minifier leaves the README's class its name on the wire, and small integers come back", async () => {
  const sample = codeBlocks('README.md').find(({ code }) => code.includes('ajson.register'))?.code;
  const small =
    'export const wire = ajson.dumps(new Order(42n, new Date(0))); export const { id } = ajson.loads(wire);';
  const file = await bundle(`${sample}\n${small}`, {
    alias: { 'algernon-middy/core': join(root, 'dist/core/index.js') },
  });
  const seen = evaluate(`const { wire, id } = require(${JSON.stringify(file)}); console.log(wire, id)`);
  expect(seen).toBe(
    '{"_alg_class":"Order","_alg_module":"shop.models","value":{"id":42,"placedAt":{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":0}}}} 42n',
  );
});
