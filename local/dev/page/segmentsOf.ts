import type { AttemptState, ChainState, TaskState } from '../../../core/chains/ChainState.ts';

/**
 * A part of the time of a task:
 * - `delay`: its sender asked for a delay;
 * - `queue`: it waits in its queue;
 * - `load`: its message is parsed and its pointers are read;
 * - `run`, `failed`, `lost`: the handler runs, until it returns, fails, or its process ends;
 * - `store`, `publish`: its result is stored, and its callbacks are sent;
 * - `backoff`: it has failed and comes back.
 */
export type SegmentKind =
  | 'delay'
  | 'queue'
  | 'load'
  | 'run'
  | 'failed'
  | 'lost'
  | 'store'
  | 'publish'
  | 'backoff';

export interface Segment {
  kind: SegmentKind;
  /** In milliseconds since 1970. */
  from: number;
  to: number;
}

/** The parts of a task's time, in order. Those that last to this moment grow. */
export function segmentsOf(task: TaskState, now: number): Segment[] {
  const { sentAt, dueAt, attempts, status } = task;
  const segments: Segment[] = [];
  const add = (kind: SegmentKind, from: number, to: number) => {
    if (to > from || kind === 'failed') segments.push({ kind, from, to });
  };
  if (sentAt !== undefined && dueAt !== undefined) add('delay', sentAt, dueAt);
  attempts.forEach((attempt, index) => {
    addAttempt(add, attempt, attempts[index + 1], now);
  });
  const last = attempts.at(-1);
  if (!last) {
    const readyAt = dueAt ?? sentAt ?? task.since;
    if (status === 'waiting') add('queue', readyAt, now);
  } else if (status === 'retrying' && last.endedAt !== undefined) {
    if (!last.retry) add('backoff', last.endedAt, now);
    else add('queue', last.retry.dueAt, now);
  }
  return segments;
}

type Add = (kind: SegmentKind, from: number, to: number) => void;

function addAttempt(add: Add, attempt: AttemptState, next: AttemptState | undefined, now: number): void {
  const { outcome, receivedAt, startedAt, endedAt, queueMillis, runMillis, storeMillis, publishMillis } =
    attempt;
  const start = startedAt ?? receivedAt ?? endedAt ?? now;
  if (receivedAt !== undefined) {
    add('queue', receivedAt - (queueMillis ?? 0), receivedAt);
    add('load', receivedAt, start);
  }
  const nextAt = next?.receivedAt ?? next?.startedAt;
  if (outcome === 'running') add('run', start, now);
  else if (outcome === 'lost') add('lost', start, Math.max(start, nextAt ?? start));
  else {
    const end = Math.max(start, endedAt ?? start);
    const storeEnd = Math.max(start, end - (publishMillis ?? 0));
    const runEnd =
      runMillis === undefined
        ? Math.max(start, storeEnd - (storeMillis ?? 0))
        : Math.min(end, start + runMillis);
    add(outcome === 'failed' ? 'failed' : 'run', start, runEnd);
    if (storeMillis) add('store', runEnd, Math.min(end, runEnd + storeMillis));
    if (publishMillis) add('publish', storeEnd, end);
    if (attempt.retry) add('backoff', end, Math.min(attempt.retry.dueAt, nextAt ?? Number.POSITIVE_INFINITY));
  }
}

/** The time that a waterfall spans. It includes the next retry of an open chain. */
export function spanOf({ startedAt, updatedAt, status, tasks }: ChainState, now: number): [number, number] {
  let end = updatedAt;
  if (status === 'open') {
    end = Math.max(end, now);
    for (const { status, dueAt, attempts } of tasks) {
      if (status === 'retrying') end = Math.max(end, attempts.at(-1)?.retry?.dueAt ?? end);
      if (status === 'waiting') end = Math.max(end, dueAt ?? end);
    }
  }
  return [startedAt, Math.max(end, startedAt + 1)];
}

/** Moments of an axis: round durations since its start. */
export function ticksOf(span: number, most: number): number[] {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks = [];
  for (let at = 0; at <= span * 0.97; at += step) ticks.push(at);
  return ticks;
}
