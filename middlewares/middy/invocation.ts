import type { EventKind, LambdaContext, TaskRecord } from '../../core/batch/events.ts';
import type { Undone } from '../../core/batch/ledger.ts';
import { nothingRan, undoneOf } from './guardedAnswer.ts';
import { addToContext, type GuardedRequest } from './guardRequest.ts';
import { addEnd, type WorkPart } from './invocationWork.ts';

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

const stateKey = Symbol('algernon-middy.invocation');

/** Opens an invocation for one stage. Its functions need no `this`, so that a stage may destructure it. */
export function openInvocation(state: GuardedRequest, part: WorkPart): Invocation {
  const { kind, event, context, pipeline, direct, work } = state;
  const invocation = {
    [stateKey]: state,
    kind,
    event,
    task: direct?.run.task,
    records: pipeline?.ledger.records ?? [],
    context: context as LambdaContext,
    error: undefined,
    undone: () => undoneOf(state),
    onEnd(end) {
      addEnd(work, part, end);
    },
    onFailure(failure) {
      part.failures.push(failure);
    },
    onAnswer(answer) {
      work.answers.push(answer);
    },
    addToContext(own, inherited) {
      addToContext(state, { own, inherited });
      pipeline?.contextParts.push({ own, inherited });
    },
    writeAnswer(write) {
      if (direct) direct.writeAnswer ??= write;
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
    const { outcome, request } = this[stateKey];
    const isEarly = outcome.phase === 'started' && 'earlyResponse' in request;
    return isEarly && undoneOf(this[stateKey]).length > 0 ? nothingRan() : outcome.error;
  },
};
