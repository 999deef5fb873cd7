import { createdSeconds, groupOf } from '../groups/ticket.ts';
import { chainIdOf } from '../tasks/chainId.ts';
import { isSnsRecord, messageIdOf, type SqsRecord } from './events.ts';
import type { TaskRun } from './stage.ts';
import { readMessage } from './unwrapTask.ts';

/** The values that identify a piece of work. They are the same for each delivery of its message. */
export interface TaskIdentity {
  /**
   * The id that SNS gave the message, since SQS gives a redriven message a new one; else the id of SQS, or of the request. The
   * task after a group is identified by the group, since its message may be sent twice.
   */
  readonly messageId: string;
  /** The ARN of the queue, or of the function if SNS delivers without a queue: two subscribers of a topic do different work. */
  readonly receiver: string;
  /** Counts the tasks that a loop makes out of one message. */
  readonly part: number;
  /** When the message was sent, in milliseconds since 1970; 0 if unknown. */
  readonly sentAt: number;
  readonly chainId: string;
  /** The message group; undefined if there is none. */
  readonly groupId: string | undefined;
  /** How often the message was received; undefined in a direct invocation. */
  readonly receiveCount: number | undefined;
}

/** Identifies the task of a run. A message that cannot be parsed is identified by its record. */
export function identityOf(run: Pick<TaskRun, 'record' | 'context' | 'part' | 'unwrap'>): TaskIdentity {
  const { record, context, part } = run;
  const functionArn = unqualified(context?.invokedFunctionArn ?? '');
  if (!record) {
    const messageId = context?.awsRequestId ?? '';
    const direct = { receiver: functionArn, part, sentAt: 0, groupId: undefined, receiveCount: undefined };
    return { ...direct, messageId, chainId: messageId };
  }
  const { notification, attributes } = readMessage(run);
  const group = groupOf(attributes);
  const messageId = group ? `${group}.then` : (notification?.messageId ?? messageIdOf(record));
  const chainId = chainIdOf(attributes, messageId);
  if (isSnsRecord(record)) {
    const sentAt = Date.parse(record.Sns.Timestamp) || 0;
    return { messageId, chainId, part, sentAt, receiver: functionArn, groupId: undefined, receiveCount: 1 };
  }
  const { ApproximateReceiveCount, SentTimestamp, MessageGroupId } = attributesOf(record);
  return {
    messageId,
    chainId,
    part,
    receiver: record.eventSourceARN ?? functionArn,
    sentAt: group
      ? createdSeconds(group) * 1000
      : Date.parse(notification?.timestamp ?? '') || Number(SentTimestamp) || 0,
    groupId: MessageGroupId,
    receiveCount: Number(ApproximateReceiveCount) || 1,
  };
}

/** A record that was made by hand may have no attributes. */
function attributesOf(record: SqsRecord): Partial<SqsRecord['attributes']> {
  return record.attributes ?? {};
}

/** The ARN of a function without its version or alias, which changes with a deployment. */
function unqualified(arn: string): string {
  return arn.split(':').slice(0, 7).join(':');
}
