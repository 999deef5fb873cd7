import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AlgernonError, isAlgernonError } from '../../core/errors.ts';
import type { LambdaHandler } from '../lambdaTypes.ts';
import { UsageError } from './command.ts';
import { bundleWorker, canBundle } from './dev/bundleWorker.ts';

type Module = Readonly<Record<string, unknown>>;

/**
 * Loads the handler of a worker. A file that Node cannot run as it is, such as TypeScript with enums, is bundled.
 *
 * @param file a path, which exports `handler`; or a path and the name of another export, such as `worker.ts#name`
 * @param onInputs gets the files of a bundle
 * @throws UsageError when the file or the export does not exist
 * @throws AlgernonError `WORKER_NOT_LOADED`, `MISSING_PACKAGE`
 */
export async function loadWorker(
  file: string,
  onInputs: (files: readonly string[]) => void = () => {},
): Promise<LambdaHandler> {
  const [path = '', name = 'handler'] = file.split('#');
  const module = await importWorker(path, onInputs);
  const handler = module[name] ?? (module['default'] as Module | undefined)?.[name];
  if (typeof handler === 'function') return handler as LambdaHandler;
  const names = Object.keys(module).join(', ') || 'nothing';
  throw new UsageError(`${path} exports ${names}, and not a function ${name}. Choose one with ${path}#NAME.`);
}

async function importWorker(path: string, onInputs: (files: readonly string[]) => void): Promise<Module> {
  const url = pathToFileURL(resolve(path)).href;
  try {
    return (await import(url)) as Module;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${url.slice('file://'.length)}'`)) {
      throw new UsageError(`the worker ${path} does not exist.`);
    }
    if (!canBundle(path, error)) throw notLoaded(path, error);
    return importBundle(path, error, onInputs);
  }
}

async function importBundle(
  path: string,
  cause: unknown,
  onInputs: (files: readonly string[]) => void,
): Promise<Module> {
  const bundle = await bundleWorker(path, cause);
  onInputs(bundle.inputs);
  // Errors then have the lines of the source.
  process.setSourceMapsEnabled(true);
  try {
    return (await import(pathToFileURL(bundle.path).href)) as Module;
  } catch (error) {
    throw notLoaded(path, error);
  } finally {
    await rm(bundle.path, { force: true });
  }
}

function notLoaded(path: string, error: unknown): AlgernonError {
  if (isAlgernonError(error)) return error;
  // A syntax error has its place only in its stack, above the message.
  const { message = String(error), stack = '' } = Object(error) as Partial<Error>;
  const place = error instanceof SyntaxError ? stack.split('\n').slice(0, 4).join('\n') : '';
  const shown = place === '' || place.startsWith('SyntaxError') ? message : `${message}\n${place}`;
  return new AlgernonError('WORKER_NOT_LOADED', `${path} threw when it was loaded: ${shown}`, {
    cause: error,
  });
}
