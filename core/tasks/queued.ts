import { assertOption } from '../assertOption.ts';
import { timerMillis } from '../timerMillis.ts';
import { eventKind, type LambdaContext, type SnsEvent, type SqsEvent } from './events.ts';
import { assertSameRecords, pipelineOf } from './pipeline.ts';
import { runBatch } from './runBatch.ts';
import { type RunTaskOptions, runTask, type TaskHandler } from './runTask.ts';
import { type SettledBatch, settledBatch } from './settledBatch.ts';

export interface QueuedOptions {
  /** How many tasks may be under way at once, and with that be held in memory. Default 10. */
  concurrency?: number;
  /** How long before the function's time-out the batch ends, in milliseconds. Default 500. */
  reserveMillis?: number;
  /** The registry that rebuilds each task's classes, datetimes and so on. Default: none, tags stay tags. */
  rebuild?: RunTaskOptions['rebuild'];
}

/** What a handler gets as its third argument: options from Middy, or the old callback from Lambda. */
type Third = { signal?: AbortSignal } | ((...args: never) => void);

/** A Lambda handler for batches of tasks, which may be invoked directly with one task too. */
export interface QueuedHandler<T, R> {
  (task: T & { task_name: string }, context: LambdaContext, options?: Third): Promise<R>;
  (event: SqsEvent | SnsEvent, context: LambdaContext, options?: Third): Promise<SettledBatch<R>>;
}

/**
 * Makes a Lambda handler out of a function that is written as if Lambda called it for one task.
 *
 * Each record of a batch runs through the stages that the stack's middlewares have declared, in a promise of its
 * own: what fails, fails that record alone. Records of one FIFO message group run in their order, and stop at a
 * failure. Near the function's time-out the batch ends: what is done is acknowledged, what is running has its
 * `signal` aborted and comes back, and nothing more is started.
 *
 * A batch gives what `Promise.allSettled` gives, in the order of `event.Records`, for
 * `@middy/sqs-partial-batch-failure` to read. When nothing reads it, a failure fails the invocation, so that no
 * message is lost. SNS straight to Lambda has no partial answer: there a failure throws. A direct invocation gives the
 * handler's result.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * export const handler = middy(queued(async (task: Task, context) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function queued<T, C, R>(
  handler: TaskHandler<T, C, R>,
  options: QueuedOptions = {},
): QueuedHandler<T, Awaited<R>> {
  const { concurrency = 10, reserveMillis = 500, rebuild } = options;
  assertOption(typeof handler === 'function', 'queued', 'handler', 'a function');
  assertOption(
    Number.isInteger(concurrency) && concurrency > 0,
    'queued',
    'concurrency',
    'a whole number from 1',
  );
  assertOption(reserveMillis >= 0, 'queued', 'reserveMillis', 'a number of milliseconds from 0');
  assertOption(
    !rebuild || typeof rebuild.rebuildEvent === 'function',
    'queued',
    'rebuild',
    'a registry, such as ajson',
  );

  const queuedHandler = async (
    event: unknown,
    context: LambdaContext,
    { signal: stop }: { signal?: AbortSignal } = {},
  ): Promise<unknown> => {
    const deadline = startDeadline(context, reserveMillis, stop);
    const { signal } = deadline;
    try {
      const kind = eventKind(event);
      if (kind === 'direct') {
        const task = rebuild ? rebuild.rebuildEvent(event) : event;
        return await handler(task as T, context as C, { record: undefined, signal });
      }
      const { Records } = event as SqsEvent | SnsEvent;
      const pipeline = pipelineOf(context);
      if (pipeline) assertSameRecords(pipeline, event);
      const run = (record: (typeof Records)[number]) =>
        runTask(record, context as C, handler, { signal, rebuild }) as Promise<Awaited<R>>;
      const settled = await runBatch(Records, run, { concurrency, signal });
      if (kind === 'sns') for (const one of settled) if (one.status === 'rejected') throw one.reason;
      return settledBatch(settled, Records, pipeline?.logsFailures);
    } finally {
      deadline.clear();
    }
  };
  return queuedHandler as QueuedHandler<T, Awaited<R>>;
}

/** A signal that is aborted when the invocation is about to end, or when its caller's own signal is. */
function startDeadline(context: LambdaContext, reserveMillis: number, stop: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const remaining = context?.getRemainingTimeInMillis?.();
  const timer =
    remaining === undefined ? undefined : setTimeout(abort, timerMillis(remaining - reserveMillis));
  if (remaining !== undefined && remaining <= reserveMillis) abort();
  if (stop?.aborted) abort();
  stop?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      stop?.removeEventListener('abort', abort);
    },
  };
}
