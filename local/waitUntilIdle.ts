import { AlgernonError } from '../core/errors.ts';
import type { WorkerStats } from './invocationReport.ts';
import { pause } from './pause.ts';
import type { QueueCalls, QueueCount } from './queueCalls.ts';

const firstPauseMs = 5;
const maxPauseMs = 200;

/**
 * Resolves when no message is waiting, hidden or delayed in any of the queues. Pass the queues in the order of the chain.
 *
 * @throws AlgernonError `WORKER_NOT_IDLE` when the time is up or the signal aborts first
 */
export async function waitUntilIdle(
  queues: ReadonlyMap<string, QueueCalls>,
  stats: WorkerStats,
  stopping: AbortSignal,
  timeoutSeconds: number,
): Promise<void> {
  const end = performance.now() + timeoutSeconds * 1000;
  let left = new Map<string, QueueCount>();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 1.5)) {
    if (stopping.aborted) throw notIdle('The worker was stopped before it was idle.');
    const received = stats.received;
    if (stats.inFlight === 0) {
      left = await countLeft([...queues]);
      // One pass can miss a message that moves to another queue between two counts. Two passes in opposite directions
      // and the number of received messages cannot.
      if (left.size === 0) left = await countLeft([...queues].reverse());
      if (left.size === 0 && stats.received === received) return;
    }
    if (stats.received !== received) pauseMs = firstPauseMs;
    if (performance.now() > end) throw notIdle(describe(left, stats, timeoutSeconds));
    await pause(Math.min(pauseMs, end - performance.now()), stopping);
  }
}

function notIdle(message: string): AlgernonError {
  return new AlgernonError('WORKER_NOT_IDLE', message);
}

async function countLeft(queues: readonly [string, QueueCalls][]): Promise<Map<string, QueueCount>> {
  const left = new Map<string, QueueCount>();
  for (const [task, calls] of queues) {
    const count = await calls.count();
    if (count.waiting + count.hidden + count.delayed > 0) left.set(task, count);
  }
  return left;
}

function describe(left: ReadonlyMap<string, QueueCount>, { inFlight }: WorkerStats, seconds: number): string {
  const queues = [...left].map(
    ([task, { waiting, hidden, delayed }]) =>
      `${task}: ${waiting} waiting, ${hidden} hidden, ${delayed} delayed`,
  );
  return `The worker was not idle after ${seconds} s: ${inFlight} messages in progress; ${queues.join('; ')}`;
}
