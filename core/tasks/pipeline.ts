import { EventReplacedError, PipelineNotRunError } from '../errors.ts';
import { eventKind, type LambdaContext, messageIdOf, recordsOf, type TaskRecord } from './events.ts';
import type { Unwrapped } from './unwrapTask.ts';

/** One task under way, as the stages around it see it. */
export interface TaskRun {
  readonly record: TaskRecord;
  readonly context: LambdaContext;
  /** Aborted when the invocation is about to end. */
  readonly signal: AbortSignal;
  /** What the handler gets. The record itself, until a stage puts the task in its place. */
  task: unknown;
  /** What the handler returned, once it has. */
  result: unknown;
  /** Whether the handler said that nothing is to follow. */
  endsChain: boolean;
  /** What failed the task, where a stage has answered for it and the record counts as done. For logs. */
  failure?: unknown;
  /** The message, taken apart: parsed once, however many stages ask. Throws when it is not JSON. */
  unwrap(): Unwrapped;
  /** The message attributes that the callback's message will carry. For stages to add to. */
  readonly outgoing: Record<string, string>;
  /** What stages have counted, for a summary. */
  readonly counts: { bytesHydrated: number };
}

/** What a middleware does for each task, as an onion around the handler. */
export interface Stage {
  readonly name: string;
  /** The smaller, the further out. See {@link stageRanks}. */
  readonly rank: number;
  /** Does its part before and after `await next()`. What it throws fails this task alone. */
  around(run: TaskRun, next: () => Promise<void>): Promise<void>;
  /** Called when the task is there and the handler about to start; throws to refuse the task. */
  ready?(run: TaskRun): void;
}

/** The fixed order of the stages, from outside in. There is room between them for stages of your own. */
export const stageRanks = { fail: 50, log: 100, publish: 200, unwrap: 300, hydrate: 400 } as const;

/** The stages that the middlewares of one invocation have declared. */
export interface Pipeline {
  readonly stages: Stage[];
  /** Whether anything has run a record through the stages. */
  hasRun: boolean;
  /** Put on the context what middlewares promise the handler, in case a copy of the context has lost it. */
  readonly contextParts: ((context: object) => void)[];
  readonly messageIds: readonly string[];
  /** Whether a middleware logs each failure, so that nobody else has to. */
  logsFailures: boolean;
}

/** The part of Middy's request that a middleware needs in order to declare a stage. */
export interface DeclaringRequest {
  event: unknown;
  context: unknown;
}

const key: unique symbol = Symbol.for('algernon-middy.pipeline');
type Holder = { [key]?: Pipeline };

/** By request: of `request.internal` Middy 6 gives all invocations the same, where `middy()` was given one. */
const pipelines = new WeakMap<object, Pipeline>();

/**
 * Adds a stage to the pipeline of an invocation, which {@link queued} or {@link runTask} then runs for each record.
 * Call it in a middleware's `before`. A stage declared twice under one name is run once.
 *
 * The pipeline travels on the Lambda context, under a symbol that a copy of the context keeps. The context that
 * Lambda gave is not touched: invocations may overlap, and may share what was given to them.
 *
 * @returns the pipeline, or undefined when the event is no batch: then the middleware does its work in its hooks
 * @example
 * const timed = () => ({
 *   before: (request) => void declareStage(request, { name: 'timed', rank: 150, around: async (run, next) => {
 *     const start = performance.now();
 *     await next();
 *     console.info(performance.now() - start);
 *   } }),
 * });
 */
export function declareStage(request: DeclaringRequest, stage: Stage): Pipeline | undefined {
  const pipeline = openPipeline(request);
  if (!pipeline) return undefined;
  const { stages } = pipeline;
  const declared = stages.findIndex(({ name }) => name === stage.name);
  stages.splice(declared === -1 ? stages.length : declared, 1, stage);
  stages.sort((a, b) => a.rank - b.rank);
  return pipeline;
}

/** The pipeline of an invocation, put on its context where it is not there yet; undefined when the event is no batch. */
export function openPipeline(request: DeclaringRequest): Pipeline | undefined {
  if (eventKind(request.event) === 'direct') return undefined;
  const context = (request.context ?? {}) as Holder;
  const pipeline = pipelines.get(request) ?? context[key] ?? startPipeline(request.event);
  pipelines.set(request, pipeline);
  if (context[key] !== pipeline)
    request.context = extendContext(context, { [key]: { value: pipeline, enumerable: true } });
  return pipeline;
}

