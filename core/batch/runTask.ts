import { AlgernonError } from '../errors.ts';
import { FanOut, fanOutNotSent } from '../groups/FanOutResult.ts';
import { type Deadline, DeadlineError, untilAborted } from './deadline.ts';
import { type LambdaContext, messageIdOf, type TaskRecord } from './events.ts';
import { isLarge } from './isLarge.ts';
import { deadlineOf, type Pipeline, pipelineOf, restoreParts } from './pipeline.ts';
import { assertNextOnce, runStages } from './runStages.ts';
import { type Check, OpenRun } from './stage.ts';
import { readMessage } from './unwrapTask.ts';

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
export async function runTask<T, C, R>(
  record: TaskRecord,
  context: C,
  handler: TaskHandler<T, C, R>,
  options: RunTaskOptions = {},
): Promise<R> {
  return runRecord(record, pipelineOf(context), () => openRunner(context, handler, options));
}

/** The values that the runs of one invocation share. */
export interface Runner {
  readonly context: LambdaContext;
  readonly signal: AbortSignal;
  readonly cutoff: AbortSignal;
  /** Whether nothing may start any more. */
  isOver(): boolean;
  /** Runs the checks that stages have added, and the handler. */
  innermost(run: OpenRun): Promise<void>;
}

/**
 * Prepares the runs of one invocation.
 *
 * @param deadline that of `queued`. Default: that of the pipeline, for a loop
 */
export function openRunner<T, C, R>(
  context: C,
  handler: TaskHandler<T, C, R>,
  { signal: given, rebuild }: RunTaskOptions,
  deadline?: Deadline,
): Runner {
  const pipeline = pipelineOf(context);
  if (pipeline) restoreParts(pipeline, context as object);
  const watched = deadline ?? (pipeline && deadlineOf(pipeline, context as LambdaContext));
  const signal = given ?? watched?.signal ?? never;
  const isOver = () => (watched?.isOver() ?? false) || (given?.aborted ?? false);

  const call = (run: OpenRun): Promise<void> => {
    try {
      const task = rebuild ? rebuild.rebuildEvent(run.task) : run.task;
      if (isOver()) throw new DeadlineError('NOT_STARTED');
      const result = handler(task as T, context, { record: run.record, signal });
      if (!isThenable(result)) {
        run.take(result);
        return nothing;
      }
      return untilAborted(signal, result, run);
    } catch (error) {
      return settleThrown(run, error);
    }
  };
  return {
    context: context as LambdaContext,
    signal,
    cutoff: watched && signal === watched.signal ? watched.cutoff : signal,
    isOver,
    innermost: (run) => (run.checks ? checkAndCall(run, run.checks, call) : call(run)),
  };
}

/**
 * Runs one record. Under `queued` it may free its lane, and the time was asked just before.
 *
 * @param prepare gives the runner. An error of it fails the record too
 */
export async function runRecord<R>(
  record: TaskRecord,
  pipeline: Pipeline | undefined,
  prepare: () => Runner,
  freeLane?: () => boolean,
): Promise<R> {
  const begun = pipeline?.ledger.begin(record);
  let run: OpenRun | undefined;
  try {
    const { context, signal, cutoff, isOver, innermost } = prepare();
    if (!freeLane && isOver()) throw new DeadlineError('NOT_STARTED');
    const part = begun?.part ?? 0;
    run = new OpenRun({ record, context, signal, cutoff, task: record, part, wait, freeLane });
    await runStages(pipeline?.stages ?? [], 0, run, innermost);
    assertNextOnce(run);
    if (run.result instanceof FanOut) throw fanOutNotSent();
    if (begun) pipeline?.ledger.end(begun);
    return run.result as R;
  } catch (error) {
    if (error instanceof AlgernonError) error.messageId ??= messageIdOf(record);
    if (begun) pipeline?.ledger.end(begun, { reason: error });
    throw error;
  } finally {
    if (run) run.freeLane = undefined;
  }
}

/** Lets another record start, and drops large values. */
function wait(run: OpenRun): void {
  const { content } = readMessage(run);
  // A task in an extended payload stays in memory, for an error task.
  if (isLarge(content) || !run.freeLane?.()) return;
  if (run.task !== run.record && isLarge(run.task)) run.task = content;
  if (isLarge(run.result)) run.result = undefined;
}

async function checkAndCall(
  run: OpenRun,
  checks: readonly Check[],
  call: (run: OpenRun) => Promise<void>,
): Promise<void> {
  try {
    for (const check of checks) {
      await check(run.task);
      if (run.isSkipped) return;
    }
  } catch (error) {
    run.takeThrown(error);
    return;
  }
  await call(run);
}

/** The outcome of a handler without a promise. */
const nothing: Promise<void> = /* @__PURE__ */ Promise.resolve();

async function settleThrown(run: OpenRun, error: unknown): Promise<void> {
  run.takeThrown(error);
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
