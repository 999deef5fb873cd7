import { GetObjectCommand, HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBucket } from '../../local/createBucket.ts';
import { type LocalAws, type LocalAwsOptions, startLocalAws } from '../../local/index.ts';
import { runNode } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

describe('startLocalAws', () => {
  test('starts SNS, SQS and S3, with a bucket', async () => {
    expect(aws).toMatchObject({ region: 'us-east-1', accountId: '000000000000', bucket: 'algernon-local' });
    expect(aws.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const { TopicArn } = await aws.sns.send(new CreateTopicCommand({ Name: 'hello' }));
    expect(TopicArn).toBe(`arn:aws:sns:${aws.region}:${aws.accountId}:hello`);
    const { QueueUrl } = await aws.sqs.send(new CreateQueueCommand({ QueueName: 'hello' }));
    expect(QueueUrl).toMatch(/\/hello$/);
    await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'a/b!c', Body: 'hello' }));
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: 'a/b!c' }));
    expect(await Body?.transformToString()).toBe('hello');
  });

  test('accepts a region and a bucket', async () => {
    await using there = await startLocalAws({ region: 'eu-central-1', bucket: 'my-bucket' });
    const { TopicArn } = await there.sns.send(new CreateTopicCommand({ Name: 'hello' }));
    expect(TopicArn).toBe('arn:aws:sns:eu-central-1:000000000000:hello');
    await there.s3.send(new HeadBucketCommand({ Bucket: 'my-bucket' }));
    expect(there.env).toMatchObject({ AWS_REGION: 'eu-central-1', ALGERNON_BUCKET_NAME: 'my-bucket' });
  });

  test('returns the region of a bucket as S3 does: empty for us-east-1', async () => {
    const inputs: object[] = [];
    aws.s3.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'CreateBucketCommand') inputs.push(args.input);
        return next(args);
      },
      { step: 'initialize' },
    );
    await createBucket(aws.s3, 'first', 'us-east-1');
    await createBucket(aws.s3, 'other', 'eu-central-1');
    await createBucket(aws.s3, 'other', 'eu-central-1');
    const other = { Bucket: 'other', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } };
    expect(inputs).toEqual([{ Bucket: 'first' }, other, other]);
  });

  test('with an endpoint uses the services there, and leaves them running', async () => {
    await aws.sqs.send(new CreateQueueCommand({ QueueName: 'shared' }));
    const other = await startLocalAws({ endpoint: aws.endpoint, accountId: '111122223333' });
    const { QueueUrl } = await other.sqs.send(new GetQueueUrlCommand({ QueueName: 'shared' }));
    expect(QueueUrl).toMatch(/\/shared$/);
    expect(other).toMatchObject({ endpoint: aws.endpoint, accountId: '111122223333' });
    await other.stop();
    await aws.sqs.send(new GetQueueUrlCommand({ QueueName: 'shared' }));
  });

  test('fails if nothing answers at the endpoint', async () => {
    const gone = await startLocalAws();
    await gone.stop();
    await expect(startLocalAws({ endpoint: gone.endpoint })).rejects.toThrow(/ECONNREFUSED/);
  });

  test('returns an environment with which a child process finds the services', async () => {
    const { output, code } = await runNode(
      `import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
       await new S3Client({}).send(new PutObjectCommand(
         { Bucket: process.env.ALGERNON_BUCKET_NAME, Key: 'from-child', Body: 'hello' }));`,
      aws.env,
    );
    expect({ output, code }).toEqual({ output: '', code: 0 });
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: 'from-child' }));
    expect(await Body?.transformToString()).toBe('hello');
  });

  test('with the endpoint aws leaves endpoints and credentials to the environment', async () => {
    const { output, code } = await runNode(
      `import { startLocalAws, startWorker } from './local/index.ts';
       const aws = await startLocalAws({ endpoint: 'aws', region: process.env.AWS_REGION });
       const worker = await startWorker({ aws, tasks: ['a'], handler: async () => {} });
       await worker.idle();
       await aws.stop();
       console.log(aws.endpoint, Object.keys(aws.env).join());`,
      aws.env,
    );
    expect({ output, code }).toEqual({ output: 'aws AWS_REGION,ALGERNON_BUCKET_NAME\n', code: 0 });
  });

  test('stops once, however often stop is called, and runs the onStop callbacks', async () => {
    const there = await startLocalAws();
    const closed: string[] = [];
    there.onStop(async () => void closed.push('server'));
    const takeBack = there.onStop(async () => void closed.push('two'));
    there.onStop(async () => {
      throw new Error('must not keep the rest from closing');
    });
    takeBack();
    await Promise.all([there.stop(), there.stop()]);
    expect(closed).toEqual(['server']);
    await expect(fetch(`${there.endpoint}/health`)).rejects.toThrow();
  });

  test.each<[string, LocalAwsOptions, RegExp]>([
    [
      'an unknown option',
      { buckets: 'x' } as LocalAwsOptions,
      /no option "buckets". The options are: bucket, /,
    ],
    ['a bucket name that S3 refuses', { bucket: 'My_Bucket' }, /bucket must be 3 to 63.*not "My_Bucket"/],
    ['an invalid region', { region: 'here' }, /region must be a region such as/],
    ['an invalid port', { port: 70_000 }, /port must be a whole number from 0 to 65535, not 70000/],
    ['an invalid account', { endpoint: 'http://x', accountId: '12' }, /accountId must be twelve digits/],
    ['an invalid endpoint', { endpoint: 'localhost' }, /endpoint must be a URL or "aws", not "localhost"/],
    ['a port with an endpoint', { endpoint: 'http://x', port: 1 }, /port has no effect/],
    [
      'an account without an endpoint',
      { accountId: '111122223333' },
      /accountId and credentials need an endpoint/,
    ],
    [
      'credentials for AWS itself',
      { endpoint: 'aws', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
      /come from the environment/,
    ],
  ])('refuses %s', async (_, options, message) => {
    const error = await startLocalAws(options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'OptionError', code: 'BAD_OPTION' });
    expect(String(error)).toMatch(message);
  });
});

describe('in a child process', () => {
  test('stops without open handles', async () => {
    const { output, code } = await runNode(
      `import { PublishCommand } from '@aws-sdk/client-sns';
       import { startLocalAws, startWorker } from './local/index.ts';
       const aws = await startLocalAws();
       const worker = await startWorker({ aws, tasks: ['a', 'b'], handler: async () => {} });
       await aws.sns.send(new PublishCommand({ TopicArn: worker.topics.a, Message: 'x' }));
       await worker.idle();
       await aws.stop();
       console.log(worker.stats.deleted);`,
    );
    expect({ output, code }).toEqual({ output: '1\n', code: 0 });
  });

  test.each(['fauxqs', '@aws-sdk/client-sqs'])(
    'a missing %s is an error that says what to install',
    async (name) => {
      const { output, code } = await runNode(
        `import { registerHooks } from 'node:module';
       registerHooks({ resolve(name, context, next) {
         return next(name, name === '${name}' ? { ...context, parentURL: 'file:///nowhere/x.js' } : context);
       } });
       const { startLocalAws } = await import('./local/index.ts');
       await startLocalAws().catch(({ name, code, message }) => console.log(name, code, message));`,
      );
      expect(output).toBe(
        `AlgernonError MISSING_PACKAGE algernon-middy/local needs ${name}: npm install ${name}\n`,
      );
      expect(code).toBe(0);
    },
  );
});