function startPipeline(event: unknown): Pipeline {
  const { Records } = event as { Records: TaskRecord[] };
  return {
    stages: [],
    hasRun: false,
    contextParts: [],
    messageIds: Records.map(messageIdOf),
    logsFailures: false,
  };
}

/**
 * A context with more on it. Accessors stay accessors: `callbackWaitsForEmptyEventLoop` is one on Lambda, and
 * setting it must reach the runtime.
 */
export function extendContext<C extends object>(context: C, parts: PropertyDescriptorMap): C {
  const extended: Record<PropertyKey, unknown> = Object.create(Object.getPrototypeOf(context));
  for (const key of Reflect.ownKeys(context)) {
    const descriptor = Object.getOwnPropertyDescriptor(context, key) as PropertyDescriptor;
    const { value, writable, enumerable, configurable } = descriptor;
    // Setting is three times as fast as defining, and a context is made for each batch.
    if (writable && enumerable && configurable && !(key in extended)) extended[key] = value;
    else Object.defineProperty(extended, key, descriptor);
  }
  Object.defineProperties(extended, parts);
  originals.set(extended, originalContext(context));
  return extended as C;
}

const originals = new WeakMap<object, object>();

/** The context as Lambda gave it, behind one that was extended. */
export function originalContext<C extends object>(context: C): C {
  return (originals.get(context) as C | undefined) ?? context;
}

const outgoings = new WeakMap<object, Record<string, string>>();

/** The message attributes that the callback of a directly invoked task will carry. For middlewares to add to. */
export function outgoingOf(request: object): Record<string, string> {
  const known = outgoings.get(request);
  if (known) return known;
  const outgoing = {};
  outgoings.set(request, outgoing);
  return outgoing;
}

/** The pipeline that travels on a context. */
export function pipelineOf(context: unknown): Pipeline | undefined {
  return (context as Holder | null | undefined)?.[key];
}

/**
 * Fails the invocation when stages were declared and nothing ran them: work that was not hydrated, or whose result
 * was not sent on, must not count as done. Call it in the `after` of a middleware whose stage must not be skipped.
 *
 * @throws EventReplacedError, PipelineNotRunError, or the failure of a task that SNS gave
 */
export function assertPipelineRan(request: AnsweredRequest, name: string): void {
  assertOutcome(request);
  const pipeline = pipelines.get(request);
  if (pipeline && !pipeline.hasRun && pipeline.messageIds.length > 0) throw new PipelineNotRunError(name);
}

/** The part of Middy's request that a middleware's `after` needs. */
interface AnsweredRequest extends DeclaringRequest {
  response?: unknown;
}

/**
 * Fails the invocation when its answer cannot tell which messages failed. Call it in the `after` of a middleware that
 * gives tasks to a loop. SNS straight to Lambda takes any answer for success, so there a failure has to be thrown.
 *
 * @throws EventReplacedError, or the failure of a task that SNS gave
 */
export function assertOutcome(request: AnsweredRequest): void {
  assertEventKept(request);
  const { event, response } = request;
  if (eventKind(event) !== 'sns' || !Array.isArray(response)) return;
  for (const one of response) if (one?.status === 'rejected') throw one.reason;
}

/**
 * Call it in the `after` of any middleware on a batch: what was dropped must not count as done.
 *
 * @throws EventReplacedError
 */
export function assertEventKept(request: DeclaringRequest): void {
  if (isEventReplaced(request)) throw new EventReplacedError();
}

/** Whether the records are others than those that stages were declared for. */
export function isEventReplaced(request: Pick<DeclaringRequest, 'event'>): boolean {
  const pipeline = pipelines.get(request);
  return pipeline !== undefined && !hasRecordsOf(pipeline, request.event);
}

/**
 * Failures are reported by the position of a record. When the records are others than those the stages were declared
 * for, a report could acknowledge a message that nobody has seen.
 *
 * @throws EventReplacedError
 */
export function assertSameRecords(pipeline: Pipeline, event: unknown): void {
  if (!hasRecordsOf(pipeline, event)) throw new EventReplacedError();
}

function hasRecordsOf({ messageIds }: Pipeline, event: unknown): boolean {
  const records = recordsOf(event);
  if (records?.length !== messageIds.length) return false;
  return records.every(
    (record, index) => Object(record) === record && messageIdOf(record as TaskRecord) === messageIds[index],
  );
}
