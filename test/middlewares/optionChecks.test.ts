import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import { failurePolicy } from 'algernon-middy';
import { awsClient } from '../../middlewares/aws/optionChecks.ts';

const clients = { S3Client, SFNClient, SNSClient, SQSClient, SSMClient };

describe.each(Object.keys(clients))('the option of an %s', (name) => {
  test.each(Object.entries(clients))('and an %s', (given, Client) => {
    expect(awsClient(name).test(new Client({ region: 'us-east-1' }))).toBe(given === name);
  });
});

test('a fake client needs send() only', () => {
  expect(awsClient('SQSClient').test({ send: async () => {} })).toBe(true);
  expect(awsClient('SQSClient').test({ config: {} })).toBe(false);
  expect(awsClient('SQSClient').test(null)).toBe(false);
});

test('the client of another service is refused when the middleware is made', () => {
  const sqs = new SNSClient({ region: 'us-east-1' });
  expect(() => failurePolicy({ sqs })).toThrow('failurePolicy: sqs must be an SQSClient');
});
