import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { bundleWorker } from '../../examples/cdk/bundleWorker.ts';
import { ImagesStack } from '../../examples/cdk/ImagesStack.ts';
import { TaskBucket } from '../../examples/cdk/TaskBucket.ts';
import { TaskWorker, type TaskWorkerProps } from '../../examples/cdk/TaskWorker.ts';
import { useCdkFolder } from '../support/cdkFolder.ts';

useCdkFolder();

const code = Code.fromInline('exports.handler = async () => {};');
const tasks = ['resize', 'describe'];

function templateOf(props: Partial<TaskWorkerProps> = {}): Template {
  const stack = new Stack(new App(), 'Test');
  new TaskWorker(stack, 'images', { tasks, code, ...props });
  return Template.fromStack(stack);
}

/** The only resource of a type with these properties. */
function idOf(template: Template, type: string, properties: object): string {
  const ids = Object.keys(template.findResources(type, { Properties: properties }));
  expect(ids).toHaveLength(1);
  return ids[0] ?? '';
}

/** The permissions of the function's role: each action with its resource. */
function permissions(template: Template): { action: string; resources: unknown[] }[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  expect(policies).toHaveLength(1);
  return policies[0]?.['Properties'].PolicyDocument.Statement.flatMap(
    ({ Action, Effect, Resource }: { Action: string | string[]; Effect: string; Resource: unknown }) => {
      expect(Effect).toBe('Allow');
      return [Action].flat().map((action) => ({ action, resources: [Resource].flat() }));
    },
  );
}

describe('each task', () => {
  const template = templateOf();

  test.each(tasks)('%s has a topic, a queue and a dead-letter queue', (task) => {
    const topic = idOf(template, 'AWS::SNS::Topic', { TopicName: task });
    const queue = idOf(template, 'AWS::SQS::Queue', { QueueName: task });
    const deadLetters = idOf(template, 'AWS::SQS::Queue', { QueueName: `${task}-dlq` });
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'sqs',
      TopicArn: { Ref: topic },
      Endpoint: { 'Fn::GetAtt': [queue, 'Arn'] },
      RawMessageDelivery: Match.absent(),
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: task,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] }, maxReceiveCount: 3 },
    });
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: queue }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Effect: 'Allow',
            Action: 'sqs:SendMessage',
            Principal: { Service: 'sns.amazonaws.com' },
            Resource: { 'Fn::GetAtt': [queue, 'Arn'] },
            Condition: { ArnEquals: { 'aws:SourceArn': { Ref: topic } } },
          },
        ]),
      },
    });
  });

  test.each(tasks)('%s invokes the function with batches of ten and partial batch responses', (task) => {
    const queue = idOf(template, 'AWS::SQS::Queue', { QueueName: task });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [queue, 'Arn'] },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  test.each(tasks)('the first dead letter of %s triggers the alarm', (task) => {
    const deadLetters = idOf(template, 'AWS::SQS::Queue', { QueueName: `${task}-dlq` });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [deadLetters, 'QueueName'] } }],
      Statistic: 'Maximum',
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    });
  });
});

test('there are no other resources', () => {
  const template = templateOf();
  const perTask = ['SNS::Topic', 'SNS::Subscription', 'Lambda::EventSourceMapping', 'CloudWatch::Alarm'];
  for (const type of perTask) template.resourceCountIs(`AWS::${type}`, tasks.length);
  template.resourceCountIs('AWS::SQS::Queue', 2 * tasks.length);
  for (const type of ['Lambda::Function', 'S3::Bucket', 'IAM::Role', 'Logs::LogGroup'])
    template.resourceCountIs(`AWS::${type}`, 1);
});

describe('the function', () => {
  test('has exactly the permissions that its tasks need', () => {
    const template = templateOf({ nextTasks: ['archive'], cacheFolder: 'results' });
    const topics = tasks.map((task) => ({ Ref: idOf(template, 'AWS::SNS::Topic', { TopicName: task }) }));
    const queues = tasks.map((task) => ({
      'Fn::GetAtt': [idOf(template, 'AWS::SQS::Queue', { QueueName: task }), 'Arn'],
    }));
    const bucket = { 'Fn::GetAtt': [idOf(template, 'AWS::S3::Bucket', {}), 'Arn'] };
    const folder = { 'Fn::Join': ['', [bucket, '/results/*']] };
    const neighbour = [':sns:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':archive'];
    const archive = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ...neighbour]] };
    const log = { 'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', {}), 'Arn'] };
    const receiving = ['ReceiveMessage', 'ChangeMessageVisibility', 'GetQueueUrl', 'DeleteMessage'];
    const expected = [
      ...['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resources: [log] })),
      ...['s3:GetObject', 's3:PutObject'].map((action) => ({ action, resources: [folder] })),
      { action: 'sns:Publish', resources: [...topics, archive] },
      ...queues.flatMap((queue) =>
        [...receiving, 'GetQueueAttributes'].map((name) => ({ action: `sqs:${name}`, resources: [queue] })),
      ),
    ];
    expect(permissions(template)).toEqual(expected);
    template.hasResourceProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  test('has its configuration in the environment', () => {
    const template = templateOf({
      cacheFolder: 'results',
      serviceName: 'pictures',
      environment: { POWERTOOLS_LOG_LEVEL: 'DEBUG' },
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          ALGERNON_BUCKET_NAME: { Ref: idOf(template, 'AWS::S3::Bucket', {}) },
          CACHE_FOLDER_NAME: 'results',
          POWERTOOLS_SERVICE_NAME: 'pictures',
          POWERTOOLS_LOG_LEVEL: 'DEBUG',
        },
      },
    });
  });

  test('has a log with a retention of one month', () => {
    const template = templateOf();
    const log = idOf(template, 'AWS::Logs::LogGroup', { RetentionInDays: 30 });
    template.hasResourceProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: { Ref: log } } });
  });

  test.each([undefined, 5, 900])(
    'with a timeout of %s seconds has a visibility timeout six times as long',
    (seconds) => {
      const template = templateOf(seconds === undefined ? {} : { timeout: Duration.seconds(seconds) });
      const timeout = seconds ?? 60;
      template.hasResourceProperties('AWS::Lambda::Function', { Timeout: timeout });
      for (const task of tasks)
        template.hasResourceProperties('AWS::SQS::Queue', {
          QueueName: task,
          VisibilityTimeout: 6 * timeout,
        });
    },
  );
});

