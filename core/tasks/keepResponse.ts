import { EventReplacedError } from '../errors.ts';
import { eventKind } from './events.ts';
import { type RespondingRequest, watchRequest } from './watchRequest.ts';

/**
 * Keeps the answer to an event that is no SQS batch. `@middy/sqs-partial-batch-failure` answers every event with
 * `{ batchItemFailures: [] }`, in its `after` and in its `onError`: that would cover the result of a direct
 * invocation, and make a failed one look like success. Such an answer is not taken for an event that has no batch.
 * Nor can it name the messages of a batch that was replaced, so there the invocation itself has to fail.
 *
 * Call it in `before` and in `onError`, so that the order of the middlewares has nothing to say.
 */
export function keepResponse(request: RespondingRequest): Promise<never> | undefined {
  const watched = watchRequest(request);
  if (request.error instanceof EventReplacedError) return failAtEnd(watched.end(), request.error);
  if (eventKind(request.event) === 'sqs') return undefined;
  watched.refuses = (response) => isBatchResponse(response, request.error);
  if (watched.refuses(request.response)) request.response = undefined;
  return undefined;
}

/** What is thrown in an `onError` skips those that follow it. */
async function failAtEnd(end: Promise<void>, error: Error): Promise<never> {
  await end;
  throw error;
}

/** Either what it answers with, or what it makes of an error on the way there: a rejection for each record. */
function isBatchResponse(value: unknown, error: unknown): boolean {
  if (Array.isArray(value))
    return error !== undefined && value.length > 0 && value.every((one) => one?.reason === error);
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === 'batchItemFailures';
}
