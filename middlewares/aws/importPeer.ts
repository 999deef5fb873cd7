import { MissingPackageError } from '../../core/errors.ts';

const NOT_FOUND = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * Imports an optional peer dependency when it is needed.
 *
 * `load` must hold the `import()` itself, so that bundlers see it.
 *
 * @param neededBy what needs it, for the error
 * @throws MissingPackageError when the package is not installed.
 * @example const { startFauxqs } = await importPeer('fauxqs', 'algernon-middy/local', () => import('fauxqs'));
 */
export async function importPeer<T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (isMissing(cause, name)) throw new MissingPackageError(name, neededBy, cause);
    throw cause;
  }
}

// A package that is installed may itself lack a dependency: that is another fault, with another remedy.
function isMissing(cause: unknown, name: string): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  return NOT_FOUND.has(String(cause.code)) && cause.message.includes(`'${name}'`);
}
