import type { LambdaContext, SqsEvent } from '../core/batch/events.ts';

/** Lambda's context, with its legacy callback functions. */
export interface FullLambdaContext extends LambdaContext {
  /** Of Node.js 22 and older. */
  done(error?: Error, result?: unknown): void;
  /** Of Node.js 22 and older. */
  fail(error: Error | string): void;
  /** Of Node.js 22 and older. */
  succeed(result: unknown): void;
}

/**
 * A Lambda handler that returns a promise. The third parameter exists only in the type, so that handlers
 * with a callback parameter fit. Like Lambda's Node.js 24 runtime, the worker does not pass a callback.
 */
export type LambdaHandler = (event: SqsEvent, context: FullLambdaContext, callback: never) => unknown;
