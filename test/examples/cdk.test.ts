import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { bundleWorker } from '../../examples/cdk/bundleWorker.ts';
import type { CloudFormation, Resource } from '../support/cloudFormation.ts';
import { runCdk } from '../support/runCdk.ts';
import { runScript } from '../support/runScript.ts';
import type { TemplateName } from './printTemplates.ts';

const {
  templates,
  errors,
}: { templates: Record<TemplateName, CloudFormation>; errors: Record<string, string> } = runCdk(
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

interface Statement {
  Action: string | string[];
  Effect: string;
  Resource: unknown;
  Condition?: unknown;
}

/** The statements of the roles whose id begins so. */
function statementsOf(template: CloudFormation, id = ''): Statement[] {
  const policies = resourcesOf(template, 'IAM::Policy').filter(([name]) => name.startsWith(id));
  expect(policies).toHaveLength(1);
  return policies.flatMap(
    ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  );
}

/** The permissions of a role: each action with its resource. */
function permissions(template: CloudFormation, id?: string): { action: string; resources: unknown[] }[] {
  return statementsOf(template, id).flatMap(({ Action, Effect, Resource }) => {
    expect(Effect).toBe('Allow');
    return [Action].flat().map((action) => ({ action, resources: [Resource].flat() }));
  });
}

/** The ARN of something that is named like a task, as the CDK writes it. */
function arnOf(service: string, resource: string): object {
  const parts = [{ Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, `:${resource}`];
  return { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:${service}:`, ...parts]] };
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

  test.each(tasks)('%s keeps in its dead-letter queue what SNS could not deliver', (task) => {
    const topic = idOf(template, 'SNS::Topic', { TopicName: task });
    const deadLetters = idOf(template, 'SQS::Queue', { QueueName: `${task}-dlq` });
    const arn = { 'Fn::GetAtt': [deadLetters, 'Arn'] };
    expectResource(template, 'SNS::Subscription', {
      TopicArn: { Ref: topic },
      RedrivePolicy: { deadLetterTargetArn: arn },
    });
    expectResource(template, 'SQS::QueuePolicy', {
      Queues: [{ Ref: deadLetters }],
      PolicyDocument: expect.objectContaining({
        Statement: expect.arrayContaining([
          {
            Effect: 'Allow',
            Action: 'sqs:SendMessage',
            Principal: { Service: 'sns.amazonaws.com' },
            Resource: arn,
            Condition: { ArnEquals: { 'aws:SourceArn': { Ref: topic } } },
          },
        ]),
      }),
    });
  });

  test.each(tasks)('only %s may use its dead-letter queue, which keeps messages for 14 days', (task) => {
    expectResource(template, 'SQS::Queue', {
      QueueName: `${task}-dlq`,
      MessageRetentionPeriod: 14 * 86_400,
      RedriveAllowPolicy: { redrivePermission: 'byQueue', sourceQueueArns: [arnOf('sqs', task)] },
    });
  });

  test.each(tasks)('the first failed delivery of %s triggers the alarm', (task) => {
    const topic = idOf(template, 'SNS::Topic', { TopicName: task });
    expectResource(template, 'CloudWatch::Alarm', {
      Namespace: 'AWS/SNS',
      MetricName: 'NumberOfNotificationsFailed',
      Dimensions: [{ Name: 'TopicName', Value: { 'Fn::GetAtt': [topic, 'TopicName'] } }],
      Statistic: 'Sum',
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
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
  const perTask = ['SNS::Topic', 'SNS::Subscription', 'Lambda::EventSourceMapping'];
  for (const type of perTask) expect(resourcesOf(template, type)).toHaveLength(tasks.length);
  for (const type of ['SQS::Queue', 'CloudWatch::Alarm'])
    expect(resourcesOf(template, type)).toHaveLength(2 * tasks.length);
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
    const log = { 'Fn::GetAtt': [idOf(template, 'Logs::LogGroup', {}), 'Arn'] };
    const receiving = ['ReceiveMessage', 'ChangeMessageVisibility', 'GetQueueUrl', 'DeleteMessage'];
    const expected = [
      ...['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resources: [log] })),
      ...['s3:GetObject', 's3:PutObject'].map((action) => ({ action, resources: [folder] })),
      { action: 'sns:Publish', resources: [...topics, arnOf('sns', 'archive')] },
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

describe('a feature', () => {
  const template = templates.features;
  const own = permissions(template, 'schedules').filter(({ action }) => /^(s3|sns|sqs)/.test(action));
  const folder = (name: string) => ({
    'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:s3:::results/${name}/*`]],
  });
  const arnOfQueue = (name: string) => ({
    'Fn::GetAtt': [idOf(template, 'SQS::Queue', { QueueName: name }), 'Arn'],
  });
  const sending = (resources: unknown[]) =>
    ['sqs:GetQueueUrl', 'sqs:SendMessage'].map((action) => ({ action, resources }));
  const both = (name: string) =>
    ['s3:GetObject', 's3:PutObject'].map((action) => ({ action, resources: [folder(name)] }));

  /** The permissions for the feature: those that a worker without features does not have. */
  const added = (feature: string) =>
    permissions(template, feature).filter(({ action, resources }) => {
      if (/^(logs:|sns:)/.test(action)) return false;
      if (JSON.stringify(resources).includes('/cache/')) return false;
      const isPoller = /^sqs:(?!SendMessage)/.test(action) && resources.length === 1;
      return !(isPoller && JSON.stringify(resources) === JSON.stringify([arnOfQueue(`${feature}-1`)]));
    });

  test.each<[string, unknown[]]>([
    ['groups', [...both('groups'), ...sending([arnOf('sqs', 'gather')])]],
    ['events', [{ action: 's3:PutObject', resources: [folder('chains')] }]],
    ['idempotence', both('idempotence')],
    ['cancellation', [{ action: 's3:GetObject', resources: [folder('cancelled')] }]],
    ['failurePolicy', sending([arnOfQueue('failurePolicy-1-dlq')])],
    ['later', sending([arnOfQueue('later-1'), arnOf('sqs', 'archive')])],
  ])('%s adds exactly its permissions', (feature, expected) => {
    expect(added(feature)).toEqual(expected);
  });

  test('no feature may list the bucket', () => {
    const all = resourcesOf(template, 'IAM::Policy').map(([, { Properties }]) => JSON.stringify(Properties));
    for (const policy of all) expect(policy).not.toMatch(/ListBucket|s3:\*|"sqs:\*|"Resource":"\*"/);
    expect(all.length).toBeGreaterThan(6);
    expect(own.length).toBeGreaterThan(0);
  });
});

