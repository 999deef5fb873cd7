import type { BatchResultErrorEntry, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import { AlgernonError } from '../../core/errors.ts';
import { gatherCalls } from './gatherCalls.ts';
import { isFinalFault } from './isFinalFault.ts';
import { loadSqs } from './loadSqs.ts';
import type { AwsClient } from './optionChecks.ts';
import { remember } from './remember.ts';

/** A message attribute, as the API of SQS has it. */
export interface QueueAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: Uint8Array;
}

/** A message for a queue. */
export interface QueueMessage {
  body: string;
  attributes: Record<string, QueueAttribute>;
  /** The message group. Default: none on a standard queue, a new one on a FIFO queue. */
  groupId?: string | undefined;
  /** For a FIFO queue. */
  deduplicationId: string;
  traceHeader?: string | undefined;
  /** How long the message stays hidden, in seconds; 0 to 900, and only on a standard queue. */
  delaySeconds?: number | undefined;
}

/** The dead-letter queue of a queue, and the number of receives before it. */
export interface RedrivePolicy {
  readonly deadLetterUrl: string;
  readonly maxReceiveCount: number;
}

/** Calls to queues, which are identified by ARN, since a record has no URL. */
export interface SqsQueues {
  /** Hides messages for a number of seconds from now. */
  hide(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
  /**
   * The redrive policy of a queue; undefined when it has none.
   *
   * @throws AlgernonError `REDRIVE_POLICY_UNREADABLE` when it cannot be read, such as for lack of permission
   */
  redrivePolicy(queueArn: string): Promise<RedrivePolicy | undefined>;
  send(url: string, message: QueueMessage): Promise<void>;
  /** The URL of a queue. Asked for once per queue. */
  urlOf(queueArn: string): Promise<string>;
}

/** The limits of SQS for one call. */
const maxEntries = 10;
const maxBatchBytes = 262_144;

/** How long a call waits for others to join it, in milliseconds. */
const lingerMillis = 10;

/** How long a redrive policy, or the lack of permission to read it, is cached, in seconds. */
const policySeconds = 300;

/** Makes the calls, ten messages at a time. */
export function sqsQueues(given: AwsClient | undefined): SqsQueues {
  const rememberedUrl = remember(
    async (arn) => {
      const [, , , , account, name] = String(arn).split(':');
      if (!name) throw new Error(`${arn} is not the ARN of a queue`);
      const { sdk, client } = await loadSqs(given);
      const command = new sdk.GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account });
      return (await client.send(command)).QueueUrl;
    },
    { maxAgeSeconds: Number.POSITIVE_INFINITY },
  );
  const urlOf = async (arn: string) => String(await rememberedUrl(arn));

  const readPolicy = async (queueArn: string): Promise<RedrivePolicy | AlgernonError | undefined> => {
    try {
      const { sdk, client } = await loadSqs(given);
      const command = new sdk.GetQueueAttributesCommand({
        QueueUrl: await urlOf(queueArn),
        AttributeNames: ['RedrivePolicy'],
      });
      const { Attributes } = await client.send(command);
      const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(Attributes?.RedrivePolicy ?? '{}');
      const deadLetterUrl =
        typeof deadLetterTargetArn === 'string' ? await urlOf(deadLetterTargetArn) : undefined;
      // SQS returns the number as it was set: a number or a string.
      return deadLetterUrl === undefined
        ? undefined
        : { deadLetterUrl, maxReceiveCount: Number(maxReceiveCount) };
    } catch (error) {
      if (isFinalFault(error)) return unreadablePolicy(queueArn, error);
      throw error;
    }
  };
  // Lack of permission is cached too, so that not every record asks again.
  const rememberedPolicy = remember(readPolicy, { maxAgeSeconds: policySeconds });
  const redrivePolicy = async (queueArn: string) => {
    const policy = await rememberedPolicy(queueArn);
    if (policy instanceof AlgernonError) throw policy;
    return policy;
  };

  const hideGathered = gatherCalls<{ handle: string; seconds: number }>({
    maxItems: maxEntries,
    lingerMillis,
    async call(queueArn, items) {
      const { sdk, client } = await loadSqs(given);
      const Entries = items.map(({ handle, seconds }, index) => ({
        Id: String(index),
        ReceiptHandle: handle,
        VisibilityTimeout: seconds,
      }));
      const QueueUrl = await urlOf(queueArn);
      const command = new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries });
      return errorsOf(items.length, await client.send(command));
    },
  });

  const sendEntries = async (url: string, entries: SendMessageBatchRequestEntry[]) => {
    const { sdk, client } = await loadSqs(given);
    return client.send(new sdk.SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
  };
  const sendGathered = gatherCalls<QueueMessage>({
    maxItems: maxEntries,
    maxBytes: maxBatchBytes,
    bytesOf,
    lingerMillis,
    async call(url, messages) {
      const entries = messages.map((message, index) => entryOf(url, message, String(index)));
      try {
        return errorsOf(entries.length, await sendEntries(url, entries));
      } catch (error) {
        if (!isFinalFault(error) || entries.length === 1) throw error;
        // SQS may refuse the call because of one message, which must not fail the others.
        const sent = entries.map(async (entry) => {
          const [failure] = errorsOf(1, await sendEntries(url, [{ ...entry, Id: '0' }]));
          if (failure) throw failure;
        });
        const outcomes = await Promise.allSettled(sent);
        return outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
      }
    },
  });

  return {
    async hide(queueArn, receiptHandles, seconds) {
      const hidden = receiptHandles.map((handle) => hideGathered(queueArn, { handle, seconds }));
      const outcomes = await Promise.allSettled(hidden);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
    redrivePolicy,
    send: sendGathered,
    urlOf,
  };
}

/** The failures in a response, for entries with the ids 0, 1, 2 and so on. */
function errorsOf(entries: number, answer: Answer): (Error | undefined)[] {
  const errors: (Error | undefined)[] = Array.from({ length: entries });
  for (const { Id, Code, Message, SenderFault } of answer.Failed ?? []) {
    errors[Number(Id)] = Object.assign(new Error(`${Code}: ${Message}`), {
      name: String(Code),
      $metadata: { httpStatusCode: SenderFault ? 400 : 500 },
    });
  }
  return errors;
}

interface Answer {
  Failed?: BatchResultErrorEntry[] | undefined;
}

function entryOf(url: string, message: QueueMessage, id: string): SendMessageBatchRequestEntry {
  const { body, attributes, groupId, deduplicationId, traceHeader, delaySeconds } = message;
  const isFifo = url.endsWith('.fifo');
  const group = groupId ?? (isFifo ? deduplicationId : undefined);
  return {
    Id: id,
    MessageBody: body,
    MessageAttributes: attributes,
    ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
    ...(group !== undefined && { MessageGroupId: group }),
    ...(isFifo && { MessageDeduplicationId: deduplicationId }),
    ...(traceHeader && {
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } },
    }),
  };
}

/** The bytes that count towards the limit of a batch. */
function bytesOf({ body, attributes }: QueueMessage): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, { DataType = '', StringValue = '', BinaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + DataType.length + Buffer.byteLength(StringValue);
    bytes += BinaryValue?.byteLength ?? 0;
  }
  return bytes;
}

function unreadablePolicy(queueArn: string, cause: unknown): AlgernonError {
  return new AlgernonError(
    'REDRIVE_POLICY_UNREADABLE',
    `The redrive policy of ${queueArn} cannot be read: the function's role needs sqs:GetQueueUrl and ` +
      `sqs:GetQueueAttributes for it. ${String(cause)}`,
    { cause },
  );
}
