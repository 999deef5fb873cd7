import { AsyncLocalStorage } from 'node:async_hooks';
import { DeadlineError } from '../../core/batch/deadline.ts';
import type { TaskTrace, Tracing } from './tracing.ts';

/** A running invocation. The logger adds its own properties. */
export interface Invocation {
  readonly tracing: Tracing | undefined;
  ended: boolean;
}

/** The origin of a call or of a log line: a task, or an invocation outside of its tasks. */
export interface Scope {
  readonly invocation: Invocation;
  /** Undefined outside of tasks. */
  readonly task: TaskParts | undefined;
  /** Whether it is the scope of the invocation itself, which ends with it. */
  readonly isRoot: boolean;
  /** The number of runs of the task that have not settled. */
  runs?: number;
  /** The scope in which the invocation was started, if a task called the handler. */
  outer?: Scope | undefined;
}

/** The parts of a task that its messages carry on. */
export interface TaskParts {
  readonly outgoingAttributes: Readonly<Record<string, string>>;
  readonly trace: TaskTrace | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();
/** The running invocations. One process may have several. */
const running = new Set<Scope>();

/** Starts an invocation: everything that runs after this, up to `leaveScope`, belongs to it. */
export function enterScope(scope: Scope): void {
  scope.outer = innermost(scopes.getStore());
  running.add(scope);
  scopes.enterWith(scope);
}

/** Ends an invocation. Tasks that are still running keep their scope. */
export function leaveScope(scope: Scope): void {
  scope.invocation.ended = true;
  running.delete(scope);
}

/** Runs a part of a task or an invocation. The scope lasts until the promise settles. */
export function inScope<T>(scope: Scope, work: () => T): T {
  scope.runs = (scope.runs ?? 0) + 1;
  const end = () => {
    scope.runs = (scope.runs ?? 1) - 1;
  };
  /** A handler that was cut off at the deadline may go on, and its lines still belong to its task. */
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
 * The scope of the code that is running. After a task has settled, a timer or a connection that it left behind belongs to
 * the invocation. After the invocation has ended, it belongs to the one that is running, if there is exactly one.
 */
export function currentScope(): Scope | undefined {
  const stored = scopes.getStore();
  const scope = innermost(stored);
  if (scope) return scope;
  const root = stored && [...running].find(({ invocation }) => invocation === stored.invocation);
  return root ?? (running.size === 1 ? lastScope() : undefined);
}

/** The scope in which the running code was started, even if its task has settled. */
export function startingScope(): Scope | undefined {
  return scopes.getStore();
}

/** The running invocation that started last. */
export function lastScope(): Scope | undefined {
  return [...running].at(-1);
}

/** The scopes of the running invocations. */
export function runningScopes(): readonly Scope[] {
  return [...running];
}

/** A scope while it lasts, else the scope in which it was started. */
function innermost(scope: Scope | undefined): Scope | undefined {
  let lasting = scope;
  while (lasting && !isLasting(lasting)) lasting = lasting.outer;
  return lasting;
}

function isLasting(scope: Scope): boolean {
  return scope.isRoot ? !scope.invocation.ended : (scope.runs ?? 0) > 0;
}
