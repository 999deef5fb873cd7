import { dropUndeliverable, startMessages } from '../pollQueue.ts';
import type { BatchWorker } from '../processBatch.ts';

/** Takes the messages of a queue and invokes the handler with them. */
export interface QueueDrain {
  /** Starts to work, since messages may have come. */
  kick(): void;
  /** Works until the queue is empty and each batch is done. */
  drain(): Promise<void>;
}

/** Works on up to `pollers` batches of a queue at once, and on a message as soon as it comes. */
export function queueDrain(worker: BatchWorker, stopping: AbortSignal): QueueDrain {
  const { calls, settings } = worker;
  const running = new Set<Promise<void>>();
  let isDue = false;
  let woken = Promise.withResolvers<void>();
  let draining: Promise<void> | undefined;

  const takeBatch = async (): Promise<boolean> => {
    const messages = await dropUndeliverable(worker, await calls.receive(settings.batchSize, 0));
    if (messages.length === 0) return false;
    startMessages(worker, messages, running);
    return true;
  };

  const drainNow = async () => {
    try {
      while ((isDue || running.size > 0) && !stopping.aborted) {
        isDue = false;
        let isEmpty = false;
        while (!isEmpty && running.size < settings.pollers) isEmpty = !(await takeBatch());
        if (!isEmpty) {
          isDue = true;
          await Promise.race(running);
        } else if (running.size > 0 && !isDue) {
          // A message that comes while a batch runs need not wait for it.
          await Promise.race([...running, woken.promise]);
        }
      }
    } catch (error) {
      if (!stopping.aborted) settings.onError(error);
    }
    if (running.size > 0) await Promise.all(running);
    draining = undefined;
  };

  const kick = () => {
    isDue = true;
    woken.resolve();
    woken = Promise.withResolvers();
    draining ??= drainNow();
  };
  return {
    kick,
    async drain() {
      kick();
      await draining;
    },
  };
}
