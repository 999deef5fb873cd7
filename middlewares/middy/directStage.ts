import { assertAnswer } from '../../core/batch/assertAnswer.ts';
import { duplicateStage } from '../../core/batch/pipeline.ts';
import { assertNextOnce, handled, runStages } from '../../core/batch/runStages.ts';
import type { OpenRun, Stage } from '../../core/batch/stage.ts';
import { AlgernonError } from '../../core/errors.ts';
import { FanOut } from '../../core/groups/FanOutResult.ts';
import type { GuardedRequest, MiddyRequest } from './guardRequest.ts';
import type { WorkPart } from './invocationWork.ts';

/** The task of a direct invocation. */
export interface DirectTask {
  readonly run: OpenRun;
  /** The stages around its handler, outermost first. */
  readonly stages: DirectStage[];
  /** Writes the result as the answer; undefined: it is JSON. */
  writeAnswer: ((result: unknown) => unknown) | undefined;
  /** The answer that was written last, to see whether another middleware has replaced it. */
  written: { readonly answer: unknown } | undefined;
  /** Whether the task has ended its chain by throwing: the error is the answer. */
  hasRecovered: boolean;
}

/** A stage around the handler of a direct invocation, driven from Middy's hooks. */
export interface DirectStage {
  readonly name: string;
  /** Lets `next()` resolve, or reject after a failure, and waits for the stage. */
  finish(failure?: { readonly error: unknown }): Promise<void>;
}

/** An invocation whose event is a task. */
export type DirectRequest = GuardedRequest & { readonly direct: DirectTask };

export function isDirect(state: GuardedRequest): state is DirectRequest {
  return state.direct !== undefined;
}

/**
 * Starts a stage in its `before`. A direct invocation has one task, so the stages nest in the order of `.use`: a `before`
 * cannot know whether another stage follows.
 *
 * @returns when the stage has called `next()`, or has skipped the handler
 */
export async function startDirect(
  { request, direct, work }: DirectRequest,
  stage: Stage,
  part: WorkPart,
  twice?: string,
): Promise<void> {
  const { run, stages } = direct;
  const { name } = stage;
  if (stages.some((other) => other.name === name)) throw duplicateStage(name, twice);
  run.task = request.event;
  const called = Promise.withResolvers<void>();
  const handler = Promise.withResolvers<void>();
  handled(handler.promise);
  let isCalled = false;
  const innermost = () => {
    isCalled = true;
    called.resolve();
    return handler.promise;
  };
  // Middy awaits the hooks, not the stage.
  const outcome = handled(runStages([stage], 0, run, innermost).then(() => assertNextOnce(run)));
  const finish: DirectStage['finish'] = (failure) => {
    if (failure) handler.reject(failure.error);
    else handler.resolve();
    return outcome;
  };
  part.direct = { name, finish };
  stages.push(part.direct);
  work.ends.push(() => finish({ error: answeredEarly() }).catch(() => {}));

  await Promise.race([called.promise, outcome]);
  if (!isCalled || run.isSkipped) {
    // The stage kept an error to itself, but a direct invocation has no other way to report it.
    if (run.failure !== undefined) throw run.failure;
    return skipHandler(request, direct);
  }
  try {
    for (const check of run.checks?.splice(0) ?? []) {
      await check(run.task);
      if (run.isSkipped) {
        await finish();
        return await skipHandler(request, direct);
      }
    }
  } catch (error) {
    if (run.takesThrown(error)) return skipHandler(request, direct);
    await finish({ error });
    throw error;
  }
  request.event = run.task;
}

/** Middy skips every `after` when a `before` answers, so the outer stages end here. */
async function skipHandler(request: MiddyRequest, direct: DirectTask): Promise<void> {
  for (const { finish } of direct.stages.toReversed()) await finish();
  request.earlyResponse = answerOf(direct);
}

/** Ends a stage in its `after`. */
export async function endDirect(
  { request, direct }: DirectRequest,
  stage: DirectStage | undefined,
): Promise<void> {
  const { run, written } = direct;
  const write = () => {
    direct.written = { answer: answerOf(direct) };
    request.response = direct.written.answer;
  };
  if (!written || request.response !== written.answer) {
    run.take(request.response);
    write();
  }
  const { result } = run;
  await stage?.finish();
  if (run.result !== result) write();
}

/**
 * Ends a stage in its `onError`.
 *
 * @returns the error of the invocation: another one if the stage throws it
 */
export async function failDirect(
  { request, direct }: DirectRequest,
  stage: DirectStage | undefined,
  error: unknown,
): Promise<unknown> {
  if (direct.run.takesThrown(error)) direct.hasRecovered = true;
  if (direct.hasRecovered) {
    await stage?.finish();
    request.response = answerOf(direct) ?? null;
    return error;
  }
  try {
    await stage?.finish({ error });
    return error;
  } catch (thrown) {
    return thrown;
  }
}

function answerOf({ run: { result }, writeAnswer }: DirectTask): unknown {
  // callbackPublisher replaces it. Otherwise it fails when it is serialised.
  if (result instanceof FanOut) return result;
  if (writeAnswer) return writeAnswer(result);
  assertAnswer(result);
  return result;
}

function answeredEarly(): AlgernonError {
  return new AlgernonError('ANSWERED_EARLY', 'Another middleware answered before the handler was called.');
}
