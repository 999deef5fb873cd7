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
  countDirectRun,
  directProperty,
  extendContext,
  openPipeline,
  originalContext,
  type Pipeline,
  pipelineOf,
} from '../../core/batch/pipeline.ts';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { type OpenRun, openDirectRun } from '../../core/batch/stage.ts';
import { checkTask } from '../../core/batch/unwrapTask.ts';
import type { DirectTask } from './directStage.ts';
import { readError, readResponse } from './guardedAnswer.ts';
import type { InvocationWork } from './invocationWork.ts';
import { writeError, writeResponse } from './writeOutcome.ts';

/** The part of Middy's request that is used here. */
export interface MiddyRequest {
  event: unknown;
  context: unknown;
  response?: unknown;
  error?: unknown;
  earlyResponse?: unknown;
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
  /** Undefined unless the event is a task. */
  readonly direct: DirectTask | undefined;
  readonly outcome: Outcome;
  readonly work: InvocationWork;
}

/** The values that the handler and the hooks have set on the request so far. */
export interface Outcome {
  /** Whether the handler has returned, or an error was set. */
  phase: 'started' | 'returned' | 'failed';
  response: unknown;
  error: unknown;
  /** An error that no answer to the batch may replace. */
  fatal: unknown;
  /** The outcome that replaces a response which misses failures. */
  view: SettledBatch<unknown> | undefined;
}

/** Shared by copies of this package: the accessors can be defined only once. */
const stateKey: unique symbol = Symbol.for('algernon-middy.request');
type Holder = MiddyRequest & { readonly [stateKey]: GuardedRequest };

/**
 * Guards the answer of an invocation: from now on an answer to an SQS batch names each record that is not done, or the
 * invocation fails. Middy's last read of `request.response` cannot be told from that of a hook, so each read is guarded.
 *
 * The request itself holds the state: Middy 6 shares `request.internal` between invocations.
 */
export function guardRequest(given: object): GuardedRequest {
  const request = given as Holder;
  if (request[stateKey]) return request[stateKey];
  const { event, response, error } = request;
  const context = (request.context ?? {}) as object;
  const kind = eventKind(event);
  const phase = error === undefined ? 'started' : 'failed';
  const state: GuardedRequest = {
    request,
    context: originalContext(context),
    extended: undefined,
    kind,
    event,
    pipeline: kind === 'sqs' || kind === 'sns' ? pipelineFor(request, kind) : undefined,
    direct: kind === 'direct' ? directTaskFor(request, context) : undefined,
    outcome: { phase, response, error, fatal: undefined, view: undefined },
    work: { parts: new Map(), ends: [], answers: [], ending: undefined },
  };
  Object.defineProperty(request, stateKey, { value: state });
  // Defining both in one call takes twice as long.
  Object.defineProperty(request, 'response', responseAccessor);
  Object.defineProperty(request, 'error', errorAccessor);
  if (state.direct) addToContext(state, { own: directProperty });
  return state;
}

/** Neither accessor can be deleted or redefined: `delete request.response` would acknowledge every message. */
const responseAccessor: PropertyDescriptor & ThisType<Holder> = {
  configurable: false,
  enumerable: true,
  get() {
    return readResponse(this[stateKey]);
  },
  set(value: unknown) {
    writeResponse(this[stateKey], value);
  },
};

const errorAccessor: PropertyDescriptor & ThisType<Holder> = {
  configurable: false,
  enumerable: true,
  get() {
    return readError(this[stateKey]);
  },
  set(value: unknown) {
    writeError(this[stateKey], value);
  },
};

function pipelineFor(request: MiddyRequest, kind: 'sqs' | 'sns'): Pipeline {
  const outer = pipelineOf(request.context);
  // A stack around a stack shares its stages, but not a stack that runs inside one of them.
  if (outer?.ledger.matches(request.event) && !outer.wasQueued && !outer.ledger.touched) return outer;
  return openPipeline(kind, recordsOf(request.event) as readonly TaskRecord[]);
}

function directTaskFor(request: MiddyRequest, context: object): DirectTask {
  const part = countDirectRun(context);
  request.event = taskOfEvent(request.event);
  const task = checkTask(request.event);
  const run = openDirectRun(task, originalContext(context) as OpenRun['context'], part);
  return { run, stages: [], writeAnswer: undefined, written: undefined, hasRecovered: false };
}

/** Adds properties to the context of an invocation, which is copied first: Lambda's own stays as it is. */
export function addToContext(state: GuardedRequest, parts: ContextParts): void {
  const { request, extended } = state;
  const isOwn = extended !== undefined && request.context === extended;
  // A property that exists may not be configurable, so it needs another copy.
  if (isOwn && Reflect.ownKeys(parts.own).every((key) => !Object.hasOwn(extended, key))) {
    addParts(extended, parts);
    return;
  }
  state.extended = extendContext((request.context ?? {}) as object, parts);
  request.context = state.extended;
}
