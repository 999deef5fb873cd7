import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/**
 * Bundles worker.ts and its imports for Lambda: index.mjs, and chunks that are loaded at first use.
 *
 * @param folder the folder for `index.mjs`; default examples/cdk/dist
 * @returns the folder
 */
export function bundleWorker(folder: string = fileURLToPath(new URL('dist', import.meta.url))): string {
  buildSync({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outdir: folder,
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Keeps the AWS SDK out of index.mjs, so that a cold start does not wait for it.
    splitting: true,
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
