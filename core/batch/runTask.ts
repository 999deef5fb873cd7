import { AlgernonError } from '../errors.ts';
import { FanOut, fanOutNotSent } from '../groups/FanOutResult.ts';
import { ChainEnd } from '../tasks/endChain.ts';
import { type Deadline, DeadlineError, untilAborted } from './deadline.ts';
import { type LambdaContext, messageIdOf, type TaskRecord } from './events.ts';
import { deadlineOf, pipelineOf, restoreParts } from './pipeline.ts';
import { type OpenRun, openRun, type Stage } from './stage.ts';
import { unwrap } from './unwrapTask.ts';

/** The third argument of a handler. */
export interface TaskExtras {
  /** The message as Lambda gave it; undefined in a direct invocation. */
  record: TaskRecord | undefined;
  /** Aborted when the invocation is about to end: pass it to `fetch` and to AWS clients. */
  signal: AbortSignal;
}

/** A handler, written as if Lambda called it for one task. */
export type TaskHandler<T, C, R> = (task: T, context: C, extras: TaskExtras) => R | PromiseLike<R>;

/** Options of {@link runTask}. */
export interface RunTaskOptions {
  /** Aborted when the task must stop. Default: shortly before the invocation ends. */
  signal?: AbortSignal | undefined;
  /** The registry that rebuilds the task's classes, datetimes and so on. Default: none, tags stay tags. */
  rebuild?: { rebuildEvent<T>(event: T): unknown } | undefined;
}

/** Pure, so that a bundle may leave it out. */
const never: AbortSignal = /* @__PURE__ */ neverAborted();

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

/** The options of `queued` for one record. */
export interface RunRecordOptions extends RunTaskOptions {
  /** See {@link RunParts.freeLane}. */
  freeLane?: (() => boolean) | undefined;
}

/**
 * Runs one record through the stages of the stack, with the handler in the middle. Use it in a loop of your own, where
 * {@link queued} does not fit.
 *
 * @returns the handler's result, once the stages are done (its callback is sent, for example); undefined for a large result
 *   that was sent on, so that it is not held in memory until the batch ends
 * @throws the error that fails this record: it must not count as done
 * @example
 * const settled = await Promise.allSettled(event.Records.map((record) => runTask(record, context, handler)));
 */
export function runTask<T, C, R>(
  record: TaskRecord,
  context: C,
  handler: TaskHandler<T, C, R>,
  options: RunTaskOptions = {},
): Promise<R> {
  return runRecord(record, context, handler, options);
}

/** The same, for a batch that is run by `queued`. */
export async function runRecord<T, C, R>(
  record: TaskRecord,
  context: C,
  handler: TaskHandler<T, C, R>,
  options: RunRecordOptions,
): Promise<R> {
  const pipeline = pipelineOf(context);
  const begun = pipeline?.ledger.begin(record);
  try {
    const deadline = pipeline && deadlineOf(pipeline, context as LambdaContext);
    if (deadline?.isOver()) throw new DeadlineError('NOT_STARTED');
    if (pipeline) restoreParts(pipeline, context as object);
    const signal = options.signal ?? deadline?.signal ?? never;
    const run = openRun({
      record,
      context: context as LambdaContext,
      signal,
      cutoff: (signal === deadline?.signal && deadline.cutoff) || signal,
      task: record,
      unwrap: () => unwrap(record),
      part: begun?.part ?? 0,
      freeLane: options.freeLane,
    });
    const handle = () =>
      callHandler(run, handler as TaskHandler<unknown, unknown, unknown>, deadline, options);
    await runStages(pipeline?.stages ?? [], 0, run, handle);
    assertNextOnce(run);
    if (run.result instanceof FanOut) throw fanOutNotSent();
    if (begun) pipeline?.ledger.end(begun);
    return run.result as R;
  } catch (error) {
    if (error instanceof AlgernonError) error.messageId ??= messageIdOf(record);
    if (begun) pipeline?.ledger.end(begun, { reason: error });
    throw error;
  }
}

