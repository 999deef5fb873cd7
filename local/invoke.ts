import type { SqsEvent } from '../core/batch/events.ts';
import { InvocationError } from '../core/errors.ts';
import type { FullLambdaContext, LambdaHandler } from './lambdaTypes.ts';

/** Lambda's limit for a response: 6 MiB and 100 bytes. */
export const MOST_RESPONSE_BYTES = 6_291_556;

/** What came of an invocation: the response as it went over the wire, or why there is none. */
export type InvocationResult = { response: string } | { error: unknown };

/**
 * Calls a handler as Lambda's runtime does. It has failed when it throws, has not ended by the time-out (what
 * comes later is ignored), or its response cannot be written as JSON or is over 6 MB.
 */
export async function invoke(
  handler: LambdaHandler,
  event: SqsEvent,
  context: FullLambdaContext,
): Promise<InvocationResult> {
  try {
    const result = await withinTime(
      // A handler that throws before its first await must end here too.
      (async () => handler(event, context, undefined as never))(),
      context,
    );
    return { response: writeResponse(result) };
  } catch (error) {
    return { error: error ?? new InvocationError(`The handler threw ${error}`) };
  }
}

async function withinTime(work: Promise<unknown>, context: FullLambdaContext): Promise<unknown> {
  const milliseconds = context.getRemainingTimeInMillis();
  const timeOut = new InvocationError(`Task timed out after ${(milliseconds / 1000).toFixed(2)} seconds`);
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeOut), milliseconds);
  });
  try {
    const result = await Promise.race([work, end]);
    // A handler that keeps the thread to itself keeps the timer from firing, not the time from running out.
    if (context.getRemainingTimeInMillis() === 0) throw timeOut;
    return result;
  } finally {
    clearTimeout(timer);
  }
}

function writeResponse(result: unknown): string {
  let response: string;
  try {
    // What JSON has no word for, such as undefined, Lambda sends as null.
    response = JSON.stringify(result) ?? 'null';
  } catch (cause) {
    throw new InvocationError('The response cannot be written as JSON', cause);
  }
  const size = Buffer.byteLength(response);
  if (size > MOST_RESPONSE_BYTES) {
    throw new InvocationError(`The response has ${size} bytes; Lambda allows ${MOST_RESPONSE_BYTES}`);
  }
  return response;
}
