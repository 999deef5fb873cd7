import type { TaskFact } from '../chains/ChainEvent.ts';
import type { AlgernonError } from '../errors.ts';
import { FanOut } from '../groups/FanOutResult.ts';
import { isFinal } from '../isFinal.ts';
import { ChainEnd } from '../tasks/endChain.ts';
import type { Task } from '../tasks/task.ts';
import type { LambdaContext, TaskRecord } from './events.ts';
import { type Unwrapped, unwrap } from './unwrapTask.ts';

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
  readonly record: TaskRecord | undefined;
  readonly context: LambdaContext;
  readonly signal: AbortSignal;
  readonly cutoff: AbortSignal;
  readonly task: unknown;
  readonly part: number;
  /** The work of `waitToSend`. */
  readonly wait?: ((run: OpenRun) => void) | undefined;
  /** Lets another task start. Returns false if too many tasks wait to send already. */
  readonly freeLane?: (() => boolean) | undefined;
}

/** A check before the handler. */
export type Check = (task: unknown) => void | Promise<void>;

/**
 * A run, and what stages have set on it. Its public functions need no `this`, so that stages may destructure it. Each is made
 * when it is read, and so are the objects, since most runs need few of them.
 */
export class OpenRun implements TaskRun {
  readonly record: TaskRecord | undefined;
  readonly context: LambdaContext;
  readonly signal: AbortSignal;
  readonly cutoff: AbortSignal;
  readonly part: number;
  task: unknown;
  result: unknown = undefined;
  endsChain = false;
  failure: unknown = undefined;
  report: TaskRun['report'] = undefined;
  isFinal: TaskRun['isFinal'] = isFinal;
  isSkipped = false;
  /** A stage called `next()` twice. */
  misuse: AlgernonError | undefined = undefined;
  /** The checks before the handler, if any. */
  checks: Check[] | undefined = undefined;
  /** Undefined once the run has ended. */
  freeLane: RunParts['freeLane'];
  readonly #wait: RunParts['wait'];
  readonly #given: unknown;
  #unwrapped: Unwrapped | undefined = undefined;
  #attributes: Record<string, string> | undefined = undefined;
  #counts: Record<string, number> | undefined = undefined;

  constructor({ record, context, signal, cutoff, task, part, wait, freeLane }: RunParts) {
    this.record = record;
    this.context = context;
    this.signal = signal;
    this.cutoff = cutoff;
    this.part = part;
    this.task = task;
    this.freeLane = freeLane;
    this.#wait = wait;
    this.#given = task;
  }

  get unwrap(): TaskRun['unwrap'] {
    return () => {
      this.#unwrapped ??= this.record ? unwrap(this.record) : { content: this.#given, attributes: {} };
      return this.#unwrapped;
    };
  }

  get outgoingAttributes(): Record<string, string> {
    this.#attributes ??= {};
    return this.#attributes;
  }

  get counts(): Record<string, number> {
    this.#counts ??= {};
    return this.#counts;
  }

  get beforeHandler(): TaskRun['beforeHandler'] {
    return (check) => {
      this.checks ??= [];
      this.checks.push(check);
    };
  }

  get skip(): TaskRun['skip'] {
    return (result) => {
      this.isSkipped = true;
      this.take(result);
    };
  }

  get waitToSend(): TaskRun['waitToSend'] {
    return () => this.#wait?.(this);
  }

  /** Sets the result, and whether it ends the chain. */
  take(result: unknown): void {
    this.endsChain = result instanceof ChainEnd;
    this.result = result instanceof ChainEnd ? result.result : result;
  }

  /**
   * Takes a thrown value as the result: `endChain()` and `fanOut()` may be thrown from any depth.
   *
   * @returns false for any other value
   */
  takesThrown(thrown: unknown): boolean {
    if (!(thrown instanceof ChainEnd || thrown instanceof FanOut)) return false;
    this.take(thrown);
    return true;
  }

  /** Takes a thrown value as the result. Throws any other value. */
  takeThrown(thrown: unknown): void {
    if (!this.takesThrown(thrown)) throw thrown;
  }
}

/** The run of a direct invocation, which has no record. */
export function openDirectRun(task: Task, context: LambdaContext, part: number): OpenRun {
  const never = new AbortController().signal;
  return new OpenRun({ record: undefined, context, signal: never, cutoff: never, task, part });
}
