import type { MiddlewareObj } from '@middy/core';
import { whenAborted } from '../../core/batch/deadline.ts';
import {
  assertNotDurable,
  EventError,
  type EventKind,
  type LambdaContext,
  type TaskRecord,
} from '../../core/batch/events.ts';
import { EventReplacedError, type Undone } from '../../core/batch/ledger.ts';
import { addStage, clearDeadline, duplicateStage, type Pipeline } from '../../core/batch/pipeline.ts';
import { type Around, isStageOrder, type Stage, type StageOrder } from '../../core/batch/stage.ts';
import { checkOptions, flag, func, text } from '../../core/checkOptions.ts';
import { AlgernonError, OptionError } from '../../core/errors.ts';
import { endDirect, failDirect, startDirect } from './directStage.ts';
import { nothingRan, undoneOf } from './guardedAnswer.ts';
import { addToContext, type GuardedRequest, guardRequest, keepPipeline, type Part } from './guardRequest.ts';

/** One invocation, for a stage that needs more than single records. */
export interface Invocation {
  /** How the event came. */
  readonly kind: EventKind;
  /** The event as Lambda gave it. */
  readonly event: unknown;
  /** The task of a direct invocation. */
  readonly task: unknown;
  /** The records of a batch; empty in a direct invocation. */
  readonly records: readonly TaskRecord[];
  /** The context as Lambda gave it. */
  readonly context: LambdaContext;
  /** The error of the invocation as a whole; undefined if there is none so far. */
  readonly error: unknown;
  /** The records that are not done so far, with the reasons. */
  undone(): readonly Undone[];
  /**
   * Does some work at the end of the invocation, once, whether it succeeds, fails or is answered early. The work must not
   * throw.
   */
  onEnd(work: () => void | Promise<void>): void;
  /** Does some work when the invocation fails as a whole. The work must not throw. */
  onFailure(work: (error: unknown) => void): void;
  /**
   * Does some work when the answer is read: when Middy takes it, and before that whenever another hook reads it. The work
   * must not throw.
   */
  onAnswer(work: () => void): void;
  /**
   * Adds properties to the context that the handler gets.
   *
   * @param inherited an object with more properties, made once for all invocations: many are slow to define
   */
  addToContext(parts: PropertyDescriptorMap, inherited?: object): void;
  /** Writes the answer of a direct invocation, which is JSON otherwise. */
  writeAnswer(write: (result: unknown) => unknown): void;
  /** Says that the stage logs each failed record, so that nothing else needs to. */
  logFailures(): void;
}

/** A stage, as a middleware declares it. */
export interface StageOptions {
  /** A name that is unique in a stack. */
  name: string;
  /** Where the stage runs. Default `{ after: 'hydrate' }`: next to the handler. */
  order?: StageOrder;
  /** Runs around the handler, once per record. */
  around?: Around;
  /** Instead of `around`: called once per invocation, and returns the `around` of its records, if any. */
  open?: (invocation: Invocation) => { around?: Around } | undefined;
  /**
   * Whether a record may be done although the stage did not run around it, as in a loop that does not use `runTask`. Default
   * false.
   */
  passive?: boolean;
  /** Whether events other than batches and tasks are let through. Default false: they are refused. */
  anyEvent?: boolean;
  /** Whether `open` is called even if an earlier `before` has thrown, for `onFailure` and `onEnd`. Default false. */
  always?: boolean;
  /** The advice for a stack that has the middleware twice. Default: remove one. */
  twice?: string;
}

/**
 * Makes a Middy middleware out of a stage: a function that runs around the handler once per record, so that an error fails
 * one record and not the batch. The stage has these guarantees, in every order of `.use`:
 *
 * - a record is acknowledged only if every stage has run around its handler and has settled;
 * - an error it throws fails its record, or the task of a direct invocation;
 * - `next()` that is not awaited is waited for, and an error that is swallowed still fails the record.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const timed = () =>
 *   stageMiddleware({
 *     name: 'timed',
 *     order: { after: 'log' },
 *     async around(run, next) {
 *       const start = performance.now();
 *       await next();
 *       console.info(`${Math.round(performance.now() - start)} ms`);
 *     },
 *   });
 */
export function stageMiddleware(options: StageOptions): MiddlewareObj {
  const {
    name,
    order = { after: 'hydrate' },
    open,
    passive = false,
    anyEvent = false,
    always = false,
    twice,
  } = checkStage(options);
  const openPart = ({ parts }: GuardedRequest): Part => {
    const part: Part = { direct: undefined, ends: [], failureWork: [] };
    parts.set(options, part);
    return part;
  };

  return {
    before(request) {
      const state = guardRequest(request);
      if (!anyEvent) assertTaskEvent(state);
      if (state.kind !== 'other') assertNotDurable(state.context);
      if (state.parts.has(options)) throw duplicateStage(name, twice);
      const stage: Stage = { name, order, passive };
      if (state.pipeline) {
        keepPipeline(state, state.pipeline);
        addStage(state.pipeline, stage, twice);
      }
      const part = openPart(state);
      stage.around = open ? open(openInvocation(state, part))?.around : options.around;
      if (!state.direct || !stage.around) return undefined;
      part.direct = startDirect(state, stage, twice);
      return part.direct.started;
    },

    async after(request) {
      const state = guardRequest(request);
      const part = state.parts.get(options);
      state.hasReturned = true;
      if (state.pipeline) await assertBatchDone(state, state.pipeline);
      if (state.direct) await endDirect(state, part?.direct);
      for (const end of part?.ends.toReversed() ?? []) await end();
    },

    async onError(request) {
      const state = guardRequest(request);
      state.hasFailed = true;
      if (always && open && !state.parts.has(options)) open(openInvocation(state, openPart(state)));
      const part = state.parts.get(options);
      await failDirect(state, part?.direct);
      for (const work of part?.failureWork ?? []) work(state.error);
      for (const end of part?.ends.toReversed() ?? []) await end();
      clearDeadline(state.pipeline);
    },
  };
}

