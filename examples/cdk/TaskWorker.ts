import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { TaskBucket } from './TaskBucket.ts';
import { TaskQueue } from './TaskQueue.ts';

export interface TaskWorkerProps {
  /** The tasks that the function serves. */
  readonly tasks: readonly string[];
  /** The tasks of other workers that get results. The function may publish to their topics. Default: none. */
  readonly nextTasks?: readonly string[];
  /** The bundled worker. */
  readonly code: Code;
  /** The handler in the code. Default `index.handler`. */
  readonly handler?: string;
  /** The bucket for results, when workers share one. Default: a {@link TaskBucket}. */
  readonly bucket?: IBucket | TaskBucket;
  /** The folder for results. Default `cache`. */
  readonly cacheFolder?: string;
  /** The time limit of a batch. Default: one minute. */
  readonly timeout?: Duration;
  /** Memory, in MiB. Default 512. */
  readonly memorySize?: number;
  /** The name of the service in logs. Default: the construct's own id. */
  readonly serviceName?: string;
  /** Further environment variables. Default none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long logs are kept. Default a month. */
  readonly logRetention?: RetentionDays;
  /** The actions of the dead-letter alarms. Default: none, so the alarms are shown in CloudWatch only. */
  readonly alarmAction?: IAlarmAction;
}

/**
 * A worker with its resources: a topic, queue, dead-letter queue and alarm for each task, the bucket for results, and a
 * function with least privilege that takes batches of ten from the queues.
 *
 * The function may not list the bucket, so it cannot see the names of other results. As a consequence, S3 answers
 * "access denied" for a missing result.
 *
 * @example
 * const worker = new TaskWorker(this, 'images', {
 *   tasks: ['resize', 'describe'],
 *   code: Code.fromAsset('dist'),
 * });
 */
export class TaskWorker extends Construct {
  readonly function: LambdaFunction;
  readonly bucket: IBucket | TaskBucket;
  readonly queues: readonly TaskQueue[];

  constructor(scope: Construct, id: string, props: TaskWorkerProps) {
    super(scope, id);
    const { tasks, nextTasks = [], code, handler = 'index.handler', cacheFolder = 'cache' } = props;
    const { timeout = Duration.minutes(1), memorySize = 512, serviceName = id, alarmAction } = props;
    const { environment, logRetention = RetentionDays.ONE_MONTH } = props;
    this.bucket = props.bucket ?? new TaskBucket(this, 'Bucket', { cacheFolder });
    this.queues = tasks.map((task) => new TaskQueue(this, task, { task, timeout, alarmAction }));

    const logGroup = new LogGroup(this, 'Logs', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    for (const statement of this.#statements(nextTasks, cacheFolder)) role.addToPolicy(statement);

    this.function = new LambdaFunction(this, 'Function', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code,
      handler,
      role,
      logGroup,
      timeout,
      memorySize,
      environment: {
        ALGERNON_BUCKET_NAME: this.bucket.bucketName,
        CACHE_FOLDER_NAME: cacheFolder,
        POWERTOOLS_SERVICE_NAME: serviceName,
        POWERTOOLS_LOG_LEVEL: 'INFO',
        ...environment,
      },
    });
    for (const { queue } of this.queues) {
      // Also lets the function receive and delete messages.
      this.function.addEventSource(
        new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true }),
      );
    }
  }

  #statements(nextTasks: readonly string[], cacheFolder: string): PolicyStatement[] {
    const stack = Stack.of(this);
    return [
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [this.bucket.arnForObjects(`${cacheFolder}/*`)],
      }),
      // sns:Publish covers PublishBatch.
      new PolicyStatement({
        actions: ['sns:Publish'],
        resources: [
          ...this.queues.map(({ topic }) => topic.topicArn),
          ...nextTasks.map((task) => stack.formatArn({ service: 'sns', resource: task })),
        ],
      }),
    ];
  }
}
