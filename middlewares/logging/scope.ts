import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { DeadlineError } from '../../core/batch/deadline.ts';
import type { TaskTrace, Tracing } from '../tracing/tracing.ts';
import { watchLeftErrors } from './leftErrors.ts';

/** The keys on every line of a task or an invocation. */
export type Keys = Readonly<Record<string, string | number | undefined>>;

/** One invocation, as its lines and its traces see it. */
export interface Invocation {
  readonly logger: Logger;
  readonly lambdaContext: UnformattedAttributes['lambdaContext'];
  readonly tracing: Tracing | undefined;
  /** Whether lines of the console go to the logger. */
  readonly capturesConsole: boolean;
  /** Whether an error has its line already, or is about to get it. */
  hasLine(error: unknown): boolean;
  ended: boolean;
}

/** The origin of a line: a task, or an invocation outside of its tasks. */
export interface Scope {
  readonly invocation: Invocation;
  readonly keys: Keys;
  /** Undefined outside of any task. */
  readonly task: TaskParts | undefined;
  /** Whether it is the scope of the invocation itself, which ends with it. */
  readonly isRoot: boolean;
}

/** What a task sends along with its messages. */
export interface TaskParts {
  readonly outgoing: Readonly<Record<string, string>>;
  readonly trace: TaskTrace | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();
/** The invocations that are running: there may be several in one process. */
const running = new Set<Scope>();
/** How many runs of each task have not settled. */
const runs = new WeakMap<Scope, number>();
/** The scope in which an invocation was started, if a task called the handler. */
const outers = new WeakMap<Scope, Scope>();
let unwatch: (() => void) | undefined;

/** Starts an invocation: everything that runs after this, up to `leaveScope`, belongs to it. */
export function enterScope(scope: Scope): void {
  const outer = innermost(scopes.getStore());
  if (outer) outers.set(scope, outer);
  running.add(scope);
  unwatch ??= watchLeftErrors(() => scopes.getStore());
  scopes.enterWith(scope);
}

/** Ends an invocation. Tasks that are still running keep their keys. */
export function leaveScope(scope: Scope): void {
  scope.invocation.ended = true;
  running.delete(scope);
  if (running.size > 0) return;
  unwatch?.();
  unwatch = undefined;
}

/** Runs something as a part of a task or an invocation, which lasts until its promise settles. */
export function inScope<T>(scope: Scope, work: () => T): T {
  runs.set(scope, (runs.get(scope) ?? 0) + 1);
  const end = () => void runs.set(scope, (runs.get(scope) ?? 1) - 1);
  /** A handler that the deadline has cut off may go on, and its lines are still those of its task. */
  const endUnlessCut = (error: unknown) => {
    if (!(error instanceof DeadlineError)) end();
  };
  try {
    const result = scopes.run(scope, work);
    if (result instanceof Promise) result.then(end, endUnlessCut);
    else end();
    return result;
  } catch (error) {
    end();
    throw error;
  }
}

/**
 * The scope of the line that is being written. A task that has settled no longer has lines: a timer or a connection that
 * it left behind writes for the invocation, and after that for the invocation that is running, if there is just one.
 */
export function currentScope(): Scope | undefined {
  const stored = scopes.getStore();
  const scope = innermost(stored);
  if (scope) return scope;
  const root = stored && [...running].find(({ invocation }) => invocation === stored.invocation);
  return root ?? (running.size === 1 ? lastScope() : undefined);
}

/** A scope while it lasts, else the one it was started in. */
function innermost(scope: Scope | undefined): Scope | undefined {
  let lasting = scope;
  while (lasting && !isLasting(lasting)) lasting = outers.get(lasting);
  return lasting;
}

function isLasting(scope: Scope): boolean {
  return scope.isRoot ? !scope.invocation.ended : (runs.get(scope) ?? 0) > 0;
}

/** The running invocation that started last. */
export function lastScope(): Scope | undefined {
  return [...running].at(-1);
}

/** Whether a logger serves a running invocation. */
export function isLogging(logger: Logger): boolean {
  return [...running].some(({ invocation }) => invocation.logger === logger);
}
