/** Prints the CloudFormation templates that cdk.test.ts checks, as JSON. */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { ImagesStack } from '../../examples/cdk/ImagesStack.ts';
import { TaskBucket } from '../../examples/cdk/TaskBucket.ts';
import { TaskWorker, type TaskWorkerProps } from '../../examples/cdk/TaskWorker.ts';

export type TemplateName =
  | 'worker'
  | 'nextTasks'
  | 'environment'
  | 'timeout5'
  | 'timeout900'
  | 'sharedBucket'
  | 'alarmAction'
  | 'images';

const code = Code.fromInline('exports.handler = async () => {};');

function synthesise(build: (stack: Stack) => void): object {
  const stack = new Stack(new App(), 'Test');
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
    const bucket = new TaskBucket(stack, 'Results', { keepResults: Duration.days(60) });
    new TaskWorker(stack, 'images', { tasks: ['resize'], code, bucket });
    new TaskWorker(stack, 'texts', { tasks: ['translate'], code, bucket });
  }),
  alarmAction: synthesise((stack) => {
    const alarmAction = new SnsAction(new Topic(stack, 'People'));
    new TaskWorker(stack, 'images', { tasks: ['resize', 'describe'], code, alarmAction });
  }),
  images: Template.fromStack(new ImagesStack(new App(), 'Images', { code })).toJSON(),
};

console.log(JSON.stringify(templates));
