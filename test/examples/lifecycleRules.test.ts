import { readFileSync } from 'node:fs';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { cancelChain, idempotent, queued, s3Sink, sendGroup, sqsSnsUnwrap, storeData } from 'algernon-middy';
import { type LocalAws, startLocalAws } from 'algernon-middy/local';
import { readTemplate } from '../support/cloudFormation.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

test('each folder that the library writes has a lifecycle rule in the templates', async () => {
  const { s3, sns, bucket } = aws;
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'work' }));
  const task = { task_name: 'work', task_kwargs: {} };
  const handler = middy(queued(() => 1))
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(idempotent({ s3, bucket }));

  await storeData([1], { s3, bucket });
  await sendGroup([task], { then: 'work', s3, sns, bucket, topics: () => TopicArn });
  await cancelChain('a-chain', { s3, bucket });
  const event = { type: 'sent' as const, chainId: 'a-chain', messageId: 'm', taskName: 'work', at: 0 };
  await s3Sink({ s3, bucket }).write([event], { signal: AbortSignal.timeout(10_000) });
  await handler({ Records: [sqsRecord(task)] }, lambdaContext());

  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  const written = new Set(Contents.map(({ Key = '' }) => `${Key.split('/')[0]}/`));
  const template = new URL('../../examples/sam/template.yaml', import.meta.url);
  const { Bucket } = readTemplate(readFileSync(template, 'utf8')).Resources;
  const rules = [...written].sort().map((Prefix) => expect.objectContaining({ Prefix }));
  expect(Bucket?.Properties).toHaveProperty('LifecycleConfiguration.Rules', expect.arrayContaining(rules));
  expect(rules).toHaveLength(5);
});
