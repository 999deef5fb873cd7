import { AlgernonError } from '../errors.ts';
import { FanOut, fanOutNotSent } from '../groups/FanOutResult.ts';
import { ChainEnd } from '../tasks/endChain.ts';
import { DeadlineError } from './deadline.ts';
import { type LambdaContext, messageIdOf, type TaskRecord } from './events.ts';
import { deadlineOf, pipelineOf } from './pipeline.ts';
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

export interface RunTaskOptions {
  /** Aborted when the task must stop. Default: shortly before the invocation ends. */
  signal?: AbortSignal | undefined;
  /** The registry that rebuilds the task's classes, datetimes and so on. Default: none, tags stay tags. */
  rebuild?: { rebuildEvent<T>(event: T): unknown } | undefined;
}

const never: AbortSignal = new AbortController().signal;

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
  const pipeline = pipelineOf(context);
  const entry = pipeline?.ledger.begin(record);
  try {
    const deadline = pipeline && deadlineOf(pipeline, context as LambdaContext);
    if (deadline?.isOver()) throw new DeadlineError('NOT_STARTED');
    for (const parts of pipeline?.contextParts ?? []) restoreParts(context as object, parts);
    const signal = options.signal ?? deadline?.signal ?? never;
    const run = openRun({
      record,
      context: context as LambdaContext,
      signal,
      cutoff: (signal === deadline?.signal && deadline.cutoff) || signal,
      task: record,
      unwrap: () => unwrap(record),
      part: entry?.part ?? 0,
    });
    const handle = async () => {
      for (const check of run.checks) await check(run.task);
      const task = options.rebuild ? options.rebuild.rebuildEvent(run.task) : run.task;
      if (deadline?.isOver() || signal.aborted) throw new DeadlineError('NOT_STARTED');
      try {
        takeResult(run, await untilAborted(handler(task as T, context, { record, signal }), signal));
      } catch (error) {
        if (!isThrownResult(error)) throw error;
        takeResult(run, error);
      }
    };
    await runStages(pipeline?.stages ?? [], 0, run, handle);
    if (run.result instanceof FanOut) throw fanOutNotSent();
    entry?.end({ failed: false });
    return run.result as R;
  } catch (error) {
    if (error instanceof AlgernonError) error.messageId ??= messageIdOf(record);
    entry?.end({ failed: true, reason: error });
    throw error;
  }
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

function restoreParts(context: object, parts: PropertyDescriptorMap): void {
  for (const name of Object.keys(parts)) {
    // All parts of a map are set together.
    if (name in context) return;
    Object.defineProperties(context, parts);
  }
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

/**
 * Waits for a handler, but not longer than the signal allows: its stages must have time to answer for it. A promise that all
 * records share would hold every result until the batch ends, hence a listener for each.
 */
async function untilAborted(running: unknown, signal: AbortSignal): Promise<unknown> {
  if (typeof (running as PromiseLike<unknown> | null)?.then !== 'function') return running;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new DeadlineError());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([running, aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
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
export async function runStage(stage: Stage, run: OpenRun, proceed: () => Promise<void>): Promise<void> {
  if (!stage.around) return proceed();
  const inner = watchNext(stage, proceed);
  try {
    await stage.around(run, inner.next);
  } catch (error) {
    await inner.settled();
    if (!isThrownResult(error)) throw error;
    takeResult(run, error);
    return;
  }
  const failure = await inner.settled();
  if (failure && run.failure === undefined) throw failure.error;
  const isAnswered = inner.isCalled() || run.isSkipped || run.failure !== undefined;
  if (!isAnswered) throw notContinued(stage.name);
}

function notContinued(name: string): AlgernonError {
  return new AlgernonError(
    'STAGE_DID_NOT_CONTINUE',
    `The stage ${name} returned without calling next(). If the handler must not run, call run.skip(result).`,
    { retryable: true },
  );
}

/** The `next` of a stage, and what came of it, whether the stage awaits it or not. */
interface WatchedNext {
  next(): Promise<void>;
  isCalled(): boolean;
  /** Waits for the inner stages. Resolves to their failure, or to that of a second call. */
  settled(): Promise<{ error: unknown } | undefined>;
}

function watchNext({ name }: Stage, proceed: () => Promise<void>): WatchedNext {
  let running: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
  };
  return {
    next() {
      if (running) {
        const error = new AlgernonError('NEXT_CALLED_TWICE', `The stage ${name} called next() twice.`, {
          // A bug in the stage, not in the message.
          retryable: true,
        });
        fail(error);
        return handled(Promise.reject(error));
      }
      running = proceed();
      return running;
    },
    isCalled: () => running !== undefined,
    async settled() {
      await running?.catch(fail);
      return failure;
    },
  };
}

/** A rejection that nothing awaits must not end the process. */
function handled(promise: Promise<never>): Promise<never> {
  promise.catch(() => {});
  return promise;
}
