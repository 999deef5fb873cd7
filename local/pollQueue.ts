import type { Message } from '@aws-sdk/client-sqs';
import { maxAttributes } from '../middlewares/aws/snsMessage.ts';
import { gatherBatch } from './gatherBatch.ts';
import { toLambdaRecord } from './lambdaRecord.ts';
import { pause } from './pause.ts';
import { type BatchWorker, processBatch } from './processBatch.ts';
import { splitBatch } from './splitBatch.ts';

const firstRetryMs = 100;
const maxRetryMs = 5000;

/**
 * Polls a queue until the signal aborts, and processes up to `pollers` batches at once. It receives only when a batch can
 * be processed, so that no message is hidden while it waits. Resolves when the last batch is done.
 */
export async function pollQueue(worker: BatchWorker, stopping: AbortSignal): Promise<void> {
  const { settings } = worker;
  const running = new Set<Promise<void>>();
  let retryMs = firstRetryMs;
  while (!stopping.aborted) {
    if (running.size >= settings.pollers) {
      await Promise.race(running);
      continue;
    }
    let messages: Message[];
    try {
      messages = await dropUndeliverable(worker, await gatherBatch(worker.calls, settings, stopping));
      retryMs = firstRetryMs;
    } catch (error) {
      if (stopping.aborted) break;
      if (retryMs === firstRetryMs) settings.onError(error);
      await pause(retryMs, stopping);
      retryMs = Math.min(maxRetryMs, retryMs * 2);
      continue;
    }
    if (messages.length > 0) startMessages(worker, messages, running);
  }
  await Promise.all(running);
}

/**
 * Removes messages with more than ten attributes. They come from raw message delivery: on AWS, SNS
 * discards them, but fauxqs delivers them.
 */
export async function dropUndeliverable(
  { calls, queue, settings }: BatchWorker,
  messages: readonly Message[],
): Promise<Message[]> {
  const isDeliverable = ({ MessageAttributes = {} }: Message) =>
    Object.keys(MessageAttributes).length <= maxAttributes;
  const dropped = messages.filter((message) => !isDeliverable(message));
  if (dropped.length === 0) return [...messages];
  await calls.remove(dropped.map(({ ReceiptHandle }) => ReceiptHandle ?? ''));
  for (const { MessageId } of dropped) {
    settings.onError(
      new Error(
        `Discarded message ${MessageId} of ${queue.task}, as SNS does: with raw message delivery, a message has at most ` +
          `${maxAttributes} attributes.`,
      ),
    );
  }
  return messages.filter(isDeliverable);
}

/** Starts to process received messages. The work is in `running` until it is done. */
export function startMessages(
  worker: BatchWorker,
  messages: readonly Message[],
  running: Set<Promise<void>>,
): void {
  const { stats } = worker;
  stats.received += messages.length;
  stats.inFlight += messages.length;
  const work = processMessages(worker, messages).finally(() => {
    stats.inFlight -= messages.length;
    running.delete(work);
  });
  running.add(work);
}

/** Processes messages in as many batches as Lambda's limit requires. */
async function processMessages(worker: BatchWorker, messages: readonly Message[]): Promise<void> {
  const records = messages.map((message) => toLambdaRecord(message, worker.queue.arn));
  for (const batch of splitBatch(records)) {
    await processBatch(worker, batch);
  }
}
