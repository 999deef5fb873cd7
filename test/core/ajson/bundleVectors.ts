import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * One script for any engine: the vectors, their check and all of core/ajson. It sets `globalThis.verdict` to the
 * list of failures.
 */
export async function bundleVectors(): Promise<string> {
  const vectors = readFileSync('test/wire/ajson-vectors.json', 'utf8');
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { checkTemporal } from './test/core/ajson/checkTemporal.ts';
        import { checkVectors } from './test/core/ajson/checkVectors.ts';
        import * as all from './core/ajson/index.ts';
        globalThis.verdict = [...checkVectors(${vectors}), ...checkKinds(), ...checkTemporal()];
        function checkKinds() {
          const value = [new Map([[1, undefined]]), new Uint8Array([0, 255]), new URL('https://a.example/'), 2n ** 70n, -0];
          const text = all.ajson.dumps(value);
          return all.ajson.dumps(all.ajson.loads(text)) === text ? [] : ['kinds of our own: ' + text];
        }`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    keepNames: true,
    write: false,
    format: 'iife',
    target: 'es2023',
    platform: 'neutral',
  });
  return outputFiles[0]?.text ?? '';
}
