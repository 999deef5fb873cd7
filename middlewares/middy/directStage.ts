import { assertAnswer } from '../../core/batch/assertAnswer.ts';
import { duplicateStage } from '../../core/batch/pipeline.ts';
import { assertNextOnce, runStages } from '../../core/batch/runStages.ts';
import { isThrownResult, type OpenRun, type Stage } from '../../core/batch/stage.ts';
import { AlgernonError } from '../../core/errors.ts';
import { FanOut } from '../../core/groups/FanOutResult.ts';
import { asThrown, type GuardedRequest } from './guardRequest.ts';

/** A stage around the handler of a direct invocation, driven from Middy's hooks. */
export interface DirectStage {
  /** Resolves when the stage has called `next()`, or has skipped the handler. */
  readonly started: Promise<void>;
  /** Lets `next()` resolve or reject, and waits for the stage. */
  finish(outcome: { failed: false } | { failed: true; error: unknown }): Promise<void>;
}

/**
 * Starts a stage in its `before`. A direct invocation has one task, so the stages nest in the order of `.use`: a `before`
 * cannot know whether another stage follows.
 */
export function startDirect(state: GuardedRequest, stage: Stage, twice?: string): DirectStage {
  const { request } = state;
  const run = state.direct as OpenRun;
  if (state.directStages.some(({ name }) => name === stage.name)) throw duplicateStage(stage.name, twice);
  run.task = request.event;
  const called = Promise.withResolvers<void>();
  const handler = Promise.withResolvers<void>();
  let isOver = false;
  let isCalled = false;
  const work = runStages([stage], 0, run, () => {
    isCalled = true;
    called.resolve();
    return handler.promise;
  }).then(() => assertNextOnce(run));
  // Middy awaits the hooks, not the stage.
  work.catch(() => {});
  handler.promise.catch(() => {});

  const finish: DirectStage['finish'] = (outcome) => {
    if (!isOver && outcome.failed) handler.reject(outcome.error);
    else if (!isOver) handler.resolve();
    isOver = true;
    return work;
  };
  const direct = { started: start(), finish };
  state.directStages.push({ name: stage.name, finish });
  state.ends.push(async () => {
    if (!isOver) await finish({ failed: true, error: answeredEarly() }).catch(() => {});
  });
  return direct;

  async function start(): Promise<void> {
    await Promise.race([called.promise, work]);
    if (run.isSkipped || !isCalled) {
      isOver = true;
      // The stage kept an error to itself, but a direct invocation has no other way to report it.
      if (run.failure !== undefined) throw run.failure;
      await skipHandler(state, run);
      return;
    }
    try {
      for (const check of run.checks?.splice(0) ?? []) {
        await check(run.task);
        if (run.isSkipped) {
          await finish({ failed: false });
          await skipHandler(state, run);
          return;
        }
      }
    } catch (error) {
      if (isThrownResult(error)) {
        run.take(error);
        await skipHandler(state, run);
        return;
      }
      await finish({ failed: true, error });
      throw error;
    }
    request.event = run.task;
  }
}

/** Middy skips every `after` when a `before` answers, so the outer stages end here. */
async function skipHandler(state: GuardedRequest, run: OpenRun): Promise<void> {
  for (const { finish } of state.directStages.toReversed()) await finish({ failed: false });
  state.request.earlyResponse = answerOf(state, run.result);
}

/** Ends a stage in its `after`. */
export async function endDirect(state: GuardedRequest, stage: DirectStage | undefined): Promise<void> {
  const { direct: run, request } = state;
  if (!run) return;
  if (!state.hasAnswer || request.response !== state.written) {
    run.take(request.response);
    writeAnswer(state, run);
  }
  if (!stage) return;
  const { result } = run;
  await stage.finish({ failed: false });
  if (run.result !== result) writeAnswer(state, run);
}

function writeAnswer(state: GuardedRequest, run: OpenRun): void {
  state.hasAnswer = true;
  state.written = answerOf(state, run.result);
  state.request.response = state.written;
}

function answerOf(state: GuardedRequest, result: unknown): unknown {
  // callbackPublisher replaces it. Otherwise it fails when it is serialised.
  if (result instanceof FanOut) return result;
  if (state.writeAnswer) return state.writeAnswer(result);
  assertAnswer(result);
  return result;
}

/** Ends a stage in its `onError`. A chain that ended by throwing has a result, and no error. */
export async function failDirect(state: GuardedRequest, stage: DirectStage | undefined): Promise<void> {
  const { direct: run, request, error } = state;
  if (!run) return;
  if (isThrownResult(error)) {
    run.take(error);
    state.hasRecovered = true;
  }
  if (state.hasRecovered) {
    await stage?.finish({ failed: false });
    request.response = answerOf(state, run.result) ?? null;
    return;
  }
  try {
    await stage?.finish({ failed: true, error });
  } catch (thrown) {
    state.error = asThrown(thrown);
  }
}

function answeredEarly(): AlgernonError {
  return new AlgernonError('ANSWERED_EARLY', 'Another middleware answered before the handler was called.');
}
