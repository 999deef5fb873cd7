import { EventReplacedError } from '../errors.ts';
import { eventKind, recordsOf } from './events.ts';
import { isEventReplaced } from './pipeline.ts';
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
  const { error } = request;
  if (error instanceof EventReplacedError || (error !== undefined && isEventReplaced(request))) {
    return failAtEnd(watched.end(), error);
  }
  const kind = eventKind(request.event);
  if (kind === 'sqs') return undefined;
  watched.refuses = (response) => {
    const named = namesOf(response);
    if (!named) return false;
    // SNS has no partial answer.
    if (kind === 'sns') return true;
    // A batch from Kinesis or DynamoDB has one, and where it names nothing Lambda takes all of it for failed; but not
    // where the function's answers are not read, and there an error must be one.
    return (
      named.every((name) => name === undefined) && (request.error !== undefined || !recordsOf(request.event))
    );
  };
  if (watched.refuses(request.response)) request.response = undefined;
  return undefined;
}

/** What is thrown in an `onError` skips those that follow it. */
async function failAtEnd(end: Promise<void>, error: unknown): Promise<never> {
  await end;
  throw error;
}

/** What a batch response names as failed; undefined for any other answer. */
function namesOf(response: unknown): unknown[] | undefined {
  if (typeof response !== 'object' || response === null) return undefined;
  const { batchItemFailures } = response as { batchItemFailures?: unknown };
  if (!Array.isArray(batchItemFailures) || Object.keys(response).join() !== 'batchItemFailures')
    return undefined;
  return batchItemFailures.map((one) => one?.itemIdentifier);
}