/** The innermost part of a run: the checks that stages have added, and the handler. */
async function callHandler(
  run: OpenRun,
  handler: TaskHandler<unknown, unknown, unknown>,
  deadline: Deadline | undefined,
  { rebuild }: RunTaskOptions,
): Promise<void> {
  const { context, record, signal } = run;
  try {
    for (const check of run.checks) {
      await check(run.task);
      if (run.isSkipped) return;
    }
    const task = rebuild ? rebuild.rebuildEvent(run.task) : run.task;
    if (deadline?.isOver() || signal.aborted) throw new DeadlineError('NOT_STARTED');
    const running = handler(task, context, { record, signal });
    takeResult(run, isThenable(running) ? await untilAborted(signal, running) : running);
  } catch (error) {
    if (!isThrownResult(error)) throw error;
    takeResult(run, error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/**
 * Marks a record done, for a loop of your own that does not use {@link runTask} in a stack whose stages are not all passive.
 *
 * @throws EventReplacedError when the record is not one of the batch
 * @example
 * for (const record of event.Records) {
 *   await work(record.task);
 *   acknowledge(record, context);
 * }
 */
export function acknowledge(record: TaskRecord, context: unknown): void {
  pipelineOf(context)?.ledger.acknowledge(record);
}

/** Whether a thrown value is a result: `endChain()` and `fanOut()` may be thrown from any depth. */
export function isThrownResult(thrown: unknown): boolean {
  return thrown instanceof ChainEnd || thrown instanceof FanOut;
}

/** Sets the result of a run, and whether it ends the chain. */
export function takeResult(run: OpenRun, result: unknown): void {
  const isEnd = result instanceof ChainEnd;
  run.endsChain = isEnd;
  run.result = isEnd ? result.result : result;
}

/** Runs the stages from `index` on, the innermost last. */
function runStages(
  stages: readonly Stage[],
  index: number,
  run: OpenRun,
  innermost: () => Promise<void>,
): Promise<void> {
  const stage = stages[index];
  if (!stage) return innermost();
  return runStage(stage, run, () => runStages(stages, index + 1, run, innermost));
}

/**
 * Runs one stage. The record counts as done only if the stage has called `next()`, or `run.skip()`; an error of an inner
 * stage is kept from the outer ones only by `run.failure`.
 *
 * @param proceed runs the inner stages
 */
export function runStage(stage: Stage, run: OpenRun, proceed: () => Promise<void>): Promise<void> {
  if (!stage.around) return proceed();
  const inner = watchNext(stage, run, proceed);
  let outcome: Promise<void> | void;
  try {
    outcome = stage.around(run, inner.next);
  } catch (error) {
    outcome = Promise.reject(error);
  }
  // A stage that returns the promise of next() leaves the outcome to the inner stages.
  if (outcome && outcome === inner.running && !run.misuse) return outcome;
  inner.isReturned = true;
  if (inner.running) handled(inner.running);
  return settleStage(stage, run, inner, outcome);
}

/** A stage may call `next()` again after it has returned. */
export function assertNextOnce(run: OpenRun): void {
  if (run.misuse && run.failure === undefined) throw run.misuse;
}

/** Waits for a stage, and for the inner stages, even if the stage did not. */
async function settleStage(
  stage: Stage,
  run: OpenRun,
  inner: WatchedNext,
  outcome: Promise<void> | void,
): Promise<void> {
  try {
    await outcome;
  } catch (error) {
    await inner.running?.catch(() => {});
    if (!isThrownResult(error)) throw error;
    takeResult(run, error);
    return;
  }
  try {
    await inner.running;
    if (run.misuse) throw run.misuse;
  } catch (error) {
    if (run.failure === undefined) throw error;
  }
  const isAnswered = inner.running || run.isSkipped || run.failure !== undefined;
  if (!isAnswered) throw notContinued(stage.name);
}

function notContinued(name: string): AlgernonError {
  return new AlgernonError(
    'STAGE_DID_NOT_CONTINUE',
    `The stage ${name} returned without calling next(). If the handler must not run, call run.skip(result).`,
    { retryable: true },
  );
}

/** The `next` of a stage, and the run of the inner stages, whether the stage awaits it or not. */
interface WatchedNext {
  next(): Promise<void>;
  running: Promise<void> | undefined;
  /** Whether the stage has returned, and left the inner stages to be waited for. */
  isReturned: boolean;
}

function watchNext({ name }: Stage, run: OpenRun, proceed: () => Promise<void>): WatchedNext {
  const inner: WatchedNext = {
    next() {
      if (inner.running) {
        // A bug in the stage, not in the message.
        const details = { retryable: true };
        run.misuse ??= new AlgernonError(
          'NEXT_CALLED_TWICE',
          `The stage ${name} called next() twice.`,
          details,
        );
        return handled(Promise.reject(run.misuse));
      }
      inner.running = proceed();
      if (inner.isReturned) handled(inner.running);
      return inner.running;
    },
    running: undefined,
    isReturned: false,
  };
  return inner;
}

/** A rejection that a stage does not await must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
