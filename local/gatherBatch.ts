import type { Message } from '@aws-sdk/client-sqs';
import { pause } from './pause.ts';
import { maxPerCall, type QueueCalls } from './queueCalls.ts';
import type { WorkerSettings } from './workerOptions.ts';

type GatherSettings = Pick<WorkerSettings, 'batchSize' | 'batchWindowSeconds' | 'waitTimeSeconds'>;

// An aborted poll may still receive a message, so short polls are not aborted.
const maxUninterruptedPollSeconds = 2;

/**
 * Waits for messages and gathers a batch. Without a batch window it is the result of one receive. With a window, it takes
 * all messages until the batch is full or the window ends, counted from the first message. Empty if none arrived in time.
 */
export async function gatherBatch(
  calls: Pick<QueueCalls, 'receive'>,
  { batchSize, batchWindowSeconds, waitTimeSeconds }: GatherSettings,
  stopping: AbortSignal,
): Promise<Message[]> {
  const cutOff = waitTimeSeconds > maxUninterruptedPollSeconds ? { signal: stopping } : {};
  const messages = await calls.receive(batchSize, waitTimeSeconds, cutOff);
  if (messages.length === 0 || batchWindowSeconds === 0) return messages;

  const end = performance.now() + batchWindowSeconds * 1000;
  while (messages.length < batchSize && !stopping.aborted) {
    const left = end - performance.now();
    // SQS waits in whole seconds, so the end of a window is a pause and a receive without waiting.
    const waitSeconds = Math.max(0, Math.min(waitTimeSeconds, Math.floor(left / 1000)));
    let more: Message[];
    try {
      more = await calls.receive(batchSize - messages.length, waitSeconds, cutOff);
    } catch {
      // The messages received so far must be processed. The next poll reports the fault.
      break;
    }
    messages.push(...more);
    if (waitSeconds > 0 || more.length === maxPerCall) continue;
    if (left <= 0) break;
    await pause(left, stopping);
  }
  return messages;
}
