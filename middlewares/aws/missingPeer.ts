import { AlgernonError } from '../../core/errors.ts';

const notFoundCodes = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * Makes the `catch` of a failed `import()` of an optional peer dependency.
 *
 * Write `.catch` at the `import()` itself: only then do bundlers treat a package that is not installed as optional.
 *
 * @param name the package
 * @param neededBy the function that needs it, for the error
 * @throws AlgernonError `MISSING_PACKAGE` from the import, when the package is not installed
 * @example const { startFauxqs } = await import('fauxqs').catch(missingPeer('fauxqs', 'algernon-middy/local'));
 */
export function missingPeer(name: string, neededBy: string): (cause: unknown) => never {
  return (cause) => {
    if (!isMissing(cause, name)) throw cause;
    throw new AlgernonError('MISSING_PACKAGE', `${neededBy} needs ${name}: npm install ${name}`, { cause });
  };
}

// An installed package may lack a dependency itself, which needs another remedy.
function isMissing(cause: unknown, name: string): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  return notFoundCodes.has(String(cause.code)) && cause.message.includes(`'${name}'`);
}
