import { checkOption, checkOptions, finite, flag, func, whole, withMethod } from '../checkOptions.ts';
import { ChainEnd } from '../tasks/endChain.ts';
import { assertAnswer } from './assertAnswer.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import {
  assertNotDurable,
  EventError,
  type EventKind,
  eventKind,
  type LambdaContext,
  recordsOf,
  type SnsEvent,
  type SqsEvent,
  type TaskRecord,
  taskOfEvent,
} from './events.ts';
import { EventReplacedError, Ledger } from './ledger.ts';
import { defaultReserveMillis, isDirectContext, type Pipeline, pipelineOf } from './pipeline.ts';
import { runBatch } from './runBatch.ts';
import { openRunner, type Runner, type RunTaskOptions, runRecord, type TaskHandler } from './runTask.ts';
import { BatchFailedError, type SettledBatch, settledBatch } from './settledBatch.ts';

/** Options of {@link queued}. */
export interface QueuedOptions {
  /** How many tasks may run at once, which also bounds the memory. Default 10. */
  concurrency?: number;
  /** How long before the function's time-out the batch ends, in milliseconds. Default 500. */
  reserveMillis?: number;
  /** The registry that rebuilds each task's classes, datetimes and so on. Default: none, tags stay tags. */
  rebuild?: RunTaskOptions['rebuild'];
  /**
   * Whether the invocation fails when every record of a batch failed, for alarms on `Errors` and for Lambda to slow down.
   * Default false.
   */
  throwOnFullBatchFailure?: boolean;
}

/** The third argument of a handler: options from Middy, or the old callback from Lambda. */
type Third = { signal?: AbortSignal } | ((...args: never) => void);

/** A Lambda handler for batches of tasks, which may be invoked directly with one task too. */
export interface QueuedHandler<T, R> {
  (task: T & { task_name: string }, context: LambdaContext, options?: Third): Promise<R>;
  (event: SqsEvent | SnsEvent, context: LambdaContext, options?: Third): Promise<SettledBatch<R>>;
  /** The signature that Middy copies: it takes the last one. */
  (
    event: SqsEvent | SnsEvent | (T & { task_name: string }),
    context: LambdaContext,
    options?: Third,
  ): Promise<BatchOrResult<R>>;
}

/**
 * The answer of a handler in `middy()`, which has one type for all events: the outcome of a batch, or the result of a task that was
 * passed directly. The type is both, so that it fits Lambda's `SQSHandler`, and a test can read a result.
 */
export type BatchOrResult<R> = [R] extends [object] ? SettledBatch<R> & R : SettledBatch<R>;

