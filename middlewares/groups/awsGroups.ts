import { createHash, randomUUID } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import { type Groups, openGroups } from '../../core/groups/openGroups.ts';
import { deadlineMessageId, gatherName, groupHash } from '../../core/groups/ticket.ts';
import { taskMessage } from '../../core/tasks/task.ts';
import { bucketToWrite } from '../aws/environment.ts';
import type { AwsClient } from '../aws/optionChecks.ts';
import { s3ConditionalStore } from '../aws/s3ConditionalStore.ts';
import type { SnsPublisher } from '../aws/snsPublisher.ts';
import { neighbourArn } from '../aws/topics.ts';
import { sendDelayed } from '../sending/sendDelayed.ts';

export interface AwsGroupsOptions {
  s3: S3Client | undefined;
  sqs: AwsClient | undefined;
  publisher: SnsPublisher;
  bucket: string | undefined;
  acl: ObjectCannedACL | undefined;
  maxMessageBytes: number;
  /** The age in days at which a lifecycle rule removes groups. */
  expiryDays: number;
  /** The name of the function that was called, for errors. */
  owner: string;
}

/** A branch that is running when its group expires must not find it incomplete. */
const marginDays = 1;

/** How many slots a deadline fills at the same time. */
const concurrency = 64;

/** Opens the groups in a bucket of S3. */
export function awsGroups(options: AwsGroupsOptions): Groups {
  const { s3, sqs, publisher, bucket, acl, maxMessageBytes, expiryDays, owner } = options;
  return openGroups({
    store: s3ConditionalStore({ s3, acl }),
    bucket: () => bucketToWrite(bucket, owner),
    now: Date.now,
    newName: () => randomUUID().replaceAll('-', ''),
    publish: publisher.send,
    async publishLater(callback, plan, delaySeconds) {
      const { id, then, gatherQueue = '', branchAttributes, messageGroup } = plan;
      const message = {
        queue: gatherQueue,
        topicArn: neighbourArn('sns', gatherName, then.topicArn) ?? then.topicArn,
        messageId: deadlineMessageId(id),
        message: taskMessage(gatherName, '{}', callback),
        attributes: branchAttributes,
        groupId: messageGroup,
        delaySeconds,
      };
      const [outcome] = await sendDelayed([message], { sqs, maxMessageBytes });
      if (outcome && 'error' in outcome) throw outcome.error;
    },
    warn: (message) => console.warn(`${owner}: ${message}`),
    maxMessageBytes,
    expirySeconds: (expiryDays - marginDays) * 86_400,
    concurrency,
  });
}

/** The hash in the id of a group: the same for the same work. */
export function groupHashOf(work: readonly unknown[]): string {
  return groupHash(createHash('sha256').update(JSON.stringify(work)).digest('hex'));
}
