import type { TaskFact } from '../chains/ChainEvent.ts';
import type { AlgernonError } from '../errors.ts';
import { isFinal } from '../isFinal.ts';
import { ChainEnd } from '../tasks/endChain.ts';
import type { Task } from '../tasks/task.ts';
import type { LambdaContext, TaskRecord } from './events.ts';
import { isLarge } from './isLarge.ts';
import type { Unwrapped } from './unwrapTask.ts';

/** One task being run, as the stages around it see it. */
export interface TaskRun {
  /** The message; undefined in a direct invocation. */
  readonly record: TaskRecord | undefined;
  /** The context of the invocation, as the handler gets it. */
  readonly context: LambdaContext;
  /** Aborted shortly before the invocation ends: pass it to `fetch` and to AWS clients. */
  readonly signal: AbortSignal;
  /**
   * Aborted later than `signal`, when nothing may leave any more. A handler that has finished is stored and published
   * until then.
   */
  readonly cutoff: AbortSignal;
  /** The argument of the handler: the record itself, until a stage replaces it by the task. See also `waitToSend`. */
  task: unknown;
  /** The value that the handler returned. */
  result: unknown;
  /** Whether the chain ends here, by `endChain()`. */
  endsChain: boolean;
  /** Set by a stage that handles an error itself: the record counts as done, and logs show the failure. */
  failure?: unknown;
  /** The parsed message, cached. Throws when the message is not JSON. */
  unwrap(): Unwrapped;
  /** The message attributes of the callback. Stages may add to them. */
  readonly outgoingAttributes: Record<string, string>;
  /** Numbers that stages report for the summary of the batch, by name. */
  readonly counts: Record<string, number>;
  /** Counts the runs of one message in this invocation, from 0: a loop may run parts of a message. */
  readonly part: number;
  /** Runs a check just before the handler. A check that throws fails the record; one that calls `skip` replaces the handler. */
  beforeHandler(check: (task: unknown) => void | Promise<void>): void;
  /**
   * Says that the stage does not call `next()` on purpose: the record is done, with this result, which may be `endChain()`. In a
   * check before the handler, the handler does not run.
   */
  skip(result?: unknown): void;
  /**
   * Says that the handler is done, and that the task only waits for its messages to leave. Under `queued` another task may
   * start meanwhile, so large values are dropped: `task` is again that of the message, and `result` is undefined.
   */
  waitToSend(): void;
  /**
   * Tells the observers of the task a fact about it, such as a stored result. Undefined without observers: then
   * `run.report?.({ … })` does not even make the fact.
   */
  report?: ((fact: TaskFact) => void) | undefined;
  /** Whether a failure is final, so that the message will not be tried again. A stage may replace it. */
  isFinal(error: unknown): boolean | Promise<boolean>;
}

/** The part of a middleware that runs around the handler, once per record. */
export interface Stage {
  readonly name: string;
  readonly order: StageOrder;
  /** Runs before and after `await next()`. An error that it throws fails this record alone. */
  around?: Around | undefined;
  /** See {@link StageOptions.passive}. */
  readonly passive?: boolean | undefined;
}

/** The work of a stage around the handler: `next` runs the stages inside and the handler. */
export type Around = (run: TaskRun, next: () => Promise<void>) => Promise<void> | void;

/** The positions of the stages, from the outermost to the innermost. */
export const stagePositions = [
  'observe',
  'policy',
  'log',
  'publish',
  'once',
  'extended',
  'states',
  'unwrap',
  'hydrate',
] as const;

/** The name of a position among the stages. */
export type StagePosition = (typeof stagePositions)[number];

/** Where a stage runs: outside or inside one of the positions. `at` is for the middlewares of this library. */
export type StageOrder =
  | { readonly before: StagePosition }
  | { readonly after: StagePosition }
  | { readonly at: StagePosition };

/** Whether an order names a position that exists. */
export function isStageOrder(order: unknown): order is StageOrder {
  const entries = Object.entries(Object(order));
  const [[key, position] = []] = entries;
  return (
    entries.length === 1 &&
    (key === 'before' || key === 'after' || key === 'at') &&
    (stagePositions as readonly unknown[]).includes(position)
  );
}

/** Sorts stages from outside in. Stages with the same order are sorted by name, so that `.use` has no influence. */
export function compareStages(a: Stage, b: Stage): number {
  return ranks(a.order) - ranks(b.order) || (a.name < b.name ? -1 : 1);
}

function ranks(order: StageOrder): number {
  if ('before' in order) return stagePositions.indexOf(order.before) * 3;
  if ('at' in order) return stagePositions.indexOf(order.at) * 3 + 1;
  return stagePositions.indexOf(order.after) * 3 + 2;
}

/** The values that tell one run from another. */
export interface RunParts {
  record: TaskRecord | undefined;
  context: LambdaContext;
  signal: AbortSignal;
  cutoff: AbortSignal;
  task: unknown;
  unwrap(): Unwrapped;
  part: number;
  /** Lets another task start. Returns false if too many tasks wait to send already. */
  freeLane?: (() => boolean) | undefined;
}

/** A run, and the checks and marks that stages have set on it. */
export interface OpenRun extends TaskRun {
  readonly checks: ((task: unknown) => void | Promise<void>)[];
  isSkipped: boolean;
  /** A stage called `next()` twice. */
  misuse: AlgernonError | undefined;
}

/** Makes the run of one task. Its functions need no `this`, so that stages may destructure it. */
export function openRun(parts: RunParts): OpenRun {
  const checks: OpenRun['checks'] = [];
  let unwrapped: Unwrapped | undefined;
  const run: OpenRun = {
    record: parts.record,
    context: parts.context,
    signal: parts.signal,
    cutoff: parts.cutoff,
    task: parts.task,
    result: undefined,
    endsChain: false,
    isSkipped: false,
    misuse: undefined,
    outgoingAttributes: {},
    counts: {},
    part: parts.part,
    checks,
    unwrap() {
      unwrapped ??= parts.unwrap();
      return unwrapped;
    },
    beforeHandler(check) {
      checks.push(check);
    },
    skip(result) {
      run.isSkipped = true;
      run.endsChain = result instanceof ChainEnd;
      run.result = result instanceof ChainEnd ? result.result : result;
    },
    waitToSend() {
      // A task in an extended payload stays in memory, for an error task.
      if (isLarge(unwrapped?.content) || !parts.freeLane?.()) return;
      if (unwrapped && isLarge(run.task)) run.task = unwrapped.content;
      if (isLarge(run.result)) run.result = undefined;
    },
    isFinal,
  };
  return run;
}

/** The run of a direct invocation, which has no record. */
export function openDirectRun(task: Task, context: LambdaContext, part: number): OpenRun {
  const never = new AbortController().signal;
  return openRun({
    record: undefined,
    context,
    signal: never,
    cutoff: never,
    task,
    unwrap: () => ({ content: task, attributes: {} }),
    part,
  });
}