describe('schedules', () => {
  const template = templates.features;
  const role = idOf(template, 'IAM::Role', {
    AssumeRolePolicyDocument: expect.objectContaining({
      Statement: [expect.objectContaining({ Principal: { Service: 'scheduler.amazonaws.com' } })],
    }),
  });
  const deadLetters = idOf(template, 'SQS::Queue', { QueueName: 'reminders-schedules-dlq' });
  const letters = { 'Fn::GetAtt': [deadLetters, 'Arn'] };

  test('have a role that only Scheduler may assume, for the group', () => {
    const group = idOf(template, 'Scheduler::ScheduleGroup', { Name: 'reminders' });
    const { AssumeRolePolicyDocument } = template.Resources[role]?.Properties ?? {};
    expect(AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Condition: {
            StringEquals: {
              'aws:SourceAccount': { Ref: 'AWS::AccountId' },
              'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] },
            },
          },
        },
      ],
    });
    expect(permissions(template, 'SchedulesRole')).toEqual([
      { action: 'sqs:SendMessage', resources: [arnOf('sqs', 'remind'), letters] },
    ]);
  });

  test('may be made and cancelled by the worker, which passes the role to Scheduler only', () => {
    const statements = statementsOf(template, 'schedules');
    expect(statements).toContainEqual({
      Effect: 'Allow',
      Action: ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
      Resource: arnOf('scheduler', 'schedule/reminders/*'),
    });
    expect(statements).toContainEqual({
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: { 'Fn::GetAtt': [role, 'Arn'] },
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
    const [, worker] =
      resourcesOf(template, 'Lambda::Function').find(([id]) => id.startsWith('schedules')) ?? [];
    expect(worker?.Properties['Environment']).toMatchObject({
      Variables: {
        SCHEDULE_GROUP_NAME: 'reminders',
        SCHEDULE_ROLE_ARN: { 'Fn::GetAtt': [role, 'Arn'] },
        SCHEDULE_DEAD_LETTER_ARN: letters,
      },
    });
  });

  test('that were not sent are kept for 14 days, and trigger the alarm', () => {
    expectResource(template, 'SQS::Queue', {
      QueueName: 'reminders-schedules-dlq',
      MessageRetentionPeriod: 14 * 86_400,
      SqsManagedSseEnabled: true,
    });
    expectResource(template, 'CloudWatch::Alarm', {
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [deadLetters, 'QueueName'] } }],
    });
  });
});

describe('scaling', () => {
  const mappingsOf = (template: CloudFormation) => propertiesOf(template, 'Lambda::EventSourceMapping');

  test('is left to Lambda by default', () => {
    for (const mapping of mappingsOf(templates.worker)) {
      expect(mapping).not.toHaveProperty('ScalingConfig');
      expect(mapping).not.toHaveProperty('ProvisionedPollerConfig');
    }
  });

  test('has a maximum concurrency or pollers, for each queue', () => {
    for (const mapping of mappingsOf(templates.maxConcurrency))
      expect(mapping).toHaveProperty('ScalingConfig', { MaximumConcurrency: 7 });
    for (const mapping of mappingsOf(templates.pollers))
      expect(mapping).toHaveProperty('ProvisionedPollerConfig', { MinimumPollers: 2, MaximumPollers: 20 });
    expect(errors['both']).toBe('TaskWorker: Lambda allows either maxConcurrency or pollers.');
  });

  test('a message may be received more often', () => {
    const redrive = expect.objectContaining({ maxReceiveCount: 5 });
    for (const task of tasks)
      expectResource(templates.maxConcurrency, 'SQS::Queue', { QueueName: task, RedrivePolicy: redrive });
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
          Rules: ['results', 'groups', 'chains', 'idempotence', 'cancelled'].map((folder) => ({
            Status: 'Enabled',
            Prefix: `${folder}/`,
            ExpirationInDays: 30,
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          })),
        },
      },
    });
  });

  test('objects outlive the dead letters that point to them, and groups their age limit', () => {
    const [bucket] = propertiesOf(templates.sharedBucket, 'S3::Bucket') as {
      LifecycleConfiguration: { Rules: { ExpirationInDays: number }[] };
    }[];
    const days = bucket?.LifecycleConfiguration.Rules.map(({ ExpirationInDays }) => ExpirationInDays);
    expect(days).toEqual(Array(5).fill(60));
    expect(errors['keep']).toBe('TaskBucket: keep must be at least 30 days, not 29.');
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
  expect(alarms.map(({ AlarmActions }) => AlarmActions)).toEqual(Array(5).fill([{ Ref: people }]));
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
