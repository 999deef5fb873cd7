import {
  type EventKind,
  eventKind,
  recordsOf,
  type TaskRecord,
  taskOfEvent,
} from '../../core/batch/events.ts';
import {
  addParts,
  type ContextParts,
  clearDeadline,
  countDirectRun,
  directProperty,
  extendContext,
  openPipeline,
  originalContext,
  type Pipeline,
  pipelineOf,
  pipelineProperty,
} from '../../core/batch/pipeline.ts';
import { letHookRead, type SettledBatch } from '../../core/batch/settledBatch.ts';
import { type OpenRun, openDirectRun } from '../../core/batch/stage.ts';
import { checkTask } from '../../core/batch/unwrapTask.ts';
import { AlgernonError, isAlgernonError } from '../../core/errors.ts';
import type { DirectStage } from './directStage.ts';
import { failuresIn, guardedAnswer, handled, isEarly } from './guardedAnswer.ts';

/** The part of Middy's request that is used here. */
export interface MiddyRequest {
  event: unknown;
  context: unknown;
  response?: unknown;
  error?: unknown;
  earlyResponse?: unknown;
}

/** The part of one middleware in one invocation. */
export interface Part {
  direct: DirectStage | undefined;
  readonly ends: (() => Promise<void>)[];
  readonly failureWork: ((error: unknown) => void)[];
}

/** The state of one invocation, from the first hook of this library on. */
export interface GuardedRequest {
  readonly request: MiddyRequest;
  /** The context as Lambda gave it. */
  readonly context: object;
  /** The copy of it that was made for this invocation. */
  extended: object | undefined;
  readonly kind: EventKind;
  /** The event as Lambda gave it: that of a state becomes a task. */
  readonly event: unknown;
  /** Undefined unless the event is a batch. */
  readonly pipeline: Pipeline | undefined;
  /** The task of a direct invocation. */
  readonly direct: OpenRun | undefined;
  response: unknown;
  error: unknown;
  hasFailed: boolean;
  /** Whether the handler has returned. */
  hasReturned: boolean;
  /** A direct task has ended its chain by throwing: the error is the answer. */
  hasRecovered: boolean;
  /** An error that no answer to the batch may replace. */
  fatal: unknown;
  /** The outcome that replaces an answer which misses failures. */
  view: SettledBatch<unknown> | undefined;
  /** The part of each middleware, by an object that belongs to the middleware. */
  readonly parts: Map<object, Part>;
  /** Work for the end of the invocation, each done once. */
  readonly ends: (() => Promise<void>)[];
  readonly answerWork: (() => void)[];
  ending: Promise<void> | undefined;
  /** The stages that run around a direct task, outermost first. */
  readonly directStages: { readonly name: string; finish(outcome: { failed: false }): Promise<void> }[];
  /** Writes the result of a direct invocation; undefined: it is JSON. */
  writeAnswer: ((result: unknown) => unknown) | undefined;
  hasAnswer: boolean;
  /** The answer that was written last, to see whether another middleware has replaced it. */
  written: unknown;
}

/** Shared by copies of this package: the accessors can be defined only once. */
const stateKey: unique symbol = Symbol.for('algernon-middy.request');
type Holder = MiddyRequest & { [stateKey]?: GuardedRequest };

/**
 * Guards the answer of an invocation: from now on an answer to an SQS batch names each record that is not done, or the
 * invocation fails. Middy's last read of `request.response` cannot be told from that of a hook, so each read is guarded.
 *
 * The request itself holds the state: Middy 6 shares `request.internal` between invocations.
 */
export function guardRequest(given: object): GuardedRequest {
  const request = given as Holder;
  const existing = request[stateKey];
  if (existing) return existing;
  const { event } = request;
  const kind = eventKind(event);
  const context = (request.context ?? {}) as object;
  const state: GuardedRequest = {
    request,
    context: originalContext(context),
    extended: undefined,
    kind,
    event,
    pipeline: kind === 'sqs' || kind === 'sns' ? pipelineFor(request, kind) : undefined,
    direct: kind === 'direct' ? directRunFor(request, context) : undefined,
    parts: new Map(),
    response: request.response,
    error: request.error,
    hasFailed: request.error !== undefined,
    hasReturned: false,
    hasRecovered: false,
    fatal: undefined,
    view: undefined,
    ends: [],
    answerWork: [],
    ending: undefined,
    directStages: [],
    writeAnswer: undefined,
    hasAnswer: false,
    written: undefined,
  };
  Object.defineProperty(request, stateKey, { value: state });
  // Defining both in one call takes twice as long.
  Object.defineProperty(request, 'response', responseAccessor);
  Object.defineProperty(request, 'error', errorAccessor);
  if (state.direct) addToContext(state, { own: directProperty });
  return state;
}

function pipelineFor(request: MiddyRequest, kind: 'sqs' | 'sns'): Pipeline {
  const outer = pipelineOf(request.context);
  // A stack around a stack shares its stages, but not a stack that runs inside one of them.
  if (outer?.ledger.matches(request.event) && !outer.wasQueued && !outer.ledger.touched) return outer;
  return openPipeline(kind, recordsOf(request.event) as readonly TaskRecord[]);
}

function directRunFor(request: MiddyRequest, context: object): OpenRun {
  const part = countDirectRun(context);
  request.event = taskOfEvent(request.event);
  return openDirectRun(checkTask(request.event), originalContext(context) as OpenRun['context'], part);
}

