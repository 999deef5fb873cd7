import { recordsOf } from '../../core/batch/events.ts';
import { AlgernonError, isAlgernonError } from '../../core/errors.ts';
import { failuresIn, isEarly } from './guardedAnswer.ts';
import type { GuardedRequest } from './guardRequest.ts';
import { startEnding } from './invocationWork.ts';

/** Takes a response that the handler, Middy or a hook sets. */
export function writeResponse(state: GuardedRequest, response: unknown): void {
  const { outcome } = state;
  const hasFailed = outcome.phase === 'failed';
  outcome.view = undefined;
  if (!refuses(state, response)) {
    outcome.response = response;
    if (!isEarly(state) && !hasFailed) {
      outcome.phase = 'returned';
      noteFailures(state, response);
    }
  } else if (hasFailed) {
    // The response before it led to an error, and must not count as the answer to it.
    outcome.response = undefined;
  }
  if (isEarly(state)) startEnding(state);
  closeIfRunning(state);
}

/** Takes an error that Middy sets. */
export function writeError(state: GuardedRequest, error: unknown): void {
  const { outcome } = state;
  // A second error is thrown by an onError, which skips the hooks that follow it.
  if (outcome.phase === 'failed') startEnding(state);
  outcome.phase = 'failed';
  outcome.view = undefined;
  outcome.error = asThrown(error);
  if (isAlgernonError(error) && fatalCodes.has(error.code)) outcome.fatal ??= error;
  closeIfRunning(state);
}

/** The errors that no answer to the batch may replace. */
const fatalCodes = new Set(['BATCH_FAILED', 'EVENT_REPLACED', 'DUPLICATE_STAGE', 'DURABLE_FUNCTION']);

/** Middy takes an error that is undefined for success. */
export function asThrown(error: unknown): unknown {
  if (error !== undefined) return error;
  const message = 'The handler or a middleware threw undefined.';
  return new AlgernonError('THREW_UNDEFINED', message, { retryable: true });
}

/** `queued` runs on when Middy's own time-out has answered: nothing may leave after that. */
function closeIfRunning({ pipeline }: GuardedRequest): void {
  if (pipeline?.isQueued) pipeline.deadline?.close();
}

/**
 * `sqsPartialBatchFailure` answers every event. For an event that is not an SQS batch its answer would replace the result,
 * and turn an error into success.
 */
function refuses({ kind, outcome, request }: GuardedRequest, response: unknown): boolean {
  if (kind === 'sqs') return false;
  const failures = failuresIn(response);
  if (!failures || Object.keys(response as object).length !== 1) return false;
  if (kind === 'sns') return true;
  // A stream has partial answers, but an answer that names nothing is not one.
  const namesNothing = failures.every((failure) => Object(failure).itemIdentifier === undefined);
  return namesNothing && (kind === 'direct' || outcome.phase === 'failed' || !recordsOf(request.event));
}

/** Keeps the failures that the answer of a loop names, in case a later hook drops that answer. */
function noteFailures({ pipeline }: GuardedRequest, response: unknown): void {
  if (!pipeline || pipeline.wasQueued) return;
  const { ledger } = pipeline;
  if (Array.isArray(response)) {
    ledger.ids.forEach((id, index) => {
      if (response[index]?.status === 'rejected') ledger.note(id, response[index].reason);
    });
  }
  for (const failure of failuresIn(response) ?? []) {
    const message = 'The handler named this record as failed.';
    const reason = new AlgernonError('NAMED_AS_FAILED', message, { retryable: true });
    ledger.note(Object(failure).itemIdentifier, reason);
  }
}
