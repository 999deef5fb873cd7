import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { openText } from '../../../local/cli/openText.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const task = { task_name: 'resize', task_kwargs: { width: 200 } };
const open = (value: unknown) =>
  openText(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const attributes = { chain_id: { Type: 'String', Value: 'c-1' } };
const envelope = {
  Type: 'Notification',
  MessageId: 'sns-1',
  TopicArn: 'arn:aws:sns:us-east-1:123456789012:resize',
  Message: JSON.stringify(task),
  MessageAttributes: attributes,
};

test.each([
  ['a task', task, [], {}],
  ['an SNS envelope', envelope, ['SNS notification'], { chain_id: 'c-1' }],
  [
    'the answer of aws sqs receive-message',
    { Messages: [{ MessageId: 'm', Body: JSON.stringify(envelope) }] },
    ['SQS answer', 'SQS message', 'SNS notification'],
    { chain_id: 'c-1' },
  ],
  [
    'a raw message of the SDK',
    {
      MessageId: 'm',
      Body: JSON.stringify(task),
      MessageAttributes: { a: { StringValue: 'b', DataType: 'String' } },
    },
    ['SQS message'],
    { a: 'b' },
  ],
  ['a Lambda event', { Records: [sqsRecord(task)] }, ['Lambda event', 'SNS notification'], {}],
  ['a record', sqsRecord(task, { raw: true }), ['SQS record'], {}],
  [
    'an SNS event',
    { Records: [{ Sns: { MessageId: 'm', Message: JSON.stringify(task), TopicArn: 'a' } }] },
    ['Lambda event'],
    {},
  ],
  ['JSON in a string', JSON.stringify(JSON.stringify(task)), ['JSON text'], {}],
  ['base64', Buffer.from(JSON.stringify(task)).toString('base64'), ['base64'], {}],
  [
    'gzip in base64',
    gzipSync(JSON.stringify(envelope)).toString('base64'),
    ['base64', 'gzip', 'SNS notification'],
    { chain_id: 'c-1' },
  ],
  ['a stored value', { data_string: task, full_unpack: true, safe_mode: false }, ['stored value'], {}],
])('opens %s', (_, input, layers, attributes) => {
  expect(open(input)).toEqual([expect.objectContaining({ layers, content: task, attributes })]);
});

test('opens each message of a batch', () => {
  const names = ['a', 'b'].map((task_name) => sqsRecord({ task_name }));
  expect(open({ Records: names }).map(({ content }) => content)).toEqual([
    { task_name: 'a' },
    { task_name: 'b' },
  ]);
});

test('keeps tags, and every digit', () => {
  const text =
    '{"task_name":"a","task_kwargs":{"n":12345678901234567890,"at":{"_alg_class":"datetime","value":1}}}';
  expect(open(text)[0]?.content).toEqual({
    task_name: 'a',
    task_kwargs: { n: 12345678901234567890n, at: { _alg_class: 'datetime', value: 1 } },
  });
});

test.each([
  ['nothing', '', 'it is empty'],
  ['a text', 'hello, world!', 'JSON'],
  ['a text of base64 characters', 'abcdefghijkl', 'JSON'],
  [
    'endless wrappings',
    JSON.stringify(Array.from({ length: 10 }).reduce((text: string) => JSON.stringify(text), '{"')),
    'more than 8 times',
  ],
])('refuses %s', (_, input, message) => {
  expect(() => open(input)).toThrow(message);
});

test('a bomb of gzip ends', () => {
  expect(() => openText(gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toThrow();
});
