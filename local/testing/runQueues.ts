import { AlgernonError } from '../../core/errors.ts';
import { startTimer } from '../../middlewares/timing/startTimer.ts';
import type { BatchWorker } from '../processBatch.ts';
import type { ServerControl } from '../serverControl.ts';
import { queueDrain } from './queueDrain.ts';
import { virtualClock } from './virtualClock.ts';

/** The queues of a test worker, at work. */
export interface RunningQueues {
  /** Resolves when all queues are empty. Time passes only here, and without waiting. */
  idle(timeoutSeconds: number): Promise<void>;
  /** Resolves when the running batches are done. */
  stop(): Promise<void>;
}

/** Takes messages as soon as they come. Messages that are hidden or delayed wait for `idle`. */
export function runQueues(workers: readonly BatchWorker[], control: ServerControl): RunningQueues {
  const stopping = new AbortController();
  const drains = workers.map((worker) => queueDrain(worker, stopping.signal));
  const advance = virtualClock(
    workers.map(({ queue, calls }) => ({
      inspect: () => control.inspect(queue.url.split('/').at(-1) ?? ''),
      show: (handles) => calls.hide(handles, 0),
    })),
  );
  const inFlight = () => workers.reduce((sum, { stats }) => Math.max(sum, stats.inFlight), 0);
  const received = () => workers.reduce((sum, { stats }) => Math.max(sum, stats.received), 0);
  const kick = () => {
    for (const drain of drains) drain.kick();
  };
  control.listeners.add(kick);

  const untilIdle = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      if (stopping.signal.aborted) throw notIdle('The worker was stopped before it was idle.');
      const before = received();
      const wasBusy = inFlight() > 0;
      await Promise.all(drains.map(({ drain }) => drain()));
      // A batch that ran meanwhile may have sent a message to a queue that was empty before.
      if (wasBusy || received() !== before) continue;
      if (!(await advance())) return;
    }
  };

  return {
    async idle(timeoutSeconds) {
      let isOver = false;
      let stopTimer = () => {};
      const timeOut = new Promise<never>((_, reject) => {
        stopTimer = startTimer(timeoutSeconds * 1000, () => {
          isOver = true;
          const running = `${inFlight()} messages are in progress`;
          reject(notIdle(`The worker was not idle after ${timeoutSeconds} s: ${running}.`));
        });
      });
      try {
        await Promise.race([untilIdle(() => isOver), timeOut]);
      } finally {
        stopTimer();
      }
    },
    async stop() {
      control.listeners.delete(kick);
      stopping.abort();
      await Promise.all(drains.map(({ drain }) => drain()));
    },
  };
}

function notIdle(message: string): AlgernonError {
  return new AlgernonError('WORKER_NOT_IDLE', message);
}
