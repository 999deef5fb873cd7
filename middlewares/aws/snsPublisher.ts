import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishBatchCommandOutput, PublishBatchRequestEntry, SNSClient } from '@aws-sdk/client-sns';
import type { TaskMessage, TaskPublisher } from '../../core/tasks/taskPublisher.ts';
import { captureClient } from '../tracing/carrying.ts';
import { isFinalFault } from './isFinalFault.ts';
import { loadSns } from './loadSns.ts';
import { PublishError } from './PublishError.ts';
import { entryOf } from './snsMessage.ts';

export interface SnsPublisherOptions {
  /** Default: a client that is made on first use and shared. */
  sns?: SNSClient | undefined;
  /** The limit of a topic for one message and for one batch, in bytes. Default 262,144. */
  maxMessageBytes?: number | undefined;
}

/** The SNS id of a message, or its error. */
export type Outcome = { readonly messageId: string | undefined } | { readonly error: Error };

export interface SnsPublisher extends TaskPublisher {
  /** Sends messages like `publish`, and returns the ids of those that were sent. */
  send(messages: readonly TaskMessage[], signal?: AbortSignal): Promise<Outcome[]>;
}

/** The limit of SNS for one PublishBatch. */
const maxEntries = 10;

/** The maximum number of concurrent calls of one `send`. */
const maxCalls = 16;

/** The delays before throttled entries are sent again, in milliseconds. Half of each delay is random. */
const retryMillis = [100, 200, 400, 800];

/**
 * Sends messages to SNS topics, up to ten in a call. Throttled entries of an accepted batch are sent again up to four
 * times. The SDK retries calls that fail as a whole.
 */
export function snsPublisher({ sns, maxMessageBytes = 262_144 }: SnsPublisherOptions = {}): SnsPublisher {
  const send: SnsPublisher['send'] = async (messages, signal) => {
    const outcomes: Outcome[] = [];
    const lines = batchesOf(messages, maxMessageBytes, outcomes);
    let next = 0;
    const sendLines = async () => {
      for (let line = lines[next++]; line; line = lines[next++]) {
        for (const batch of line) await sendBatch(sns, batch, outcomes, signal);
      }
    };
    await Promise.all(lines.slice(0, maxCalls).map(sendLines));
    return outcomes;
  };

  return {
    send,
    async publish(messages, signal) {
      const outcomes = await send(messages, signal);
      return outcomes.map((outcome) => ('error' in outcome ? outcome.error : undefined));
    },
  };
}

interface Batch {
  readonly topicArn: string;
  readonly entries: PublishBatchRequestEntry[];
  bytes: number;
}

/**
 * Divides messages into batches. Each item of the result is a line of batches that are sent in sequence: all batches of
 * a FIFO topic, or a single batch of a standard topic.
 */
function batchesOf(messages: readonly TaskMessage[], maxBytes: number, outcomes: Outcome[]): Batch[][] {
  const lines: Batch[][] = [];
  const lineOf = new Map<string, Batch[]>();
  messages.forEach((message, index) => {
    const { topicArn } = message;
    try {
      const { entry, bytes } = entryOf(message, String(index), maxBytes);
      let line = lineOf.get(topicArn);
      let batch = line?.at(-1);
      if (!batch || batch.entries.length === maxEntries || batch.bytes + bytes > maxBytes) {
        batch = { topicArn, entries: [], bytes: 0 };
        if (line && topicArn.endsWith('.fifo')) line.push(batch);
        else {
          line = [batch];
          lines.push(line);
          lineOf.set(topicArn, line);
        }
      }
      batch.bytes += bytes;
      batch.entries.push(entry);
    } catch (error) {
      outcomes[index] = { error: error as Error };
    }
  });
  return lines;
}

async function sendBatch(
  sns: SNSClient | undefined,
  { topicArn, entries, bytes }: Batch,
  outcomes: Outcome[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const fail = (id: string | undefined, cause: unknown, retryable: boolean) => {
    outcomes[Number(id)] = { error: publishError(topicArn, cause, retryable) };
  };
  let left = entries;
  for (let attempt = 0; ; attempt += 1) {
    let answer: PublishBatchCommandOutput;
    try {
      answer = await call(sns, topicArn, left, signal);
    } catch (error) {
      const final = isFinalFault(error);
      if (!final || left.length === 1) for (const { Id } of left) fail(Id, error, !final);
      // SNS may refuse the call because of one message, which must not fail the others.
      else
        for (const entry of left)
          await sendBatch(sns, { topicArn, entries: [entry], bytes }, outcomes, signal);
      return;
    }
    const unanswered = new Map(left.map((entry) => [entry.Id, entry]));
    const throttled: PublishBatchRequestEntry[] = [];
    for (const { Id, MessageId } of answer.Successful ?? []) {
      unanswered.delete(Id);
      outcomes[Number(Id)] = { messageId: MessageId };
    }
    for (const { Id, Code = '', Message, SenderFault } of answer.Failed ?? []) {
      const entry = unanswered.get(Id);
      unanswered.delete(Id);
      const final = isFinalFault({ name: Code, $metadata: { httpStatusCode: SenderFault ? 400 : 500 } });
      fail(Id, new Error(`${Code}: ${Message}`), !final);
      if (!final && entry) throttled.push(entry);
    }
    for (const id of unanswered.keys())
      fail(id, new Error('the response of SNS does not list the message'), true);
    if (throttled.length === 0 || !(await waitToRetry(attempt, signal))) return;
    left = throttled;
  }
}

async function call(
  sns: SNSClient | undefined,
  topicArn: string,
  entries: PublishBatchRequestEntry[],
  signal: AbortSignal | undefined,
): Promise<PublishBatchCommandOutput> {
  const { sdk, client } = await loadSns(sns);
  const command = new sdk.PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries: entries });
  return captureClient(client).send(command, signal && { abortSignal: signal });
}

/** Waits before the next attempt. Returns false after the last attempt, or when the signal is aborted. */
async function waitToRetry(attempt: number, signal: AbortSignal | undefined): Promise<boolean> {
  const millis = retryMillis[attempt];
  if (millis === undefined) return false;
  try {
    await sleep(millis * (0.5 + Math.random() / 2), undefined, signal && { signal });
    return true;
  } catch {
    return false;
  }
}

function publishError(topicArn: string, cause: unknown, retryable: boolean): PublishError {
  return new PublishError('PUBLISH_FAILED', `${topicArn} did not accept the message: ${String(cause)}`, {
    cause,
    retryable,
  });
}
