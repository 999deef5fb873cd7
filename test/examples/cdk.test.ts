import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { bundleWorker } from '../../examples/cdk/bundleWorker.ts';
import type { CloudFormation, Resource } from '../support/cloudFormation.ts';
import { runCdk } from '../support/runCdk.ts';
import { runScript } from '../support/runScript.ts';
import type { TemplateName } from './printTemplates.ts';

const templates: Record<TemplateName, CloudFormation> = runCdk(
  'test/examples/printTemplates.ts',
  (_, output) => JSON.parse(output),
);
const tasks = ['resize', 'describe'];

/** The resources of a type, by id. */
function resourcesOf({ Resources }: CloudFormation, type: string): [string, Resource][] {
  return Object.entries(Resources).filter(([, { Type }]) => Type === `AWS::${type}`);
}

function propertiesOf(template: CloudFormation, type: string): Record<string, unknown>[] {
  return resourcesOf(template, type).map(([, { Properties }]) => Properties);
}

/** The only resource of a type with these properties. */
function idOf(template: CloudFormation, type: string, properties: object): string {
  const matching = expect.objectContaining(properties);
  const ids = resourcesOf(template, type).filter(([, { Properties }]) =>
    matching.asymmetricMatch(Properties),
  );
  expect(ids).toHaveLength(1);
  return ids[0]?.[0] ?? '';
}

function expectResource(template: CloudFormation, type: string, properties: object): void {
  expect(propertiesOf(template, type)).toContainEqual(expect.objectContaining(properties));
}

/** The permissions of the function's role: each action with its resource. */
function permissions(template: CloudFormation): { action: string; resources: unknown[] }[] {
  const policies = propertiesOf(template, 'IAM::Policy') as {
    PolicyDocument: { Statement: { Action: string | string[]; Effect: string; Resource: unknown }[] };
  }[];
  expect(policies).toHaveLength(1);
  return policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.flatMap(({ Action, Effect, Resource }) => {
      expect(Effect).toBe('Allow');
      return [Action].flat().map((action) => ({ action, resources: [Resource].flat() }));
    }),
  );
}

