import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TaskQueueProps {
  /** The task: its topic and its queue have the same name. */
  readonly task: string;
  /** How long the function may take. A message stays hidden six times as long, as AWS recommends. */
  readonly timeout: Duration;
  /** The actions of the dead-letter alarm. Default: none, so the alarm is shown in CloudWatch only. */
  readonly alarmAction?: IAlarmAction | undefined;
}

/**
 * The topic of a task, its queue, its dead-letter queue (after three attempts) and an alarm on that.
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
  readonly alarm: Alarm;

  constructor(scope: Construct, id: string, { task, timeout, alarmAction }: TaskQueueProps) {
    super(scope, id);
    const encrypted = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.topic = new Topic(this, 'Topic', {
      topicName: task,
      masterKey: Alias.fromAliasName(this, 'TopicKey', 'alias/aws/sns'),
      enforceSSL: true,
    });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...encrypted,
      queueName: `${task}-dlq`,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      ...encrypted,
      queueName: task,
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
    });
    this.topic.addSubscription(new SqsSubscription(this.queue));
    this.alarm = new Alarm(this, 'DeadLetterAlarm', {
      alarmDescription: `Tasks ${task} failed three times, and lie in ${task}-dlq.`,
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (alarmAction) this.alarm.addAlarmAction(alarmAction);
  }
}
