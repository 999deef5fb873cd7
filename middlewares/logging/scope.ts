import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import type { TaskTrace, Tracing } from '../tracing/tracing.ts';

/** What every line of a task or an invocation has. */
export type Keys = Readonly<Record<string, string | number | undefined>>;

/** One invocation, as its lines and its traces see it. */
export interface Invocation {
  readonly logger: Logger;
  readonly lambdaContext: UnformattedAttributes['lambdaContext'];
  readonly tracing: Tracing | undefined;
  /** Whether what is written to the console goes to the logger. */
  readonly capturesConsole: boolean;
  /** Whether an error has its line already, or is about to get it. */
  hasLine(error: unknown): boolean;
  ended: boolean;
}

/** Where a line comes from: a task, or an invocation outside of its tasks. */
export interface Scope {
  readonly invocation: Invocation;
  readonly keys: Keys;
  /** Undefined outside of any task. */
  readonly task: TaskParts | undefined;
  /** Whether it is the invocation's own, which what comes after the invocation must not have. */
  readonly isRoot: boolean;
}

/** What a task sends along with its messages. */
export interface TaskParts {
  readonly outgoing: Readonly<Record<string, string>>;
  readonly trace: TaskTrace | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();
/** The invocations under way: there may be several in one process. */
const underWay = new Set<Scope>();

/** Starts an invocation: what runs after this, up to `leaveScope`, belongs to it, however deep. */
export function enterScope(scope: Scope): void {
  underWay.add(scope);
  scopes.enterWith(scope);
}

/** Ends an invocation. Tasks that are still running keep their keys. */
export function leaveScope(scope: Scope): void {
  scope.invocation.ended = true;
  underWay.delete(scope);
}

/** Runs something as a part of a task or an invocation. */
export function inScope<T>(scope: Scope, work: () => T): T {
  return scopes.run(scope, work);
}

/**
 * Where the line that is being written comes from. What an invocation has left behind on the way back to its caller
 * does not count. A line from outside, such as that of a connection opened at start-up, belongs to the invocation
 * under way if there is just one.
 */
export function currentScope(): Scope | undefined {
  const scope = scopes.getStore();
  if (scope && !(scope.isRoot && scope.invocation.ended)) return scope;
  return underWay.size === 1 ? lastScope() : undefined;
}

/** The invocation that started last, of those under way. */
export function lastScope(): Scope | undefined {
  return [...underWay].at(-1);
}

/** Whether a logger serves an invocation under way. */
export function isLogging(logger: Logger): boolean {
  return [...underWay].some(({ invocation }) => invocation.logger === logger);
}
