import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  type ProvisionedPollerConfig,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { TaskBucket, taskFolders } from './TaskBucket.ts';
import { TaskQueue } from './TaskQueue.ts';
import type { TaskSchedules } from './TaskSchedules.ts';

/**
 * A feature of a worker beside results and callbacks:
 * - `groups`: `fanOut`, `sendGroup`, and tasks that are branches of groups;
 * - `events`: `chainEvents` with an `s3Sink` in the same bucket;
 * - `idempotence`: `idempotent`;
 * - `cancellation`: `cancellable`;
 * - `failurePolicy`: `failurePolicy`;
 * - `later`: `sendTask` with `delaySeconds`, to its own tasks and to `nextTasks`.
 */
export type TaskFeature = 'groups' | 'events' | 'idempotence' | 'cancellation' | 'failurePolicy' | 'later';

export interface TaskWorkerProps {
  /**
   * The tasks that the function serves. One worker of a region also needs `gather`, if groups have deadlines or branches that
   * end in a Python worker.
   */
  readonly tasks: readonly string[];
  /** The tasks of other workers that get results. The function may publish to their topics. Default: none. */
  readonly nextTasks?: readonly string[];
  /** The features that the worker uses. It gets no other permissions. Default: none. */
  readonly uses?: readonly TaskFeature[];
  /** Lets the function send tasks `at` a time. Default: it may not. */
  readonly schedules?: TaskSchedules;
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
  /** How often a message is received before it is a dead letter. Default 3. */
  readonly maxReceiveCount?: number;
  /** The most batches of one queue that run at the same time, 2 to 1000. Default: no limit. Not with `pollers`. */
  readonly maxConcurrency?: number;
  /**
   * The pollers that Lambda keeps ready for each queue (provisioned mode): faster scaling, at a price per poller and hour.
   * Default: Lambda scales them. Not with `maxConcurrency`.
   */
  readonly pollers?: ProvisionedPollerConfig;
  /** Memory, in MiB. Default 512. */
  readonly memorySize?: number;
  /** The name of the service in logs. Default: the construct's own id. */
  readonly serviceName?: string;
  /** Further environment variables. Default none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long logs are kept. Default a month. */
  readonly logRetention?: RetentionDays;
  /** The actions of the alarms. Default: none, so the alarms are shown in CloudWatch only. */
  readonly alarmAction?: IAlarmAction;
}

/**
 * A worker with its resources: a topic, queue, dead-letter queue and alarms for each task, the bucket for results, and a
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
    const { environment, logRetention = RetentionDays.ONE_MONTH, schedules } = props;
    const { maxReceiveCount, maxConcurrency, pollers } = props;
    if (maxConcurrency !== undefined && pollers !== undefined) {
      throw new Error('TaskWorker: Lambda allows either maxConcurrency or pollers.');
    }
    this.bucket = props.bucket ?? new TaskBucket(this, 'Bucket', { cacheFolder });
    this.queues = tasks.map(
      (task) => new TaskQueue(this, task, { task, timeout, maxReceiveCount, alarmAction }),
    );

    const logGroup = new LogGroup(this, 'Logs', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    for (const statement of this.#statements(props, nextTasks, cacheFolder)) role.addToPolicy(statement);
    schedules?.grantSchedule(role);

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
        ...schedules?.environment,
        ...environment,
      },
    });
    for (const { queue } of this.queues) {
      // Also lets the function receive and delete messages.
      this.function.addEventSource(
        new SqsEventSource(queue, {
          batchSize: 10,
          reportBatchItemFailures: true,
          ...(maxConcurrency !== undefined && { maxConcurrency }),
          ...(pollers && { provisionedPollerConfig: pollers }),
        }),
      );
    }
  }

  #statements(
    { uses = [] }: TaskWorkerProps,
    nextTasks: readonly string[],
    cacheFolder: string,
  ): PolicyStatement[] {
    const stack = Stack.of(this);
    const { groups, events, idempotence, cancelled } = taskFolders;
    const read = 's3:GetObject';
    const write = 's3:PutObject';
    const ofFolder = (folder: string, ...actions: string[]) =>
      new PolicyStatement({ actions, resources: [this.bucket.arnForObjects(`${folder}/*`)] });
    const sendingTo = (resources: string[]) =>
      new PolicyStatement({ actions: ['sqs:GetQueueUrl', 'sqs:SendMessage'], resources });
    const queueOf = (task: string) => stack.formatArn({ service: 'sqs', resource: task });

    const statementsOf: Record<TaskFeature, () => PolicyStatement[]> = {
      // The deadline of a group is a delayed message to gather.
      groups: () => [ofFolder(groups, read, write), sendingTo([queueOf('gather')])],
      events: () => [ofFolder(events, write)],
      idempotence: () => [ofFolder(idempotence, read, write)],
      cancellation: () => [ofFolder(cancelled, read)],
      failurePolicy: () => [sendingTo(this.queues.map(({ deadLetters }) => deadLetters.queueArn))],
      later: () => [
        sendingTo([...this.queues.map(({ queue }) => queue.queueArn), ...nextTasks.map(queueOf)]),
      ],
    };
    return [
      ofFolder(cacheFolder, read, write),
      // sns:Publish covers PublishBatch.
      new PolicyStatement({
        actions: ['sns:Publish'],
        resources: [
          ...this.queues.map(({ topic }) => topic.topicArn),
          ...nextTasks.map((task) => stack.formatArn({ service: 'sns', resource: task })),
        ],
      }),
      ...uses.flatMap((feature) => statementsOf[feature]()),
    ];
  }
}
