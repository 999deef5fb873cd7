import type { Message } from '@aws-sdk/client-sqs';
import { gatherBatch } from './gatherBatch.ts';
import { toLambdaRecord } from './lambdaRecord.ts';
import { pause } from './pause.ts';
import { type BatchWorker, processBatch } from './processBatch.ts';
import { splitBatch } from './splitBatch.ts';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * Reads a queue until it is told to stop, and works on its batches, up to `pollers` at once. Receives only when
 * there is room for a batch, so that nothing is taken that must wait. Resolves when the last batch is done.
 */
export async function pollQueue(worker: BatchWorker, stopping: AbortSignal): Promise<void> {
  const { settings, stats } = worker;
  const running = new Set<Promise<void>>();
  let retryMs = FIRST_RETRY_MS;
  while (!stopping.aborted) {
    if (running.size >= settings.pollers) {
      await Promise.race(running);
      continue;
    }
    let messages: Message[];
    try {
      messages = await gatherBatch(worker.calls, settings, stopping);
      retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (stopping.aborted) break;
      if (retryMs === FIRST_RETRY_MS) settings.onError(error);
      await pause(retryMs, stopping);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
      continue;
    }
    if (messages.length === 0) continue;
    stats.received += messages.length;
    stats.inFlight += messages.length;
    const work = workOn(worker, messages).finally(() => {
      stats.inFlight -= messages.length;
      running.delete(work);
    });
    running.add(work);
  }
  await Promise.all(running);
}

async function workOn(worker: BatchWorker, messages: readonly Message[]): Promise<void> {
  const records = messages.map((message) => toLambdaRecord(message, worker.queue.arn));
  for (const batch of splitBatch(records)) {
    await processBatch(worker, batch);
  }
}
