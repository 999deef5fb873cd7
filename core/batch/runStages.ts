import { AlgernonError } from '../errors.ts';
import type { OpenRun, Stage } from './stage.ts';

/** Runs the stages from `index` on, the innermost last. */
export function runStages(
  stages: readonly Stage[],
  index: number,
  run: OpenRun,
  innermost: (run: OpenRun) => Promise<void>,
): Promise<void> {
  const stage = stages[index];
  if (!stage) return innermost(run);
  if (!stage.around) return runStages(stages, index + 1, run, innermost);
  let inner: Promise<void> | undefined;
  let hasReturned = false;
  const next = (): Promise<void> => {
    if (inner) return handled(Promise.reject(noteSecondNext(stage, run)));
    inner = runStages(stages, index + 1, run, innermost);
    if (hasReturned) handled(inner);
    return inner;
  };
  let outcome: Promise<void> | void;
  try {
    outcome = stage.around(run, next);
  } catch (error) {
    outcome = Promise.reject(error);
  }
  // A stage that returns the promise of next() leaves the outcome to the inner stages.
  if (inner && outcome === inner && !run.misuse) return inner;
  hasReturned = true;
  if (inner) handled(inner);
  return settleStage(stage, run, () => inner, outcome);
}

/**
 * Waits for a stage, and for the inner stages, even if the stage did not. The record counts as done only if the stage has called
 * `next()` or `run.skip()`; an error of an inner stage is kept from the outer ones only by `run.failure`.
 */
async function settleStage(
  stage: Stage,
  run: OpenRun,
  inner: () => Promise<void> | undefined,
  outcome: Promise<void> | void,
): Promise<void> {
  try {
    await outcome;
  } catch (error) {
    await inner()?.catch(() => {});
    run.takeThrown(error);
    return;
  }
  try {
    await inner();
    if (run.misuse) throw run.misuse;
  } catch (error) {
    if (run.failure === undefined) throw error;
  }
  if (!inner() && !run.isSkipped && run.failure === undefined) throw notContinued(stage.name);
}

/** A bug in the stage, not in the message. */
function noteSecondNext({ name }: Stage, run: OpenRun): AlgernonError {
  run.misuse ??= new AlgernonError('NEXT_CALLED_TWICE', `The stage ${name} called next() twice.`, {
    retryable: true,
  });
  return run.misuse;
}

/** A stage may call `next()` again after it has returned. */
export function assertNextOnce(run: OpenRun): void {
  if (run.misuse && run.failure === undefined) throw run.misuse;
}

function notContinued(name: string): AlgernonError {
  return new AlgernonError(
    'STAGE_DID_NOT_CONTINUE',
    `The stage ${name} returned without calling next(). If the handler must not run, call run.skip(result).`,
    { retryable: true },
  );
}

/** A rejection that a stage does not await must not end the process. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
