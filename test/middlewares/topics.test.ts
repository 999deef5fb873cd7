import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { topicArn } from '../../middlewares/aws/topics.ts';
import { topicsByDisplayName } from '../../middlewares/topicsByDisplayName.ts';
import { topicsFromSsm } from '../../middlewares/topicsFromSsm.ts';
import { runNode, withoutPackage } from '../local/tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const functionArn = 'arn:aws-cn:lambda:cn-north-1:123456789012:function:worker';

test("by default uses the topic named like the task, in the function's region and account", async () => {
  expect(await topicArn('resize', undefined, functionArn)).toBe(
    'arn:aws-cn:sns:cn-north-1:123456789012:resize',
  );
});

test('a map and a function resolve topics; an unknown task is an error that says what to do', async () => {
  expect(await topicArn('resize', { resize: 'arn' }, functionArn)).toBe('arn');
  expect(await topicArn('resize', async (name) => `arn:${name}`, functionArn)).toBe('arn:resize');
  for (const name of ['crop', 'constructor', '__proto__']) {
    await expect(topicArn(name, { resize: 'arn' }, functionArn)).rejects.toThrow(
      /Pass its ARN in the option topics/,
    );
  }
  await expect(topicArn('resize', undefined, undefined)).rejects.toMatchObject({
    code: 'TOPIC_NOT_FOUND',
    message: expect.stringContaining('functionArn'),
  });
});

test('by DisplayName, through SNS', async () => {
  const create = (Name: string, DisplayName: string) =>
    aws.sns.send(new CreateTopicCommand({ Name, Attributes: { DisplayName } }));
  await create('first', 'crop');
  const { TopicArn } = await create('two', 'resize');
  const topics = topicsByDisplayName({ sns: aws.sns });
  expect(await topics('resize')).toBe(TopicArn);
  expect(await topics('unheard')).toBeUndefined();
});

test('by DisplayName, a topic is read once in 5 minutes, and a page without topics is passed over', async () => {
  const read: string[] = [];
  const pages = [{ NextToken: '2' }, { Topics: [{}, { TopicArn: 'arn:a' }, { TopicArn: 'arn:b' }] }];
  const client = Object.assign(Object.create(SNSClient.prototype), {
    send: async ({ input }: { input: { TopicArn?: string; NextToken?: string } }) => {
      if (!input.TopicArn) return pages[input.NextToken ? 1 : 0];
      read.push(input.TopicArn);
      return input.TopicArn === 'arn:a' ? {} : { Attributes: { DisplayName: 'resize' } };
    },
  }) as SNSClient;
  const clock = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
  const topics = topicsByDisplayName({ sns: client });
  expect(await topics('resize')).toBe('arn:b');
  expect(await topics('crop')).toBeUndefined();
  expect(read).toEqual(['arn:a', 'arn:b']);
  clock.mockReturnValue(1_000_000 + 299_000);
  expect(await topics('resize')).toBe('arn:b');
  expect(read).toHaveLength(2);
  expect(await topics('crop')).toBeUndefined();
  expect(read.slice(2)).toEqual(['arn:a']);
  clock.mockReturnValue(1_000_000 + 301_000);
  expect(await topics('resize')).toBe('arn:b');
  expect(read.slice(3)).toEqual(['arn:b']);
  clock.mockRestore();
});

const arnOf = (name: string) => `arn:aws-us-gov:sns:us-gov-west-1:123456789012:${name}`;

/** A real client with a fake endpoint, since SSM cannot run locally. */
const ssmWith = (parameters: Record<string, string>) => {
  const asked: string[] = [];
  const client = new SSMClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: {
      async handle({ body }: { body: Uint8Array }) {
        const { Name } = JSON.parse(new TextDecoder().decode(body));
        asked.push(Name);
        const Value = parameters[Name];
        const answer = Value ? { Parameter: { Name, Value } } : { __type: 'ParameterNotFound' };
        const { HttpResponse } = await import('@smithy/core/protocols');
        return {
          response: new HttpResponse({
            statusCode: Value ? 200 : 400,
            headers: { 'content-type': 'application/x-amz-json-1.1' },
            body: new Blob([JSON.stringify(answer)]).stream(),
          }),
        };
      },
    } as never,
  });
  return { client, asked };
};

