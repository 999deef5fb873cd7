import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface TaskBucketProps {
  /** The folder that results are stored in. Default `cache`. */
  readonly cacheFolder?: string;
  /**
   * How long objects are kept, at least 30 days: longer than a message and its redrive can wait, and as long as
   * `groupExpiryDays` of `callbackPublisher`. Default 30 days.
   */
  readonly keep?: Duration;
}

/** The folders of this library beside the one for results. */
export const taskFolders = {
  /** The branches of groups. */
  groups: 'groups',
  /** The events of `s3Sink`. */
  events: 'chains',
  /** The records of `idempotent`. */
  idempotence: 'idempotence',
  /** The chains that `cancelChain` has cancelled. */
  cancelled: 'cancelled',
} as const;

const leastDays = 30;

/**
 * The bucket for results, groups, events and records: encrypted, without public access or plain HTTP, with lifecycle rules
 * that remove old objects. One bucket is enough for all workers, and workers that share a group must share it.
 *
 * @example
 * const bucket = new TaskBucket(this, 'Results', { keep: Duration.days(60) });
 */
export class TaskBucket extends Bucket {
  constructor(scope: Construct, id: string, props: TaskBucketProps = {}) {
    const { cacheFolder = 'cache', keep = Duration.days(leastDays) } = props;
    if (keep.toDays() < leastDays) {
      throw new Error(`TaskBucket: keep must be at least ${leastDays} days, not ${keep.toDays()}.`);
    }
    super(scope, id, {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [cacheFolder, ...Object.values(taskFolders)].map((folder) => ({
        prefix: `${folder}/`,
        expiration: keep,
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      })),
    });
  }
}
