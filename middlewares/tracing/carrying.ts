import { currentScope } from '../logging/scope.ts';
import type { Tracing } from './tracing.ts';

/**
 * Sends a message along with the attributes by which it carries on the chain and the trace of the task that sends it, if
 * any.
 *
 * @param tracing for a sender outside of any task
 */
export function carrying<T>(
  topicArn: string,
  tracing: Tracing | undefined,
  send: (attributes: Readonly<Record<string, string>>) => T,
): T {
  const { task, invocation } = currentScope() ?? {};
  const inTask = tracing === undefined || tracing === invocation?.tracing;
  const used = tracing ?? invocation?.tracing;
  const sendAll = (traced: Readonly<Record<string, string>>) => send({ ...task?.outgoing, ...traced });
  return used ? used.send(topicArn, sendAll, inTask ? task?.trace : undefined) : sendAll({});
}

/** Lets an AWS client that is used within a traced task tell of its calls. */
export function captureClient<C extends object>(client: C): C {
  currentScope()?.invocation.tracing?.capture?.(client);
  return client;
}
