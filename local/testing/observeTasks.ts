import type { TaskRecord } from '../../core/batch/events.ts';
import { identityOf } from '../../core/batch/identity.ts';
import { type LineSink, lineSinkProperty } from '../../core/batch/lineSink.ts';
import { addStage, extendContext, openPipeline, pipelineProperty } from '../../core/batch/pipeline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { readMessage } from '../../core/batch/unwrapTask.ts';
import type { ChainEvent } from '../../core/chains/ChainEvent.ts';
import { isTask } from '../../core/tasks/task.ts';
import { writersOf } from '../../middlewares/events/eventWriter.ts';
import { eventStage } from '../eventStage.ts';
import type { FullLambdaContext, LambdaHandler } from '../lambdaTypes.ts';

/** One run of a task. */
export interface Attempt {
  /** The name of the task. */
  readonly taskName: string;
  /** The arguments as the handler got them: pointers are resolved, tags are tags. */
  readonly kwargs: unknown;
  /** The id of the chain. */
  readonly chainId: string;
  /** The id of the message, which stays the same when it is delivered again. */
  readonly messageId: string;
  /** How often the message was received, this time included. */
  readonly attempt: number;
  /** Whether the run succeeded. */
  readonly outcome: 'succeeded' | 'failed';
  /** The value that the handler returned, if it did. */
  readonly result?: unknown;
  /** Why the attempt failed: the error of the handler, or of a stage such as the publishing of the callback. */
  readonly error?: unknown;
}

/** How to observe a handler. */
export interface Observer {
  onAttempt(attempt: Attempt, record: TaskRecord): void;
  onLine: LineSink;
  onEvents(events: readonly ChainEvent[]): void;
  /** On which receive SQS gives up a message. */
  readonly maxReceiveCount: number;
  /** Properties that replace those of the context, just before the handler runs. */
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * Makes a handler whose tasks are observed. The stages of this kit are put on the Lambda context, so that the stack itself is
 * not changed.
 */
export function observeTasks(handler: LambdaHandler, observer: Observer): LambdaHandler {
  const sink = { write: (events: readonly ChainEvent[]) => observer.onEvents(events), lingerMillis: 0 };
  const writers = writersOf('observeTasks', 'onEvents', sink);
  return (event, context, callback) => {
    Object.assign(context, lineSinkProperty(observer.onLine));
    const pipeline = openPipeline('sqs', event.Records);
    const results = new WeakMap<TaskRun, { result: unknown }>();

    const events = eventStage({
      name: 'testing/events',
      writers,
      maxReceiveCount: observer.maxReceiveCount,
      listen: () => (event) => observer.onEvents([event]),
    });
    addStage(pipeline, events.stage);
    addStage(pipeline, {
      name: 'testing/outcome',
      order: { before: 'policy' },
      passive: true,
      async around(run, next) {
        try {
          await next();
        } catch (error) {
          report(run, { error });
          throw error;
        }
        report(run, run.failure === undefined ? {} : { error: run.failure });
      },
    });
    addStage(pipeline, {
      name: 'testing/result',
      order: { after: 'hydrate' },
      passive: true,
      async around(run, next) {
        for (const [name, value] of Object.entries(observer.context)) {
          Object.defineProperty(run.context, name, { value, configurable: true, enumerable: true });
        }
        await next();
        // An outer stage may drop a large result.
        results.set(run, { result: run.result });
      },
    });

    const report = (run: TaskRun, outcome: { error?: unknown }) => {
      const { messageId, chainId, receiveCount = 1 } = identityOf(run);
      const { task_name, task_kwargs } = taskOf(run);
      observer.onAttempt(
        {
          taskName: task_name,
          kwargs: task_kwargs ?? {},
          chainId,
          messageId,
          attempt: receiveCount,
          outcome: 'error' in outcome ? 'failed' : 'succeeded',
          ...results.get(run),
          ...outcome,
        },
        run.record as TaskRecord,
      );
    };
    const observed = extendContext(context, { own: pipelineProperty(pipeline) }) as FullLambdaContext;
    const outcome = handler(event, observed, callback) as unknown;
    return Promise.resolve(outcome).finally(events.end);
  };
}

/** The task of a run, as far as it can be parsed. */
function taskOf(run: TaskRun): { task_name: string; task_kwargs?: unknown } {
  if (isTask(run.task)) return run.task;
  const { content } = readMessage(run);
  return isTask(content) ? content : { task_name: '' };
}
