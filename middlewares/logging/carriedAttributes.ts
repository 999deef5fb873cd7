import { currentScope } from './scope.ts';

/** The message attributes by which a message that is sent within a task carries on its chain and its trace. */
export function carriedAttributes(): Readonly<Record<string, string>> {
  const { task, invocation } = currentScope() ?? {};
  return { ...task?.outgoing, ...invocation?.tracing?.carried(task?.trace) };
}

/** Lets an AWS client that is used within a traced task tell of its calls. */
export function captureClient<C extends object>(client: C): C {
  currentScope()?.invocation.tracing?.capture?.(client);
  return client;
}
