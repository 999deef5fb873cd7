import { isError } from './errorText.ts';
import { thrownValue } from './logFailure.ts';
import type { Scope } from './scope.ts';

/** A monitor changes nothing, so it stays: an error may be left until after the invocation. */
let isMonitored = false;

/**
 * Writes a line for an exception or a rejection that nobody handles, with the keys of the task that left it behind, before
 * the process ends. How the process ends is not changed: a listener for rejections is added only where there is one, such
 * as that of the Lambda runtime, since the first one keeps Node from ending the process.
 *
 * @param scopeOf the scope in which the error was left, whether its task has settled or not
 * @returns removes the listener for rejections
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
      // The runtime reports it too.
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
