import { randomUUID } from 'node:crypto';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { AlgernonError } from '../../../core/errors.ts';

/** Endings of files that Node may not run as they are. */
const compiled = new Set(['.ts', '.mts', '.cts', '.tsx', '.jsx']);

/** Codes of imports that a bundler can resolve: of other file types, folders, path aliases and paths without an ending. */
const bundled = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
]);

/** Whether a file that Node could not load may run when it is bundled. */
export function canBundle(path: string, error: unknown): boolean {
  if (!compiled.has(extname(path))) return false;
  // Decorators, and imports of types without the word `type`, are syntax errors for Node.
  return error instanceof SyntaxError || bundled.has((error as NodeJS.ErrnoException).code ?? '');
}

/** A bundle of a worker. */
export interface Bundle {
  readonly path: string;
  /** The files that it was made of, without packages. */
  readonly inputs: readonly string[];
}

/**
 * Bundles a worker with esbuild, which reads the settings of the nearest tsconfig.json. Packages stay imports.
 *
 * @param cause why Node does not run the file
 * @throws AlgernonError `MISSING_PACKAGE` without esbuild, `WORKER_NOT_LOADED` when the file has an error
 */
export async function bundleWorker(path: string, cause: unknown): Promise<Bundle> {
  const { message } = cause as Error;
  const { build } = await import('esbuild').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new AlgernonError(
      'MISSING_PACKAGE',
      `Node cannot run ${path} as it is (${message}). If esbuild should bundle it: npm install --save-dev esbuild`,
      { cause },
    );
  });
  // Beside the worker, so that imports lead to the same packages. It is removed once it is loaded.
  const outfile = join(dirname(resolve(path)), `.${basename(path)}-${randomUUID()}.mjs`);
  try {
    const { metafile } = await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: `node${process.versions.node}`,
      sourcemap: 'inline',
      metafile: true,
      logLevel: 'silent',
    });
    return { path: outfile, inputs: Object.keys(metafile.inputs).map((input) => resolve(input)) };
  } catch (error) {
    throw new AlgernonError('WORKER_NOT_LOADED', `${path} cannot be bundled: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
