import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AlgernonError } from '../../core/errors.ts';
import type { LambdaHandler } from '../lambdaTypes.ts';
import { UsageError } from './command.ts';

/** A name in a module: `worker.ts` exports `handler`; `worker.ts#name` something else. */
export async function loadWorker(file: string): Promise<LambdaHandler> {
  const [path = '', name = 'handler'] = file.split('#');
  const url = pathToFileURL(resolve(path)).href;
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(url.slice('file://'.length))) {
      throw new UsageError(`the worker ${path} does not exist.`);
    }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
      throw new AlgernonError(
        'WORKER_NOT_LOADED',
        `This Node cannot run ${path} as it is: use Node 24, or pass the JavaScript that it is built to. (${message})`,
        { cause: error },
      );
    }
    throw new AlgernonError('WORKER_NOT_LOADED', `${path} threw when it was loaded: ${message}`, {
      cause: error,
    });
  }
  const handler = module[name] ?? (module['default'] as Record<string, unknown> | undefined)?.[name];
  if (typeof handler === 'function') return handler as LambdaHandler;
  const names = Object.keys(module).join(', ') || 'nothing';
  throw new UsageError(`${path} exports ${names}, and not a function ${name}. Choose one with ${path}#NAME.`);
}