describe('encryption', () => {
  const template = templateOf({ cacheFolder: 'results' });
  const insecure = { Bool: { 'aws:SecureTransport': 'false' } };

  test('of queues uses the SQS-managed key, which SNS may use', () => {
    template.allResourcesProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      KmsMasterKeyId: Match.absent(),
    });
  });

  test('of topics uses the AWS managed key', () => {
    template.allResourcesProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: { 'Fn::Join': ['', Match.arrayWith([':alias/aws/sns'])] },
    });
  });

  test('of the bucket is on; it is private, retained and expires its objects', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Status: 'Enabled',
              Prefix: 'results/',
              ExpirationInDays: 30,
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            },
          ],
        },
      },
    });
  });

  test('results outlive the dead letters that point to them', () => {
    for (const task of tasks)
      template.hasResourceProperties('AWS::SQS::Queue', {
        QueueName: `${task}-dlq`,
        MessageRetentionPeriod: 14 * 86_400,
      });
    const [bucket] = Object.values(template.findResources('AWS::S3::Bucket'));
    const [rule] = bucket?.['Properties'].LifecycleConfiguration.Rules ?? [];
    expect(rule.ExpirationInDays).toBeGreaterThan(2 * 14);
  });

  test('bucket, queues and topics refuse plain HTTP', () => {
    const refusing = (count: number, type: string) =>
      expect(
        Object.keys(
          template.findResources(type, {
            Properties: {
              PolicyDocument: {
                Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition: insecure })]),
              },
            },
          }),
        ),
      ).toHaveLength(count);
    refusing(1, 'AWS::S3::BucketPolicy');
    refusing(2 * tasks.length, 'AWS::SQS::QueuePolicy');
    refusing(tasks.length, 'AWS::SNS::TopicPolicy');
  });
});

test('workers may share a bucket', () => {
  const stack = new Stack(new App(), 'Test');
  const bucket = new TaskBucket(stack, 'Results', { keepResults: Duration.days(60) });
  new TaskWorker(stack, 'images', { tasks: ['resize'], code, bucket });
  new TaskWorker(stack, 'texts', { tasks: ['translate'], code, bucket });
  const template = Template.fromStack(stack);
  template.allResourcesProperties('AWS::Lambda::Function', {
    Environment: { Variables: { ALGERNON_BUCKET_NAME: stack.resolve(bucket.bucketName) } },
  });
  template.resourceCountIs('AWS::S3::Bucket', 1);
});

test('an alarm runs its actions', () => {
  const stack = new Stack(new App(), 'Test');
  const people = new Topic(stack, 'People');
  new TaskWorker(stack, 'images', { tasks, code, alarmAction: new SnsAction(people) });
  Template.fromStack(stack).allResourcesProperties('AWS::CloudWatch::Alarm', {
    AlarmActions: [stack.resolve(people.topicArn)],
  });
});

describe('the app', () => {
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('synthesises the stack with the bundled worker', () => {
    const app = fileURLToPath(new URL('../../examples/cdk/app.ts', import.meta.url));
    execFileSync(process.execPath, [app], { env: { ...process.env, CDK_OUTDIR: folder } });
    const synthesised = JSON.parse(readFileSync(join(folder, 'Images.template.json'), 'utf8'));
    const expected = Template.fromStack(new ImagesStack(new App(), 'Images', { code })).toJSON();
    const resources = Object.keys(synthesised.Resources);
    expect(resources).toEqual(Object.keys(expected['Resources']));
  });

  test('has a bundle that answers like a worker', () => {
    bundleWorker(folder);
    const script = `
      const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))});
      const context = { invokedFunctionArn: '', getRemainingTimeInMillis: () => 60_000 };
      console.log('answer: ' + JSON.stringify(await handler({ Records: [] }, context)));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(output).toContain('answer: {"batchItemFailures":[]}');
  });
});
