import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Alarm, IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type IGrantable, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { alarmAtFirst, secureQueue } from './TaskQueue.ts';

export interface TaskSchedulesProps {
  /** The tasks that may be scheduled. Scheduler may write to their queues. */
  readonly tasks: readonly string[];
  /** The name of the schedule group. Default `tasks`. */
  readonly groupName?: string;
  /** The action of the alarm. Default: none, so the alarm is shown in CloudWatch only. */
  readonly alarmAction?: IAlarmAction;
}

/**
 * The resources of `sendTask` with `at`: a group for the schedules, the role with which EventBridge Scheduler puts the tasks into
 * their queues, and a queue for tasks that it could not put there in 24 hours, with an
 * alarm.
 *
 * @example
 * const schedules = new TaskSchedules(this, 'Schedules', { tasks: ['remind'] });
 * new TaskWorker(this, 'orders', { tasks: ['remind'], schedules, code });
 */
export class TaskSchedules extends Construct {
  readonly group: ScheduleGroup;
  readonly role: Role;
  readonly deadLetters: Queue;
  readonly alarm: Alarm;
  /** The environment variables in which a sender finds them. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, { tasks, groupName = 'tasks', alarmAction }: TaskSchedulesProps) {
    super(scope, id);
    const { account } = Stack.of(this);
    this.group = new ScheduleGroup(this, 'Group', {
      scheduleGroupName: groupName,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...secureQueue,
      queueName: `${groupName}-schedules-dlq`,
      retentionPeriod: Duration.days(14),
    });
    this.alarm = alarmAtFirst(this, 'DeadLetterAlarm', {
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      alarmDescription: `Scheduled tasks were not sent in 24 hours. They are in ${groupName}-schedules-dlq.`,
      alarmAction,
    });
    this.role = new Role(this, 'Role', {
      // Only for schedules of this group: other accounts cannot make Scheduler use the role.
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': this.group.scheduleGroupArn },
        },
      }),
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['sqs:SendMessage'],
        resources: [
          ...tasks.map((task) => Stack.of(this).formatArn({ service: 'sqs', resource: task })),
          this.deadLetters.queueArn,
        ],
      }),
    );
    this.environment = {
      SCHEDULE_GROUP_NAME: groupName,
      SCHEDULE_ROLE_ARN: this.role.roleArn,
      SCHEDULE_DEAD_LETTER_ARN: this.deadLetters.queueArn,
    };
  }

  /** Lets a sender schedule tasks, and cancel them. */
  grantSchedule(sender: IGrantable): void {
    const schedules = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${this.environment['SCHEDULE_GROUP_NAME']}/*`,
    });
    for (const statement of [
      new PolicyStatement({
        actions: ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
        resources: [schedules],
      }),
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [this.role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
    ])
      sender.grantPrincipal.addToPrincipalPolicy(statement);
  }
}
