import { MissingPackageError } from '../../core/errors.ts';

const NOT_FOUND = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * Makes what catches a failed `import()` of an optional peer dependency.
 *
 * It stands as `.catch` at the `import()` itself, since only then do bundlers take a package that is not installed
 * for one that may be missing, and bundle the rest.
 *
 * @param name the package
 * @param neededBy what needs it, for the error
 * @throws MissingPackageError from the import, when the package is not installed.
 * @example const { startFauxqs } = await import('fauxqs').catch(missingPeer('fauxqs', 'algernon-middy/local'));
 */
export function missingPeer(name: string, neededBy: string): (cause: unknown) => never {
  return (cause) => {
    throw isMissing(cause, name) ? new MissingPackageError(name, neededBy, cause) : cause;
  };
}

// A package that is installed may itself lack a dependency: that is another fault, with another remedy.
function isMissing(cause: unknown, name: string): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  return NOT_FOUND.has(String(cause.code)) && cause.message.includes(`'${name}'`);
}