test('from SSM: one look-up for concurrent callers, and a missing topic again after 30 s', async () => {
  const parameters: Record<string, string> = { '/topics/resize': arnOf('resize') };
  const { client, asked } = ssmWith(parameters);
  const topics = topicsFromSsm({ ssm: client, prefix: '/topics/' });
  expect(await Promise.all([topics('resize'), topics('resize')])).toEqual([arnOf('resize'), arnOf('resize')]);
  expect(await topics('resize')).toBe(arnOf('resize'));
  expect(asked).toEqual(['/topics/resize']);
  expect(await topics('crop')).toBeUndefined();
  parameters['/topics/crop'] = arnOf('crop');
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 29_000);
  expect(await topics('crop')).toBeUndefined();
  clock.mockReturnValue(now + 31_000);
  expect(await topics('crop')).toBe(arnOf('crop'));
  clock.mockRestore();
  expect(asked).toEqual(['/topics/resize', '/topics/crop', '/topics/crop']);
});

test('a parameter that is not a topic ARN counts as missing, and its value is in no error', async () => {
  const { client } = ssmWith({ password: 'hunter2', queue: 'arn:aws:sqs:us-east-1:123456789012:hunter2' });
  for (const name of ['password', 'queue']) {
    const error = await topicArn(name, topicsFromSsm({ ssm: client }), functionArn).catch((e) => e);
    expect(error).toMatchObject({ code: 'TOPIC_NOT_FOUND', message: expect.not.stringContaining('hunter2') });
  }
});

test('an ARN is that of a topic from its start, and is cached for 5 minutes', async () => {
  const { client, asked } = ssmWith({ resize: arnOf('resize'), crop: ` ${arnOf('crop')}` });
  const topics = topicsFromSsm({ ssm: client });
  const clock = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
  expect(await topics('crop')).toBeUndefined();
  expect(await topics('resize')).toBe(arnOf('resize'));
  clock.mockReturnValue(1_000_000 + 299_000);
  await topics('resize');
  expect(asked).toEqual(['crop', 'resize']);
  clock.mockReturnValue(1_000_000 + 301_000);
  await topics('resize');
  expect(asked).toEqual(['crop', 'resize', 'resize']);
  clock.mockRestore();
});

test('without its package the look-up says what to install', async () => {
  const { output } = await runNode(`
    ${withoutPackage('@aws-sdk/client-ssm')}
    const { topicsFromSsm } = await import('./middlewares/topicsFromSsm.ts');
    await topicsFromSsm()('resize').catch(({ code, message }) => console.log(code, message));`);
  expect(output).toBe(
    'MISSING_PACKAGE topicsFromSsm needs @aws-sdk/client-ssm: npm install @aws-sdk/client-ssm\n',
  );
});

test('a parameter without a value counts as missing, and any other fault is thrown', async () => {
  const answers = [
    async () => ({}),
    async () => ({ Parameter: {} }),
    () => Promise.reject(new Error('denied')),
  ];
  const topics = topicsFromSsm({ ssm: { send: () => answers.shift()?.() as never } });
  expect(await topics('a')).toBeUndefined();
  expect(await topics('b')).toBeUndefined();
  await expect(topics('c')).rejects.toThrow('denied');
});

test('cached topics expire', async () => {
  const { client, asked } = ssmWith({ resize: arnOf('resize') });
  const topics = topicsFromSsm({ ssm: client, maxAgeSeconds: 0 });
  await topics('resize');
  await topics('resize');
  expect(asked).toHaveLength(2);
});
