import type { Message } from '@aws-sdk/client-sqs';
import type { SqsRecord } from '../core/batch/events.ts';
import { unwrap } from '../core/batch/unwrapTask.ts';
import { chainIdOf } from '../core/tasks/chainId.ts';
import { isTask } from '../core/tasks/task.ts';
import { toLambdaRecord } from './lambdaRecord.ts';
import type { QueueCalls } from './queueCalls.ts';

/** A queue, and the calls to it. */
export interface OpenQueue {
  readonly url: string;
  readonly arn: string;
  readonly calls: QueueCalls;
}

/** A message and its task. */
export interface FoundMessage {
  readonly record: SqsRecord;
  readonly handle: string;
  /** The id that SNS gave the message. */
  readonly snsId: string;
  readonly taskName: string | undefined;
  /** The parsed content; undefined when it is not JSON. */
  readonly content: unknown;
  readonly chainId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReadOptions {
  /** The most messages to read. */
  readonly limit: number;
  /** How long the messages are hidden from others meanwhile, in seconds. */
  readonly hiddenSeconds: number;
  /** The ids to look for. Reading stops when all are found. */
  readonly ids?: readonly string[];
}

/**
 * Receives the messages of a queue. They are hidden from others until `release`, or for `hiddenSeconds`.
 *
 * @returns the messages, and a function that shows those of them again that are still in the queue
 */
export async function readMessages(
  { calls, arn }: OpenQueue,
  { limit, hiddenSeconds, ids }: ReadOptions,
): Promise<{ messages: FoundMessage[]; release(): Promise<void> }> {
  const found = new Map<string, Message>();
  // SQS ignores those that were deleted.
  const release = () => {
    const handles = [...found.values()].map(({ ReceiptHandle = '' }) => ReceiptHandle);
    return calls.hide(handles, 0);
  };
  const missing = new Set(ids);
  try {
    while (found.size < limit && (ids === undefined || missing.size > 0)) {
      const received = await calls.receive(limit - found.size, await waitSeconds(calls), {
        visibilityTimeout: hiddenSeconds,
      });
      if (received.length === 0) break;
      for (const message of received) {
        found.set(message.MessageId ?? '', message);
        missing.delete(message.MessageId ?? '');
      }
    }
  } catch (error) {
    await release().catch(() => {});
    throw error;
  }
  const messages = [...found.values()].map((message) => openMessage(toLambdaRecord(message, arn)));
  return { messages, release };
}

/** A poll that does not wait asks only some servers of SQS, and may find nothing. */
async function waitSeconds(calls: QueueCalls): Promise<number> {
  const { waiting } = await calls.count();
  return waiting > 0 ? 1 : 0;
}

/** Parses a message as far as it can be. */
export function openMessage(record: SqsRecord): FoundMessage {
  const own = Object.entries(record.messageAttributes).map(([name, { stringValue = '' }]) => [
    name,
    stringValue,
  ]);
  const handle = record.receiptHandle;
  try {
    const { content, attributes, notification } = unwrap(record);
    const snsId = notification?.messageId ?? record.messageId;
    return {
      record,
      handle,
      snsId,
      content,
      taskName: isTask(content) ? content.task_name : undefined,
      chainId: chainIdOf(attributes, snsId),
      attributes: { ...attributes, ...Object.fromEntries(own) },
    };
  } catch {
    const attributes = Object.fromEntries(own);
    const { messageId } = record;
    const unknown = { content: undefined, taskName: undefined };
    return { record, handle, snsId: messageId, ...unknown, chainId: messageId, attributes };
  }
}
