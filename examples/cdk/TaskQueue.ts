import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption, type QueueProps, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TaskQueueProps {
  /** The task: its topic and its queue have the same name. */
  readonly task: string;
  /** How long the function may take. A message stays hidden six times as long, as AWS recommends. */
  readonly timeout: Duration;
  /**
   * How often a message is received before it is a dead letter. `callbackPublisher` and `chainEvents` must have the same
   * number. Default 3.
   */
  readonly maxReceiveCount?: number | undefined;
  /** The actions of the alarms. Default: none, so the alarms are shown in CloudWatch only. */
  readonly alarmAction?: IAlarmAction | undefined;
}

/** Encrypted with SQS's own key, and without plain HTTP. */
export const secureQueue: QueueProps = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };

/**
 * The topic of a task, its queue, its dead-letter queue, and alarms on dead letters and failed deliveries.
 *
 * The dead-letter queue gets the tasks that failed, and the messages that SNS could not put into the queue. Both are kept for
 * 14 days, and are redriven in the same way. Only the queue of the task may use it as its dead-letter queue.
 *
 * The queues are encrypted with SQS's own key, since SNS may not use the AWS managed key `alias/aws/sqs`: its
 * messages to such a queue are lost. The topic has the AWS managed key `alias/aws/sns`, which all functions and users
 * of the same account may use to publish. Other accounts, S3 and EventBridge may not: for them, give the topic a
 * customer managed key.
 *
 * @example
 * const { topic } = new TaskQueue(this, 'resize', { task: 'resize', timeout: Duration.minutes(1) });
 */
export class TaskQueue extends Construct {
  readonly topic: Topic;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: TaskQueueProps) {
    super(scope, id);
    const { task, timeout, maxReceiveCount = 3, alarmAction } = props;
    this.topic = new Topic(this, 'Topic', {
      topicName: task,
      masterKey: Alias.fromAliasName(this, 'TopicKey', 'alias/aws/sns'),
      enforceSSL: true,
    });
    // By its name: the queues would depend on each other otherwise.
    const sourceArn = Stack.of(this).formatArn({ service: 'sqs', resource: task });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...secureQueue,
      queueName: `${task}-dlq`,
      retentionPeriod: Duration.days(14),
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        sourceQueues: [Queue.fromQueueArn(this, 'Source', sourceArn)],
      },
    });
    this.queue = new Queue(this, 'Queue', {
      ...secureQueue,
      queueName: task,
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    });
    this.topic.addSubscription(new SqsSubscription(this.queue, { deadLetterQueue: this.deadLetters }));

    this.alarms = [
      alarmAtFirst(this, 'DeadLetterAlarm', {
        metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
        alarmDescription: `Tasks ${task} failed for good, or were not delivered. They are in ${task}-dlq.`,
        alarmAction,
      }),
      alarmAtFirst(this, 'DeliveryAlarm', {
        metric: this.topic.metricNumberOfNotificationsFailed({ statistic: 'Sum' }),
        alarmDescription: `SNS could not deliver messages of the topic ${task}. They are in ${task}-dlq if SNS may write to it.`,
        alarmAction,
      }),
    ];
  }
}

interface AlarmProps {
  readonly metric: IMetric;
  readonly alarmDescription: string;
  readonly alarmAction: IAlarmAction | undefined;
}

/** An alarm that rings from 1 on. */
export function alarmAtFirst(scope: Construct, id: string, { alarmAction, ...props }: AlarmProps): Alarm {
  const alarm = new Alarm(scope, id, {
    ...props,
    threshold: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  if (alarmAction) alarm.addAlarmAction(alarmAction);
  return alarm;
}
