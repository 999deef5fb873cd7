import { currentScope } from './scope.ts';
import type { Tracing } from './tracing.ts';

/**
 * Sends a message with the attributes that continue the chain and the trace of the running task, if there is one.
 *
 * @param tracing for a sender outside of tasks
 */
export function carrying<T>(
  topicArn: string,
  tracing: Tracing | undefined,
  send: (attributes: Readonly<Record<string, string>>) => T,
): T {
  const { task, invocation } = currentScope() ?? {};
  const inTask = tracing === undefined || tracing === invocation?.tracing;
  const used = tracing ?? invocation?.tracing;
  const sendAll = (traced: Readonly<Record<string, string>>) =>
    send({ ...task?.outgoingAttributes, ...traced });
  return used ? used.send(topicArn, sendAll, inTask ? task?.trace : undefined) : sendAll({});
}

/** Traces the calls of an AWS client that is used in a traced task. */
export function captureClient<C extends object>(client: C): C {
  currentScope()?.invocation.tracing?.capture?.(client);
  return client;
}