/** Adds properties to the context of an invocation, which is copied first: Lambda's own stays as it is. */
export function addToContext(state: GuardedRequest, parts: ContextParts): void {
  const { request, extended } = state;
  const isOwn = extended !== undefined && request.context === extended;
  if (isOwn && Reflect.ownKeys(parts.own).every((key) => !Object.hasOwn(extended, key))) {
    addParts(extended, parts);
    return;
  }
  state.extended = extendContext((request.context ?? {}) as object, parts);
  request.context = state.extended;
}

/** Puts the pipeline on the context, also after another middleware has replaced the context by one that lacks it. */
export function keepPipeline(state: GuardedRequest, pipeline: Pipeline): void {
  if (pipelineOf(state.request.context) !== pipeline)
    addToContext(state, { own: pipelineProperty(pipeline) });
}

/** Neither accessor can be deleted or redefined: `delete request.response` would acknowledge every message. */
const responseAccessor: PropertyDescriptor & ThisType<Holder> = {
  configurable: false,
  enumerable: true,
  get() {
    return readResponse(this[stateKey] as GuardedRequest);
  },
  set(value: unknown) {
    writeResponse(this[stateKey] as GuardedRequest, value);
  },
};

const errorAccessor: PropertyDescriptor & ThisType<Holder> = {
  configurable: false,
  enumerable: true,
  get() {
    const state = this[stateKey] as GuardedRequest;
    // Middy reads the error when it throws it.
    if (state.hasFailed) for (const work of state.answerWork) void Promise.resolve().then(work);
    return state.error;
  },
  set(value: unknown) {
    writeError(this[stateKey] as GuardedRequest, value);
  },
};

function readResponse(state: GuardedRequest): unknown {
  for (const work of state.answerWork) void Promise.resolve().then(work);
  const answer = guardedAnswer(state);
  letHookRead(answer);
  const { ending } = state;
  // Middy returns an early answer at once, so the answer itself waits for the end of the invocation.
  if (!ending || !isEarly(state) || (answer === undefined && state.hasFailed)) return answer;
  return handled(
    ending.then(() => {
      for (const work of state.answerWork) work();
      const final = guardedAnswer(state);
      if (final === undefined && state.hasFailed) throw state.error;
      return final;
    }),
  );
}

function writeResponse(state: GuardedRequest, value: unknown): void {
  state.view = undefined;
  if (refuses(state, value)) {
    // The answer before it led to an error, and must not count as the answer to it.
    if (state.hasFailed) state.response = undefined;
    if (isEarly(state)) startEnding(state);
    closeIfRunning(state);
    return;
  }
  state.response = value;
  if (isEarly(state)) {
    startEnding(state);
  } else if (!state.hasFailed) {
    state.hasReturned = true;
    noteOutcome(state, value);
  }
  closeIfRunning(state);
}

function writeError(state: GuardedRequest, value: unknown): void {
  // A second error is thrown by an onError, which skips the hooks that follow it.
  if (state.hasFailed) startEnding(state);
  state.hasFailed = true;
  state.view = undefined;
  state.error = asThrown(value);
  if (failsInvocation(value)) state.fatal ??= value;
  closeIfRunning(state);
}

/** Middy takes an error that is undefined for success. */
export function asThrown(error: unknown): unknown {
  if (error !== undefined) return error;
  const message = 'The handler or a middleware threw undefined.';
  return new AlgernonError('THREW_UNDEFINED', message, { retryable: true });
}

/** `queued` runs on when Middy's own time-out has answered: nothing may leave after that. */
function closeIfRunning({ pipeline }: GuardedRequest): void {
  if (pipeline?.isQueued) pipeline.deadline?.close();
}

const fatalCodes = new Set(['BATCH_FAILED', 'EVENT_REPLACED', 'DUPLICATE_STAGE', 'DURABLE_FUNCTION']);

function failsInvocation(error: unknown): boolean {
  return isAlgernonError(error) && fatalCodes.has(error.code);
}

/** Runs the pending work for the end of the invocation, last registered first. */
export function startEnding(state: GuardedRequest): void {
  const endAll = async () => {
    for (const end of state.ends.toReversed()) await end();
    clearDeadline(state.pipeline);
  };
  state.ending ??= endAll().finally(() => {
    state.ending = undefined;
  });
}

/**
 * `sqsPartialBatchFailure` answers every event. For an event that is not an SQS batch its answer would replace the result,
 * and turn an error into success.
 */
function refuses({ kind, hasFailed, request }: GuardedRequest, response: unknown): boolean {
  if (kind === 'sqs') return false;
  const failures = failuresIn(response);
  if (!failures || Object.keys(response as object).length !== 1) return false;
  if (kind === 'sns') return true;
  // A stream has partial answers, but an answer that names nothing is not one.
  const namesNothing = failures.every((failure) => Object(failure).itemIdentifier === undefined);
  return namesNothing && (kind === 'direct' || hasFailed || !recordsOf(request.event));
}

/** Keeps the failures that the answer of a loop names, in case a later hook drops that answer. */
function noteOutcome({ pipeline }: GuardedRequest, value: unknown): void {
  if (!pipeline || pipeline.wasQueued) return;
  const { ledger } = pipeline;
  if (Array.isArray(value)) {
    ledger.ids.forEach((id, index) => {
      if (value[index]?.status === 'rejected') ledger.note(id, value[index].reason);
    });
  }
  for (const failure of failuresIn(value) ?? []) {
    const message = 'The handler named this record as failed.';
    const reason = new AlgernonError('NAMED_AS_FAILED', message, { retryable: true });
    ledger.note(Object(failure).itemIdentifier, reason);
  }
}
