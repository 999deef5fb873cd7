/** Prints the CloudFormation templates that cdk.test.ts checks, as JSON. */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { ImagesStack } from '../../examples/cdk/ImagesStack.ts';
import { TaskBucket } from '../../examples/cdk/TaskBucket.ts';
import { TaskSchedules } from '../../examples/cdk/TaskSchedules.ts';
import { type TaskFeature, TaskWorker, type TaskWorkerProps } from '../../examples/cdk/TaskWorker.ts';

export type TemplateName =
  | 'worker'
  | 'nextTasks'
  | 'environment'
  | 'timeout5'
  | 'timeout900'
  | 'sharedBucket'
  | 'alarmAction'
  | 'features'
  | 'maxConcurrency'
  | 'pollers'
  | 'images';

const taskFeatures: TaskFeature[] = [
  'groups',
  'events',
  'idempotence',
  'cancellation',
  'failurePolicy',
  'later',
];
const code = Code.fromInline('exports.handler = async () => {};');

function synthesise(build: (stack: Stack) => void): object {
  const stack = new Stack(new App({ autoSynth: false }), 'Test');
  build(stack);
  return Template.fromStack(stack).toJSON();
}

function worker(props: Partial<TaskWorkerProps> = {}): object {
  return synthesise((stack) => {
    new TaskWorker(stack, 'images', { tasks: ['resize', 'describe'], code, ...props });
  });
}

const templates: Record<TemplateName, object> = {
  worker: worker(),
  nextTasks: worker({ nextTasks: ['archive'], cacheFolder: 'results' }),
  environment: worker({
    cacheFolder: 'results',
    serviceName: 'pictures',
    environment: { POWERTOOLS_LOG_LEVEL: 'DEBUG' },
  }),
  timeout5: worker({ timeout: Duration.seconds(5) }),
  timeout900: worker({ timeout: Duration.seconds(900) }),
  sharedBucket: synthesise((stack) => {
    const bucket = new TaskBucket(stack, 'Results', { keep: Duration.days(60) });
    new TaskWorker(stack, 'images', { tasks: ['resize'], code, bucket });
    new TaskWorker(stack, 'texts', { tasks: ['translate'], code, bucket });
  }),
  alarmAction: synthesise((stack) => {
    const alarmAction = new SnsAction(new Topic(stack, 'People'));
    new TaskSchedules(stack, 'Schedules', { tasks: ['resize'], alarmAction });
    new TaskWorker(stack, 'images', { tasks: ['resize', 'describe'], code, alarmAction });
  }),
  features: synthesise((stack) => {
    for (const feature of taskFeatures) {
      new TaskWorker(stack, feature, {
        tasks: [`${feature}-1`],
        nextTasks: ['archive'],
        uses: [feature],
        bucket: TaskBucket.fromBucketName(stack, `Bucket-${feature}`, 'results'),
        code,
      });
    }
    const schedules = new TaskSchedules(stack, 'Schedules', { tasks: ['remind'], groupName: 'reminders' });
    new TaskWorker(stack, 'schedules', { tasks: ['remind'], schedules, code });
  }),
  maxConcurrency: worker({ maxConcurrency: 7, maxReceiveCount: 5 }),
  pollers: worker({ pollers: { minimumPollers: 2, maximumPollers: 20 } }),
  images: Template.fromStack(new ImagesStack(new App({ autoSynth: false }), 'Images', { code })).toJSON(),
};

/** The messages of stacks that are refused. */
const errors = {
  both: errorOf(() => worker({ maxConcurrency: 7, pollers: {} })),
  keep: errorOf(() => synthesise((stack) => new TaskBucket(stack, 'Results', { keep: Duration.days(29) }))),
};

function errorOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

console.log(JSON.stringify({ templates, errors }));
