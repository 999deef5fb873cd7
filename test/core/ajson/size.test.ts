import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';

async function bundled(exports: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${exports} } from './core/ajson/index.ts'`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

test('ajson alone is small and tree-shakeable', async () => {
  const text = await bundled('ajson');
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(9.67 * 1000);
  expect(gzipSync(await bundled('ajson, createAjson, AlgObject'), { level: 9 }).length).toBeLessThan(
    10.02 * 1000,
  );
  expect(text).toContain('frozenset');
  expect(text).not.toContain('BOOL');
  // Part of an error message in createAjson.
  expect(text).not.toContain('kind ${');
});

test('the other exports do not pull in ajson', async () => {
  expect((await bundled('fromDynamoJson')).length).toBeLessThan(5 * 1024);
  expect((await bundled('tuple')).length).toBeLessThan(512);
});
