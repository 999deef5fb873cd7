import { AlgernonError } from '../errors.ts';
import type { LambdaContext } from './events.ts';

/** The end of an invocation, as its tasks see it. */
export interface Deadline {
  /** Aborted when the reserve begins: handlers stop, nothing is started. */
  readonly signal: AbortSignal;
  /** Aborted when most of the reserve is used: nothing leaves any more. */
  readonly cutoff: AbortSignal;
  /** Asks the clock, since a timer does not fire while a task computes. */
  isOver(): boolean;
  /** Ends the tasks now, and lets nothing leave: the answer is given already. */
  close(): void;
  /** Gives up the timers. */
  clear(): void;
}

/** How much of the reserve is kept for the answer. The rest is for publishing, and for closing spans and resources. */
const answerShare = 0.4;

/**
 * Watches the time of an invocation.
 *
 * @param reserveMillis how long before the function's time-out the tasks end
 * @param stop the signal of the caller, such as Middy's
 */
export function startDeadline(
  context: Pick<LambdaContext, 'getRemainingTimeInMillis'> | undefined,
  reserveMillis: number,
  stop?: AbortSignal,
): Deadline {
  const tasks = new AbortController();
  const leaving = new AbortController();
  const remaining = () => context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
  let cutoffTimer: ReturnType<typeof setTimeout> | undefined;
  let isAborted = false;
  let isCleared = false;

  const cut = () => leaving.abort();
  const abort = () => {
    if (isAborted) return;
    isAborted = true;
    tasks.abort();
    const left = remaining() - reserveMillis * answerShare;
    // A task that nothing waits for any more must not keep the process alive.
    if (left <= 0 || isCleared) cut();
    else if (!leaving.signal.aborted) cutoffTimer = setTimeout(cut, timerMillis(left));
  };
  const close = () => {
    leaving.abort();
    abort();
  };

  const first = remaining();
  const timer = Number.isFinite(first) ? setTimeout(abort, timerMillis(first - reserveMillis)) : undefined;
  if (first <= reserveMillis) abort();
  if (stop?.aborted) close();
  stop?.addEventListener('abort', close, { once: true });

  return {
    signal: tasks.signal,
    cutoff: leaving.signal,
    isOver() {
      if (!isAborted && remaining() <= reserveMillis) abort();
      return isAborted;
    },
    close,
    clear() {
      isCleared = true;
      clearTimeout(timer);
      clearTimeout(cutoffTimer);
      stop?.removeEventListener('abort', close);
    },
  };
}

/** Resolves when a signal is aborted; never, without a signal. */
export function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

type Reject = (error: DeadlineError) => void;
const waitingKey = Symbol('algernon-middy.waiting');

/** Takes the outcome of work. */
export interface Taker<T> {
  take(value: T): void;
  /** Throws the error, or takes it as a value. */
  takeThrown(error: unknown): void;
}

/**
 * Waits for work, but not longer than the signal allows; after that nothing is taken. Settled work is forgotten at once: in a
 * race with a shared promise, each result would stay in memory until the batch ends.
 */
export function untilAborted<T>(signal: AbortSignal, work: PromiseLike<T>, taker: Taker<T>): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = waitingUnder(signal);
    waiting.add(reject);
    work.then(
      (value) => {
        if (!waiting.delete(reject)) return;
        taker.take(value);
        resolve();
      },
      (error) => {
        if (!waiting.delete(reject)) return;
        try {
          taker.takeThrown(error);
          resolve();
        } catch (thrown) {
          reject(thrown);
        }
      },
    );
    if (signal.aborted) void rejectSoon(waiting, [reject]);
  });
}

/** Rejects what still waits after a turn: work that has settled by now is not cut off. */
async function rejectSoon(waiting: Set<Reject>, late: Iterable<Reject>): Promise<void> {
  await undefined;
  for (const reject of late) if (waiting.delete(reject)) reject(new DeadlineError());
}

/**
 * One listener serves all work of a signal: adding and removing one takes longer than the rest of a run. Kept on the signal:
 * the entry of a WeakMap, and all it refers to, would stay in memory until a full collection.
 */
function waitingUnder(signal: AbortSignal & { [waitingKey]?: Set<Reject> }): Set<Reject> {
  const existing = signal[waitingKey];
  if (existing) return existing;
  const waiting = new Set<Reject>();
  signal.addEventListener('abort', () => void rejectSoon(waiting, waiting), { once: true });
  signal[waitingKey] = waiting;
  return waiting;
}

/** Waits for work that the signal stops. Its error is then the deadline's, and not the one of an aborted call. */
export async function stoppedBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? new DeadlineError() : error;
  }
}

/** The invocation ends before a task is done: `DEADLINE` when it was running, `NOT_STARTED` when it was not. */
export class DeadlineError extends AlgernonError {
  override readonly name = 'DeadlineError';

  constructor(code: 'DEADLINE' | 'NOT_STARTED' = 'DEADLINE', reason?: string) {
    super(
      code,
      reason ??
        (code === 'DEADLINE'
          ? 'The invocation ends before this task is done; its message comes back.'
          : 'The invocation ends before this task could start; its message comes back.'),
      { retryable: true },
    );
  }
}

/** The longest delay of a timer, in milliseconds: a longer one fires at once. */
const longestDelay = 2_147_483_647;

function timerMillis(millis: number): number {
  return Math.min(Math.max(0, millis), longestDelay);
}