describe('each task', () => {
  const template = templates.worker;

  test.each(tasks)('%s has a topic, a queue and a dead-letter queue', (task) => {
    const topic = idOf(template, 'SNS::Topic', { TopicName: task });
    const queue = idOf(template, 'SQS::Queue', { QueueName: task });
    const deadLetters = idOf(template, 'SQS::Queue', { QueueName: `${task}-dlq` });
    expectResource(template, 'SNS::Subscription', {
      Protocol: 'sqs',
      TopicArn: { Ref: topic },
      Endpoint: { 'Fn::GetAtt': [queue, 'Arn'] },
    });
    const anyRaw = expect.objectContaining({ RawMessageDelivery: expect.anything() });
    expect(propertiesOf(template, 'SNS::Subscription')).not.toContainEqual(anyRaw);
    expectResource(template, 'SQS::Queue', {
      QueueName: task,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] }, maxReceiveCount: 3 },
    });
    expectResource(template, 'SQS::QueuePolicy', {
      Queues: [{ Ref: queue }],
      PolicyDocument: expect.objectContaining({
        Statement: expect.arrayContaining([
          {
            Effect: 'Allow',
            Action: 'sqs:SendMessage',
            Principal: { Service: 'sns.amazonaws.com' },
            Resource: { 'Fn::GetAtt': [queue, 'Arn'] },
            Condition: { ArnEquals: { 'aws:SourceArn': { Ref: topic } } },
          },
        ]),
      }),
    });
  });

  test.each(tasks)('%s invokes the function with batches of ten and partial batch responses', (task) => {
    const queue = idOf(template, 'SQS::Queue', { QueueName: task });
    expectResource(template, 'Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [queue, 'Arn'] },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  test.each(tasks)('the first dead letter of %s triggers the alarm', (task) => {
    const deadLetters = idOf(template, 'SQS::Queue', { QueueName: `${task}-dlq` });
    expectResource(template, 'CloudWatch::Alarm', {
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
  const template = templates.worker;
  const perTask = ['SNS::Topic', 'SNS::Subscription', 'Lambda::EventSourceMapping', 'CloudWatch::Alarm'];
  for (const type of perTask) expect(resourcesOf(template, type)).toHaveLength(tasks.length);
  expect(resourcesOf(template, 'SQS::Queue')).toHaveLength(2 * tasks.length);
  for (const type of ['Lambda::Function', 'S3::Bucket', 'IAM::Role', 'Logs::LogGroup'])
    expect(resourcesOf(template, type)).toHaveLength(1);
});

describe('the function', () => {
  test('has exactly the permissions that its tasks need', () => {
    const template = templates.nextTasks;
    const topics = tasks.map((task) => ({ Ref: idOf(template, 'SNS::Topic', { TopicName: task }) }));
    const queues = tasks.map((task) => ({
      'Fn::GetAtt': [idOf(template, 'SQS::Queue', { QueueName: task }), 'Arn'],
    }));
    const bucket = { 'Fn::GetAtt': [idOf(template, 'S3::Bucket', {}), 'Arn'] };
    const folder = { 'Fn::Join': ['', [bucket, '/results/*']] };
    const neighbour = [':sns:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':archive'];
    const archive = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ...neighbour]] };
    const log = { 'Fn::GetAtt': [idOf(template, 'Logs::LogGroup', {}), 'Arn'] };
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
    expect(propertiesOf(template, 'IAM::Role')).toEqual([
      expect.not.objectContaining({ ManagedPolicyArns: expect.anything() }),
    ]);
  });

  test('has its configuration in the environment', () => {
    const template = templates.environment;
    expectResource(template, 'Lambda::Function', {
      Environment: {
        Variables: {
          ALGERNON_BUCKET_NAME: { Ref: idOf(template, 'S3::Bucket', {}) },
          CACHE_FOLDER_NAME: 'results',
          POWERTOOLS_SERVICE_NAME: 'pictures',
          POWERTOOLS_LOG_LEVEL: 'DEBUG',
        },
      },
    });
  });

  test('has a log with a retention of one month', () => {
    const template = templates.worker;
    const log = idOf(template, 'Logs::LogGroup', { RetentionInDays: 30 });
    expectResource(template, 'Lambda::Function', { LoggingConfig: { LogGroup: { Ref: log } } });
  });

  test.each([
    [60, templates.worker],
    [5, templates.timeout5],
    [900, templates.timeout900],
  ])('with a timeout of %i seconds has a visibility timeout six times as long', (timeout, template) => {
    expectResource(template, 'Lambda::Function', { Timeout: timeout });
    for (const task of tasks)
      expectResource(template, 'SQS::Queue', {
        QueueName: task,
        VisibilityTimeout: 6 * timeout,
      });
  });
});

describe('encryption', () => {
  const template = templates.nextTasks;
  const insecure = { Bool: { 'aws:SecureTransport': 'false' } };

  test('of queues uses the SQS-managed key, which SNS may use', () => {
    for (const queue of propertiesOf(template, 'SQS::Queue')) {
      expect(queue).toHaveProperty('SqsManagedSseEnabled', true);
      expect(queue).not.toHaveProperty('KmsMasterKeyId');
    }
  });

  test('of topics uses the AWS managed key', () => {
    for (const topic of propertiesOf(template, 'SNS::Topic')) {
      const key = { 'Fn::Join': ['', expect.arrayContaining([':alias/aws/sns'])] };
      expect(topic).toHaveProperty('KmsMasterKeyId', key);
    }
  });

  test('of the bucket is on; it is private, retained and expires its objects', () => {
    const [[, bucket] = []] = resourcesOf(template, 'S3::Bucket');
    expect(bucket).toMatchObject({
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
      expectResource(template, 'SQS::Queue', {
        QueueName: `${task}-dlq`,
        MessageRetentionPeriod: 14 * 86_400,
      });
    const buckets = propertiesOf(template, 'S3::Bucket') as {
      LifecycleConfiguration: { Rules: { ExpirationInDays: number }[] };
    }[];
    const [rule] = buckets.flatMap(({ LifecycleConfiguration }) => LifecycleConfiguration.Rules);
    expect(rule?.ExpirationInDays).toBeGreaterThan(2 * 14);
  });

  test('bucket, queues and topics refuse plain HTTP', () => {
    const policy = expect.objectContaining({
      Statement: expect.arrayContaining([expect.objectContaining({ Effect: 'Deny', Condition: insecure })]),
    });
    const refusing = (count: number, type: string) =>
      expect(propertiesOf(template, type)).toEqual(
        Array(count).fill(expect.objectContaining({ PolicyDocument: policy })),
      );
    refusing(1, 'S3::BucketPolicy');
    refusing(2 * tasks.length, 'SQS::QueuePolicy');
    refusing(tasks.length, 'SNS::TopicPolicy');
  });
});

test('workers may share a bucket', () => {
  const template = templates.sharedBucket;
  const bucket = { Ref: idOf(template, 'S3::Bucket', {}) };
  const buckets = propertiesOf(template, 'Lambda::Function').map(
    ({ Environment }) =>
      (Environment as { Variables: Record<string, unknown> }).Variables['ALGERNON_BUCKET_NAME'],
  );
  expect(buckets).toEqual([bucket, bucket]);
});

test('an alarm runs its actions', () => {
  const template = templates.alarmAction;
  const people = resourcesOf(template, 'SNS::Topic').find(([id]) => id.startsWith('People'))?.[0];
  const alarms = propertiesOf(template, 'CloudWatch::Alarm');
  expect(alarms.map(({ AlarmActions }) => AlarmActions)).toEqual(tasks.map(() => [{ Ref: people }]));
});

describe('the app', () => {
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('synthesises the stack with the bundled worker', () => {
    const synthesised = runCdk('examples/cdk/app.ts', (output) =>
      JSON.parse(readFileSync(join(output, 'Images.template.json'), 'utf8')),
    );
    expect(Object.keys(synthesised.Resources)).toEqual(Object.keys(templates.images.Resources));
  });

  test('has a bundle that answers like a worker', () => {
    bundleWorker(folder);
    const script = `
      const { handler } = await import(${JSON.stringify(join(folder, 'index.mjs'))});
      const context = { invokedFunctionArn: '', getRemainingTimeInMillis: () => 60_000 };
      console.log('answer: ' + JSON.stringify(await handler({ Records: [] }, context)));
    `;
    expect(runScript(script)).toContain('answer: {"batchItemFailures":[]}');
  });
});
