import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/**
 * Bundles worker.ts and its imports into one file for Lambda.
 *
 * @param folder the folder for `index.mjs`; default examples/cdk/dist
 * @returns the folder
 */
export function bundleWorker(folder: string = fileURLToPath(new URL('dist', import.meta.url))): string {
  buildSync({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile: `${folder}/index.mjs`,
    bundle: true,
    minify: true,
    // ajson.register(Class) without a name uses the name of the class, so minifying must keep it.
    keepNames: true,
    sourcemap: true,
    // Prefer ES modules: CommonJS cannot be tree-shaken.
    mainFields: ['module', 'main'],
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // The remaining CommonJS packages need require() for Node's modules.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return folder;
}
