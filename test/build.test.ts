import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import * as errors from '../core/errors.ts';
import * as core from '../core/index.ts';
import * as whole from '../middlewares/index.ts';
import { runScript } from './support/runScript.ts';

const root = new URL('..', import.meta.url).pathname;

/** The exports of a built file, and the files of ours that importing it loads. */
function imported(file: string): { names: string[]; files: string[] } {
  const script = `
    import { registerHooks } from 'node:module';
    const files = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        const [, file] = /\\/dist\\/(.*)$/.exec(resolved.url) ?? [];
        if (file && !resolved.url.includes('node_modules')) files.add(file);
        return resolved;
      },
    });
    const names = Object.keys(await import(${JSON.stringify(`${root}dist/${file}.js`)}));
    console.log(JSON.stringify({ names: names.sort(), files: [...files].sort() }));
  `;
  return JSON.parse(runScript(script));
}

async function bundledBytes(file: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [root + file],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
    write: false,
  });
  return outputFiles[0]?.contents.length ?? Number.NaN;
}

test('the build exports what the sources export', () => {
  expect(imported('middlewares/index').names).toEqual(Object.keys(whole).sort());
  expect(imported('core/index').names).toEqual(Object.keys(core).sort());
});

test('the package exports every error', () => {
  expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(errors)));
});

test('sqsSnsUnwrap and core load few files, since each costs half a millisecond of a cold start', () => {
  expect(imported('middlewares/sqsSnsUnwrap').files).toEqual([
    'chunks/kernel.js',
    'middlewares/sqsSnsUnwrap.js',
  ]);
  expect(imported('core/index').files.length).toBeLessThanOrEqual(5);
});

test('a bundle of the build is no larger than a bundle of the sources', async () => {
  const entries = [
    'core/index.ts',
    ...readdirSync(`${root}middlewares`).map((name) => `middlewares/${name}`),
  ];
  for (const source of entries.filter((name) => name.endsWith('.ts'))) {
    const built = await bundledBytes(`dist/${source.replace(/ts$/, 'js')}`);
    expect([source, built]).toEqual([source, expect.any(Number)]);
    const most = (await bundledBytes(source)) * 1.02 + 128;
    expect(built).toBeLessThan(most);
    expect(await bundledBytes(`dist/modules/${source.replace(/ts$/, 'js')}`)).toBeLessThan(most);
  }
});
