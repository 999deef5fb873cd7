import { AlgernonError, DeadlineError } from '../errors.ts';
import { ChainEnd } from './endChain.ts';
import { type LambdaContext, messageIdOf, type TaskRecord } from './events.ts';
import { pipelineOf, type Stage, type TaskRun } from './pipeline.ts';
import { type Unwrapped, unwrap } from './unwrapTask.ts';

/** What a handler gets beside the task and the context. */
export interface TaskExtras {
  /** The message as Lambda gave it; undefined when the function was invoked directly. */
  record: TaskRecord | undefined;
  /** Aborted when the invocation is about to end, for `fetch` and for the AWS SDK. */
  signal: AbortSignal;
}

/** A handler, written as if Lambda called it for one task. */
export type TaskHandler<T, C, R> = (task: T, context: C, extras: TaskExtras) => R | PromiseLike<R>;

export interface RunTaskOptions {
  /** Aborted when the invocation is about to end. Default: never. */
  signal?: AbortSignal | undefined;
  /** The registry that rebuilds the task's classes, datetimes and so on. Default: none, tags stay tags. */
  rebuild?: { rebuildEvent<T>(event: T): unknown } | undefined;
}

/**
 * Runs one record through the stages that the stack's middlewares have declared, with the handler in the middle:
 * for a loop of your own, where {@link queued} is not what you want.
 *
 * @returns what the handler returned, once the stages around it are done (its callback is sent, for one); undefined for
 *   a large result that was sent on, so that it is not held in memory until the batch ends
 * @throws whatever fails this record: it must not count as done
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
  const stages = pipeline?.stages ?? [];
  if (pipeline) {
    pipeline.hasRun = true;
    for (const addTo of pipeline.contextParts) addTo(context as object);
  }
  const signal = options.signal ?? new AbortController().signal;
  let unwrapped: Unwrapped | undefined;
  const run: TaskRun = {
    record,
    context: context as LambdaContext,
    signal,
    task: record,
    result: undefined,
    endsChain: false,
    unwrap() {
      unwrapped ??= unwrap(record);
      return unwrapped;
    },
    outgoing: {},
    counts: { bytesHydrated: 0 },
  };

  const handle = async () => {
    for (const stage of stages) stage.ready?.(run);
    const task = options.rebuild ? options.rebuild.rebuildEvent(run.task) : run.task;
    const result = await handler(task as T, context, { record, signal });
    run.endsChain = result instanceof ChainEnd;
    run.result = result instanceof ChainEnd ? result.result : result;
    // The message is on its way back by now: a callback sent after this would only be sent again.
    if (signal.aborted) throw new DeadlineError();
  };

  try {
    await runStages(stages, 0, run, handle);
  } catch (error) {
    if (error instanceof AlgernonError) error.messageId ??= messageIdOf(record);
    throw error;
  }
  return run.result as R;
}

/** Runs the stages from `index` on, the innermost last. Never throws: what a stage throws at once is a rejection too. */
function runStages(
  stages: readonly Stage[],
  index: number,
  run: TaskRun,
  innermost: () => Promise<void>,
): Promise<void> {
  const stage = stages[index];
  if (!stage) return innermost();
  let called = false;
  const next = () => {
    if (called) throw new AlgernonError('NEXT_CALLED_TWICE', `The stage ${stage.name} called next() twice.`);
    called = true;
    return runStages(stages, index + 1, run, innermost);
  };
  try {
    return Promise.resolve(stage.around(run, next));
  } catch (error) {
    return Promise.reject(error);
  }
}