/** Refuses an event that is neither a batch nor a task. */
function assertTaskEvent({ kind, request }: GuardedRequest): void {
  if (kind === 'other') throw new EventError(request.event);
}

function checkStage(options: StageOptions): StageOptions {
  checkOptions('stageMiddleware', options, {
    name: text('a name'),
    order: {
      expected: '{ before }, { after } or { at } with the name of a position, such as { after: "log" }',
      test: isStageOrder,
    },
    around: func,
    open: func,
    passive: flag,
    anyEvent: flag,
    always: flag,
    twice: text('a text'),
  });
  if (!options.name) throw new OptionError('stageMiddleware: name is missing.');
  if ((options.around === undefined) === (options.open === undefined)) {
    throw new OptionError(`stageMiddleware: ${options.name} needs either around or open.`);
  }
  return options;
}

const stateKey = Symbol('algernon-middy.invocation');

/** Its functions need no `this`, so that a stage may destructure it. */
function openInvocation(state: GuardedRequest, { ends, failureWork }: Part): Invocation {
  const { kind, pipeline } = state;
  const invocation = {
    [stateKey]: state,
    kind,
    event: state.event,
    task: state.direct?.task,
    records: pipeline?.ledger.records ?? [],
    context: state.context as LambdaContext,
    error: undefined,
    undone: () => undoneOf(state),
    onEnd(work) {
      const end = once(work);
      ends.push(end);
      state.ends.push(end);
    },
    onFailure(work) {
      failureWork.push(work);
    },
    onAnswer(work) {
      state.answerWork.push(work);
    },
    addToContext(own, inherited) {
      addToContext(state, { own, inherited });
      pipeline?.contextParts.push({ own, inherited });
    },
    writeAnswer(write) {
      state.writeAnswer ??= write;
    },
    logFailures() {
      if (pipeline) pipeline.logsFailures = true;
    },
  } satisfies Invocation & { [stateKey]: GuardedRequest };
  return Object.defineProperty(invocation, 'error', errorAccessor);
}

/** Shared: V8 keeps an accessor whose functions are made anew, and all they refer to, until a full collection. */
const errorAccessor: PropertyDescriptor & ThisType<{ [stateKey]: GuardedRequest }> = {
  get() {
    const { hasFailed, hasReturned, request, error } = this[stateKey];
    const isEarly = !hasFailed && !hasReturned && 'earlyResponse' in request;
    return isEarly && undoneOf(this[stateKey]).length > 0 ? nothingRan() : error;
  },
};

function once(work: () => void | Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= (async () => work())().catch((error: unknown) => {
      // The tasks are done, whatever happens to the cleanup.
      console.error('Cleaning up after an invocation failed:', error);
    });
    return done;
  };
}

/**
 * Waits for runs that a loop did not await, and fails the invocation where its answer could not tell which records are done.
 *
 * @throws EventReplacedError, PipelineNotRunError, or the error of a task that SNS gave
 */
async function assertBatchDone(state: GuardedRequest, pipeline: Pipeline): Promise<void> {
  const { ledger, stages, wasQueued, deadline } = pipeline;
  if (!wasQueued && ledger.running > 0) await Promise.race([ledger.idle(), whenAborted(deadline?.cutoff)]);
  clearDeadline(pipeline);
  if (!ledger.matches(state.request.event)) throw new EventReplacedError();
  const active = stages.find(({ passive }) => !passive);
  if (active && !wasQueued && !ledger.touched && ledger.ids.length > 0) {
    const error = new PipelineNotRunError(active.name);
    // Another middleware may turn the error into a batch response, and nothing else would say what is wrong.
    if (!pipeline.logsFailures) console.error(error);
    throw error;
  }
  const [undone] = pipeline.kind === 'sns' ? undoneOf(state) : [];
  if (undone)
    throw undone.reason ?? new AlgernonError('NOT_RUN', 'The notification was not run.', { retryable: true });
}

/** Nothing has run the stages of a batch. */
export class PipelineNotRunError extends AlgernonError {
  override readonly name = 'PipelineNotRunError';

  constructor(stage: string) {
    super(
      'PIPELINE_NOT_RUN',
      `${stage} was not run for any record of this batch: wrap the handler in queued(), or run each record with runTask().`,
      { retryable: true },
    );
  }
}
