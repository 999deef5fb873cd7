import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface TaskBucketProps {
  /** The folder that results are stored in. Default `cache`. */
  readonly cacheFolder?: string;
  /** How long a result is kept. Default 30 days: longer than a dead letter and its redrive may lie in wait. */
  readonly keepResults?: Duration;
}

/**
 * The bucket that results travel through: encrypted, closed to the public and to plain HTTP, and emptied of results by a
 * lifecycle rule. One is enough for all workers: a worker reads no bucket but its own.
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
