import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface TaskBucketProps {
  /** The folder that results are stored in. Default `cache`. */
  readonly cacheFolder?: string;
  /** How long a result is kept. Default 30 days: longer than a dead letter can wait, its redrive included. */
  readonly keepResults?: Duration;
}

/**
 * The bucket for results: encrypted, without public access or plain HTTP, with a lifecycle rule that removes old
 * results. One bucket is enough for all workers: a worker reads only its own.
 *
 * @example
 * const bucket = new TaskBucket(this, 'Results', { keepResults: Duration.days(60) });
 */
export class TaskBucket extends Bucket {
  constructor(scope: Construct, id: string, props: TaskBucketProps = {}) {
    const { cacheFolder = 'cache', keepResults = Duration.days(30) } = props;
    super(scope, id, {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          prefix: `${cacheFolder}/`,
          expiration: keepResults,
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });
  }
}
