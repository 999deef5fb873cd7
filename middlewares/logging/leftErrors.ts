import { isError } from './errorText.ts';
import { thrownValue } from './logFailure.ts';
import type { Scope } from './scope.ts';

/** The monitor has no side effects, so it stays installed: an error may occur after the invocation. */
let isMonitored = false;

/**
 * Logs an unhandled exception or rejection, with the keys of its task, before the process ends. This does not change how
 * the process ends: a listener for rejections is added only if there is one already, such as that of the Lambda runtime,
 * since the first listener would keep Node from ending the process.
 *
 * @param scopeOf returns the scope of the error, even if its task has settled
 * @returns a function that removes the listener for rejections
 */
export function watchLeftErrors(scopeOf: () => Scope | undefined): () => void {
  const write = (error: unknown, origin: string) => {
    const scope = scopeOf();
    if (!scope || scope.invocation.hasLine(error)) return;
    const { invocation, keys } = scope;
    const thrown = isError(error) ? error : thrownValue(error);
    try {
      invocation.logger.error(origin, { ...keys, error: thrown });
    } catch {
      // The runtime reports the error as well.
    }
  };
  const onException = (error: unknown, origin: string) =>
    write(error, origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception');
  const onRejection = (error: unknown) => write(error, 'unhandled rejection');

  if (!isMonitored) process.on('uncaughtExceptionMonitor', onException);
  isMonitored = true;
  if (process.listenerCount('unhandledRejection') > 0)
    process.prependListener('unhandledRejection', onRejection);
  return () => void process.off('unhandledRejection', onRejection);
}
