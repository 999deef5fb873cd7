import type { Logger } from '@aws-lambda-powertools/logger';
import type { UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import * as tracing from '../tracing/scope.ts';
import { watchLeftErrors } from './leftErrors.ts';

/** The keys on every line of a task or an invocation. */
export type Keys = Readonly<Record<string, string | number | undefined>>;

/** An invocation that is logged. */
export interface Invocation extends tracing.Invocation {
  readonly logger: Logger;
  readonly lambdaContext: UnformattedAttributes['lambdaContext'];
  /** Whether console output goes to the logger. */
  readonly capturesConsole: boolean;
  /** Whether the line of an error has been written, or is about to be. */
  hasLine(error: unknown): boolean;
}

/** The origin of a line: a task, or an invocation outside of its tasks. */
export interface Scope extends tracing.Scope {
  readonly invocation: Invocation;
  readonly keys: Keys;
}

let unwatch: (() => void) | undefined;

/** Starts an invocation: everything that runs after this, up to `leaveScope`, belongs to it. */
export function enterScope(scope: Scope): void {
  tracing.enterScope(scope);
  unwatch ??= watchLeftErrors(startingScope);
}

/** Ends an invocation. Tasks that are still running keep their keys. */
export function leaveScope(scope: Scope): void {
  tracing.leaveScope(scope);
  if (tracing.runningScopes().length > 0) return;
  unwatch?.();
  unwatch = undefined;
}

// Every scope is entered here, so every scope is one of the logger's.
/** The scope of the line that is being written. */
export const currentScope = tracing.currentScope as () => Scope | undefined;
/** The running invocation that started last. */
export const lastScope = tracing.lastScope as () => Scope | undefined;
const startingScope = tracing.startingScope as () => Scope | undefined;

/** Whether a running invocation uses a logger. */
export function isLogging(logger: Logger): boolean {
  return (tracing.runningScopes() as readonly Scope[]).some(({ invocation }) => invocation.logger === logger);
}
