import type { Undone } from '../../core/batch/ledger.ts';
import type { Pipeline } from '../../core/batch/pipeline.ts';
import { type SettledBatch, settledBatch } from '../../core/batch/settledBatch.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { GuardedRequest } from './guardRequest.ts';

/**
 * The answer that may be given now. As long as a record is not done, it is a batch response that names the record, an
 * outcome that does not serialise, a rejection, or undefined, for which Middy throws the error.
 */
export function guardedAnswer(state: GuardedRequest): unknown {
  const { pipeline, kind, response, hasFailed } = state;
  if (!pipeline) return kind === 'direct' && hasFailed && !state.hasRecovered ? undefined : response;
  const isReplaced = !pipeline.ledger.matches(state.request.event);
  const undone = undoneOf(state);
  const mustFail = state.fatal !== undefined || isReplaced;
  if (undone.length === 0 && !mustFail) return response;
  if (kind === 'sqs' && !mustFail && failuresIn(response)) return completed(state, undone);
  if (Array.isArray(response)) return viewOf(state, undone);
  if (hasFailed) return undefined;
  if (!state.hasReturned) return handled(Promise.reject(nothingRan()));
  return viewOf(state, undone);
}

/** The records that an answer must not acknowledge. */
export function undoneOf(state: GuardedRequest): Undone[] {
  if (!state.pipeline) return [];
  const { ledger, stages, wasQueued } = state.pipeline;
  // A `before` may set a response too, so an early answer does not prove that the handler has returned.
  const hasEnded = state.hasReturned && !state.hasFailed && !isEarly(state);
  const isPassive = hasEnded && !wasQueued && stages.every(({ passive }) => passive);
  return ledger.undone({ exceptUntouched: isPassive });
}

/** Adds the missing records to a batch response, and keeps it, so that later hooks see them. */
function completed(state: GuardedRequest, undone: readonly Undone[]): unknown {
  const failures = failuresIn(state.response) as unknown[];
  const named = new Set(failures.map((failure) => Object(failure).itemIdentifier));
  const missing = undone.filter(({ id }) => !named.has(id)).map(({ id }) => ({ itemIdentifier: id }));
  if (missing.length > 0) {
    state.response = { ...(state.response as object), batchItemFailures: [...failures, ...missing] };
  }
  return state.response;
}

/** The outcome of the batch, which can be mapped; it does not serialise as long as a record is not done. */
function viewOf(state: GuardedRequest, undone: readonly Undone[]): SettledBatch<unknown> {
  if (state.view) return state.view;
  const { ledger, logsFailures } = state.pipeline as Pipeline;
  const given = (Array.isArray(state.response) ? state.response : []) as PromiseSettledResult<unknown>[];
  const isComplete = undone.every(({ index }) => given[index]?.status === 'rejected');
  if (isComplete && state.fatal === undefined && 'batchItemFailures' in given)
    return given as SettledBatch<unknown>;
  const settled = ledger.ids.map(
    (_, index) => given[index] ?? { status: 'fulfilled' as const, value: undefined },
  );
  for (const { index, state: recordState, reason } of undone) {
    if (settled[index]?.status === 'rejected') continue;
    settled[index] = {
      status: 'rejected',
      reason: recordState === 'failed' ? reason : (state.error ?? notDone(recordState)),
    };
  }
  // An array that was cut off, or an invocation that must fail, has no record that it may acknowledge.
  if (state.fatal !== undefined) settled.fill({ status: 'rejected', reason: state.fatal });
  state.view = settledBatch(settled, ledger, logsFailures);
  return state.view;
}

function notDone(recordState: Undone['state']): AlgernonError {
  return recordState === 'running'
    ? new AlgernonError(
        'STILL_RUNNING',
        'The task was still running when the answer was given: await runTask().',
        {
          retryable: true,
        },
      )
    : nothingRan();
}

export function nothingRan(): AlgernonError {
  return new AlgernonError(
    'NOT_RUN',
    'The invocation was answered before this record was run, so its message returns to the queue.',
    { retryable: true },
  );
}

/** Whether a hook has answered in place of the rest of the stack. */
export function isEarly({ request }: GuardedRequest): boolean {
  return 'earlyResponse' in request;
}

/** The entries of a batch response; undefined for any other answer. */
export function failuresIn(response: unknown): unknown[] | undefined {
  const { batchItemFailures, toJSON } = Object(response) as { batchItemFailures?: unknown; toJSON?: unknown };
  if (!Array.isArray(batchItemFailures) || Array.isArray(response)) return undefined;
  // Such an answer may be written as something else.
  const isRewritten = typeof toJSON === 'function' || 'toJSON' in batchItemFailures;
  return isRewritten ? undefined : batchItemFailures;
}

/** A rejection that only Middy may await must not end the process. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
