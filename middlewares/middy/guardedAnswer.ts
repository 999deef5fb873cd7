import type { Undone } from '../../core/batch/ledger.ts';
import type { Pipeline } from '../../core/batch/pipeline.ts';
import { handled } from '../../core/batch/runStages.ts';
import { letHookRead, type SettledBatch, settledBatch } from '../../core/batch/settledBatch.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { GuardedRequest } from './guardRequest.ts';

/** The value of `request.response`, for Middy or for a hook. */
export function readResponse(state: GuardedRequest): unknown {
  const { work, outcome } = state;
  runSoon(work.answers);
  const answer = guardedAnswer(state);
  letHookRead(answer);
  // Middy returns an early answer at once, so the answer itself waits for the end of the invocation.
  const mustWait = work.ending && isEarly(state) && !isThrown(state, answer);
  if (!mustWait) return answer;
  const atEnd = async () => {
    await work.ending;
    for (const write of work.answers) write();
    const final = guardedAnswer(state);
    if (isThrown(state, final)) throw outcome.error;
    return final;
  };
  return handled(atEnd());
}

/** The value of `request.error`. Middy reads it when it throws it. */
export function readError({ work, outcome }: GuardedRequest): unknown {
  if (outcome.phase === 'failed') runSoon(work.answers);
  return outcome.error;
}

function runSoon(works: readonly (() => void)[]): void {
  for (const work of works) void Promise.resolve().then(work);
}

/** Whether Middy throws the error of the invocation in place of an answer. */
function isThrown({ outcome }: GuardedRequest, answer: unknown): boolean {
  return answer === undefined && outcome.phase === 'failed';
}

/**
 * The answer that may be given now. As long as a record is not done, it is a batch response that names the record, an
 * outcome that does not serialise, a rejection, or undefined, for which Middy throws the error.
 */
function guardedAnswer(state: GuardedRequest): unknown {
  const { pipeline, kind, direct, outcome, request } = state;
  const { phase, response, fatal } = outcome;
  if (!pipeline) return direct && phase === 'failed' && !direct.hasRecovered ? undefined : response;
  const undone = undoneOf(state);
  const mustFail = fatal !== undefined || !pipeline.ledger.matches(request.event);
  if (undone.length === 0 && !mustFail) return response;
  if (kind === 'sqs' && !mustFail && failuresIn(response)) return completed(state, undone);
  if (Array.isArray(response)) return viewOf(state, pipeline, undone);
  if (phase === 'failed') return undefined;
  if (phase === 'started') return handled(Promise.reject(nothingRan()));
  return viewOf(state, pipeline, undone);
}

/** The records that an answer must not acknowledge. */
export function undoneOf(state: GuardedRequest): Undone[] {
  const { pipeline, outcome } = state;
  if (!pipeline) return [];
  const { ledger, stages, wasQueued } = pipeline;
  // A `before` may set a response too, so an early answer does not prove that the handler has returned.
  const hasEnded = outcome.phase === 'returned' && !isEarly(state);
  const isPassive = hasEnded && !wasQueued && stages.every(({ passive }) => passive);
  return ledger.undone({ exceptUntouched: isPassive });
}

/** Adds the missing records to a batch response, and keeps it, so that later hooks see them. */
function completed({ outcome }: GuardedRequest, undone: readonly Undone[]): unknown {
  const failures = failuresIn(outcome.response) as unknown[];
  const named = new Set(failures.map((failure) => Object(failure).itemIdentifier));
  const missing = undone.filter(({ id }) => !named.has(id)).map(({ id }) => ({ itemIdentifier: id }));
  if (missing.length > 0) {
    outcome.response = { ...(outcome.response as object), batchItemFailures: [...failures, ...missing] };
  }
  return outcome.response;
}

/** The outcome of the batch, which can be mapped; it does not serialise as long as a record is not done. */
function viewOf(
  { outcome }: GuardedRequest,
  { ledger, logsFailures }: Pipeline,
  undone: readonly Undone[],
): SettledBatch<unknown> {
  const { response, fatal, error, view } = outcome;
  if (view) return view;
  const given = (Array.isArray(response) ? response : []) as PromiseSettledResult<unknown>[];
  const isComplete = undone.every(({ index }) => given[index]?.status === 'rejected');
  if (isComplete && fatal === undefined && 'batchItemFailures' in given)
    return given as SettledBatch<unknown>;
  const settled = ledger.ids.map(
    (_, index) => given[index] ?? { status: 'fulfilled' as const, value: undefined },
  );
  for (const { index, state, reason } of undone) {
    if (settled[index]?.status === 'rejected') continue;
    settled[index] = {
      status: 'rejected',
      reason: state === 'failed' ? reason : (error ?? (state === 'running' ? stillRunning() : nothingRan())),
    };
  }
  // An array that was cut off, or an invocation that must fail, has no record that it may acknowledge.
  if (fatal !== undefined) settled.fill({ status: 'rejected', reason: fatal });
  outcome.view = settledBatch(settled, ledger, logsFailures);
  return outcome.view;
}

function stillRunning(): AlgernonError {
  const message = 'The task was still running when the answer was given: await runTask().';
  return new AlgernonError('STILL_RUNNING', message, { retryable: true });
}

export function nothingRan(): AlgernonError {
  const message =
    'The invocation was answered before this record was run, so its message returns to the queue.';
  return new AlgernonError('NOT_RUN', message, { retryable: true });
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