/**
 * Makes a Lambda handler out of a function that is written as if Lambda called it for one task.
 *
 * Each record of a batch runs through the stages of the stack, in its own promise: an error fails that record alone.
 * Records of one FIFO message group run in order, and stop at a failure. Shortly before the function's time-out the batch
 * ends: finished records are acknowledged, running ones have their `signal` aborted and return to the queue, and nothing
 * more is started.
 *
 * A batch results in what `Promise.allSettled` returns, in the order of `event.Records`, for
 * `@middy/sqs-partial-batch-failure` to read; a large value is left out, so that it is not held until the batch ends. If
 * nothing reads the outcome, a failure fails the invocation, so that no message is lost. SNS without a queue has no partial
 * answer: there a failure throws. A direct invocation returns the handler's result, which must be JSON.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(async (task: Task, context) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function queued<T, C, R>(
  handler: TaskHandler<T, C, R>,
  options: QueuedOptions = {},
): QueuedHandler<T, Awaited<R>> {
  checkOption('queued', 'the handler', handler, func);
  const {
    concurrency = 10,
    reserveMillis = defaultReserveMillis,
    rebuild,
    throwOnFullBatchFailure = false,
  } = checkOptions('queued', options, {
    concurrency: whole(1),
    reserveMillis: finite('milliseconds', 0),
    rebuild: withMethod('rebuildEvent', 'a registry such as ajson'),
    throwOnFullBatchFailure: flag,
  });

  const runDirect = async (event: unknown, context: C, signal: AbortSignal): Promise<unknown> => {
    const task = taskOfEvent(event);
    const result = await resultOf(() =>
      handler((rebuild ? rebuild.rebuildEvent(task) : task) as T, context, { record: undefined, signal }),
    );
    // A middleware of ours checks the answer itself, and knows whether it is written by ajson.
    if (!isDirectContext(context)) assertAnswer(result instanceof ChainEnd ? result.result : result);
    return result;
  };

  const runRecords = async (
    records: readonly TaskRecord[],
    context: C,
    deadline: Deadline,
  ): Promise<PromiseSettledResult<Awaited<R>>[]> => {
    const notStarted = deadline.isOver() ? whyNotStarted(context as LambdaContext, reserveMillis) : undefined;
    const pipeline = pipelineOf(context);
    let runner: Runner | undefined;
    const prepare = () => {
      runner ??= openRunner(context, handler, { rebuild }, deadline);
      return runner;
    };
    const run = (record: TaskRecord, freeLane: () => boolean) =>
      runRecord(record, pipeline, prepare, freeLane);
    const settled = await runBatch(records, run, { concurrency, deadline, notStarted });
    if (throwOnFullBatchFailure && records.length > 0) {
      const reasons = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      const advice = 'throwOnFullBatchFailure is set';
      if (reasons.length === records.length)
        throw new BatchFailedError(reasons, reasons.length, records.length, advice);
    }
    return settled as PromiseSettledResult<Awaited<R>>[];
  };

  const queuedHandler = async (
    event: unknown,
    context: LambdaContext,
    { signal: stop }: { signal?: AbortSignal } = {},
  ): Promise<unknown> => {
    const { kind, pipeline } = readEvent(event, context);
    // In a stack with one of our middlewares, the answer ends the tasks. Middy 6 shares its signal among the invocations of a
    // process: the time-out of another one must not end these.
    const deadline = startDeadline(context, reserveMillis, pipeline ? undefined : stop);
    if (pipeline) Object.assign(pipeline, { deadline, isQueued: true, wasQueued: true });
    try {
      if (kind === 'direct') return await runDirect(event, context as C, deadline.signal);
      const records = recordsOf(event) as readonly TaskRecord[];
      const settled = await runRecords(records, context as C, deadline);
      if (kind === 'sns')
        for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
      return settledBatch(settled, pipeline?.ledger ?? new Ledger(records), pipeline?.logsFailures);
    } finally {
      if (pipeline) pipeline.isQueued = false;
      deadline.clear();
    }
  };
  return queuedHandler as QueuedHandler<T, Awaited<R>>;
}

/** The kind of an event, and the pipeline if it is a batch and a middleware of this library serves it. */
function readEvent(
  event: unknown,
  context: LambdaContext,
): { kind: EventKind; pipeline: Pipeline | undefined } {
  const pipeline = pipelineOf(context);
  if (pipeline?.ledger.matches(event)) return { kind: pipeline.kind, pipeline };
  const kind = eventKind(event);
  if (pipeline && kind !== 'direct') throw new EventReplacedError();
  if (kind === 'other') throw new EventError(event);
  assertNotDurable(context);
  return { kind, pipeline: undefined };
}

/** A thrown endChain() is a result. */
async function resultOf(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ChainEnd) return error;
    throw error;
  }
}

/** The error of each record of a batch that is over before it begins. */
function whyNotStarted(context: LambdaContext | undefined, reserveMillis: number): string {
  const left = context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
  const cause =
    left <= reserveMillis
      ? `The invocation started with ${left} ms left, and reserveMillis is ${reserveMillis}`
      : 'The invocation was aborted before its batch began';
  return `${cause}: no task was started; its message comes back.`;
}
