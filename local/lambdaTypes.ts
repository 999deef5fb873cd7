import type { LambdaContext, SqsEvent } from '../core/batch/events.ts';

/** Lambda's context, with what is left of its days of callbacks. */
export interface FullLambdaContext extends LambdaContext {
  done(error?: Error, result?: unknown): void;
  fail(error: Error | string): void;
  succeed(result: unknown): void;
}

/**
 * A Lambda handler that returns a promise. The third parameter is there for the type alone, so that handlers
 * declared with a callback fit; like Lambda's Node.js 24 runtime, the worker passes none.
 */
export type LambdaHandler = (event: SqsEvent, context: FullLambdaContext, callback: never) => unknown;
