import { AsyncLocalStorage } from 'node:async_hooks';
import { isSnsRecord, type TaskRecord } from '../../core/batch/events.ts';
import { type LineSink, lineSinkProperty } from '../../core/batch/lineSink.ts';
import { addStage, extendContext, openPipeline, pipelineProperty } from '../../core/batch/pipeline.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { isEnvelope, readMessage } from '../../core/batch/unwrapTask.ts';
import type { ChainEvent, DeliveryEvent } from '../../core/chains/ChainEvent.ts';
import type { CurrentTask } from '../../middlewares/events/currentTask.ts';
import { writersOf } from '../../middlewares/events/eventWriter.ts';
import { idsOf, type TaskListener } from '../../middlewares/events/observeTask.ts';
import { eventStage } from '../eventStage.ts';
import type { FullLambdaContext, LambdaHandler } from '../lambdaTypes.ts';
import { readLine } from './logLine.ts';
import { type EventEntry, type LogEntry, type MessageEntry, maxTextLength } from './protocol.ts';

/** How to observe a handler. */
export interface HandlerObserver {
  record(entry: EventEntry | MessageEntry | LogEntry): void;
  /** On which receive SQS gives up a message. */
  readonly maxReceiveCount: number;
  /** After how many seconds a message that failed comes back, unless a stage changes that. */
  readonly returnSeconds: number;
}

/** The task that runs: lines that it logs belong to it. */
export type LoggingTask = Pick<CurrentTask, 'chainId' | 'messageId'>;

const loggingTasks = new AsyncLocalStorage<LoggingTask>();

/** The task that calls. */
export function loggingTask(): LoggingTask | undefined {
  return loggingTasks.getStore();
}

/**
 * Makes a handler whose tasks are observed: their events, messages and lines of logs. The stage is put on the Lambda
 * context, so that the stack itself is not changed.
 */
export function observeHandler(handler: LambdaHandler, observer: HandlerObserver): LambdaHandler {
  const { record, maxReceiveCount } = observer;
  const write = (events: readonly ChainEvent[]) => {
    for (const event of events) record({ kind: 'event', event });
  };
  const writers = writersOf('observeHandler', 'record', { write, lingerMillis: 0 });
  const seen = recentIds();
  const onLine: LineSink = Object.assign(
    (text: string) => {
      const entry = readLine(text, loggingTasks.getStore());
      if (entry) record(entry);
    },
    { passesOn: true },
  );

  return (event, context, callback) => {
    Object.assign(context, lineSinkProperty(onLine));
    const pipeline = openPipeline('sqs', event.Records);
    const events = eventStage({
      name: 'dev/events',
      writers,
      maxReceiveCount,
      listen(task, run) {
        if (run.record && !seen(task.messageId)) record(messageOf(run, run.record, task));
        return withReturn(observer, write);
      },
    });
    addStage(pipeline, events.stage);
    addStage(pipeline, {
      name: 'dev/logs',
      order: { at: 'observe' },
      passive: true,
      around: (run, next) => loggingTasks.run(idsOf(run), next),
    });
    const observed = extendContext(context, { own: pipelineProperty(pipeline) }) as FullLambdaContext;
    const outcome = handler(event, observed, callback) as unknown;
    return Promise.resolve(outcome).finally(events.end);
  };
}

/**
 * Passes on the events of one delivery. A message that failed comes back when its visibility timeout ends, which is added as
 * an event unless a stage reports another time.
 */
function withReturn(
  { returnSeconds }: HandlerObserver,
  write: (events: readonly ChainEvent[]) => void,
): TaskListener {
  let receivedAt = Date.now();
  let isSettled = false;
  return (event) => {
    write([event]);
    if (event.type === 'received') receivedAt = event.at;
    if (event.type === 'retried' || event.type === 'deadLettered') isSettled = true;
    if (event.type !== 'failed') return;
    // The facts that follow a failure are told right after it.
    queueMicrotask(() => {
      if (!isSettled) write([returned(event, receivedAt, returnSeconds)]);
    });
  };
}

function returned(failed: DeliveryEvent, receivedAt: number, returnSeconds: number): ChainEvent {
  const { chainId, messageId, taskName, receiver, recordId, attempt, part } = failed;
  const at = Math.max(Date.now(), failed.at);
  return {
    type: 'retried',
    chainId,
    messageId,
    ...(taskName !== undefined && { taskName }),
    at,
    receiver,
    ...(recordId !== undefined && { recordId }),
    attempt,
    ...(part !== undefined && { part }),
    delaySeconds: Math.max(0, (receivedAt + returnSeconds * 1000 - at) / 1000),
  };
}

/** Remembers ids, as many as matter: the log drops the message of one that comes again. */
function recentIds(): (id: string) => boolean {
  const ids = new Set<string>();
  return (id) => {
    if (ids.has(id)) return true;
    ids.add(id);
    if (ids.size > 10_000) ids.clear();
    return false;
  };
}

function messageOf(run: TaskRun, record: TaskRecord, { chainId, messageId }: CurrentTask): MessageEntry {
  const text = textOf(record);
  const own = isSnsRecord(record) ? {} : (record.messageAttributes ?? {});
  const attributes = Object.entries(own).flatMap(([name, { stringValue }]) =>
    stringValue === undefined ? [] : [[name, stringValue] as const],
  );
  return {
    kind: 'message',
    chainId,
    messageId,
    text: text.slice(0, maxTextLength),
    length: text.length,
    attributes: { ...readMessage(run).attributes, ...Object.fromEntries(attributes) },
  };
}

/** The text inside of the envelope of SNS. */
function textOf(record: TaskRecord): string {
  if (isSnsRecord(record)) return record.Sns.Message;
  const body = record.body as unknown;
  try {
    const envelope: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (isEnvelope(envelope) && typeof envelope.Message === 'string') return envelope.Message;
  } catch {
    // It is shown as it is.
  }
  return typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
}
