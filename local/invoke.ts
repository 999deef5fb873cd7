import type { SqsEvent } from '../core/batch/events.ts';
import { AlgernonError } from '../core/errors.ts';
import { startTimer } from '../middlewares/timing/startTimer.ts';
import type { FullLambdaContext, LambdaHandler } from './lambdaTypes.ts';

/** Lambda's limit for a response: 6 MiB and 100 bytes. */
export const maxResponseBytes = 6_291_556;

/** The outcome of an invocation: the response as sent by the runtime, or the error. */
export type InvocationResult = { response: string } | { error: unknown };

/**
 * Calls a handler like Lambda's runtime. The invocation fails if the handler throws, exceeds the time-out (it continues,
 * but its result is ignored), or returns a response that is not JSON or over 6 MB.
 */
export async function invoke(
  handler: LambdaHandler,
  event: SqsEvent,
  context: FullLambdaContext,
): Promise<InvocationResult> {
  try {
    const result = await withinTime(
      // In an async function, so that a synchronous throw is caught too.
      (async () => handler(event, context, undefined as never))(),
      context,
    );
    return { response: writeResponse(result) };
  } catch (error) {
    return { error: error ?? invocationError(`The handler threw ${error}`) };
  }
}

async function withinTime(work: Promise<unknown>, context: FullLambdaContext): Promise<unknown> {
  const milliseconds = context.getRemainingTimeInMillis();
  const timeOut = invocationError(`Task timed out after ${(milliseconds / 1000).toFixed(2)} seconds`);
  let stopTimer = () => {};
  const end = new Promise<never>((_, reject) => {
    stopTimer = startTimer(milliseconds, () => reject(timeOut));
  });
  try {
    const result = await Promise.race([work, end]);
    // A handler that blocks the thread delays the timer.
    if (context.getRemainingTimeInMillis() === 0) throw timeOut;
    return result;
  } finally {
    stopTimer();
  }
}

function writeResponse(result: unknown): string {
  let response: string;
  try {
    // Lambda sends null for what JSON cannot express, such as undefined.
    response = JSON.stringify(result) ?? 'null';
  } catch (cause) {
    throw invocationError('The response cannot be converted to JSON', cause);
  }
  const size = Buffer.byteLength(response);
  if (size > maxResponseBytes) {
    throw invocationError(`The response has ${size} bytes; Lambda allows ${maxResponseBytes}`);
  }
  return response;
}

export function invocationError(message: string, cause?: unknown): AlgernonError {
  return new AlgernonError('INVOCATION', message, { retryable: true, cause });
}
