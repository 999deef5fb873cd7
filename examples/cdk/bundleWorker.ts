import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/**
 * Bundles worker.ts, with all that it imports, into one file that Lambda can run.
 *
 * @param folder where `index.mjs` goes; examples/cdk/dist by default
 * @returns the folder
 */
export function bundleWorker(folder: string = fileURLToPath(new URL('dist', import.meta.url))): string {
  buildSync({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile: `${folder}/index.mjs`,
    bundle: true,
    minify: true,
    // A class that is registered with ajson without a name has its own on the wire.
    keepNames: true,
    sourcemap: true,
    // An ES module, where a package has one: of CommonJS nothing can be left out.
    mainFields: ['module', 'main'],
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // What is CommonJS all the same may ask for Node's own modules in its own way.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return folder;
}
