import { describe, expect, test } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import { MessageNotJsonError, NotATaskError, unwrapTask } from '../../../core/index.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const task = { task_name: 'resize', task_kwargs: { width: 200 }, callback: 'describe' };

test('unwraps an SNS envelope, a raw body, and a direct SNS notification', () => {
  expect(unwrapTask(sqsRecord(task))).toEqual(task);
  expect(unwrapTask(sqsRecord(task, { raw: true }))).toEqual(task);
  const Sns = { MessageId: 'm', TopicArn: 't', Message: JSON.stringify(task), Timestamp: '' };
  expect(unwrapTask({ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: '', Sns })).toEqual(
    task,
  );
});

test('accepts a body that another middleware has parsed', () => {
  const record = sqsRecord(task);
  const envelope = JSON.parse(record.body);
  expect(unwrapTask({ ...record, body: envelope })).toEqual(task);
  expect(unwrapTask({ ...record, body: { ...envelope, Message: task } as never })).toEqual(task);
});

test('unwraps only once', () => {
  const inner = JSON.parse(sqsRecord(task).body);
  expect(() => unwrapTask(sqsRecord(inner))).toThrow(NotATaskError);
});

test.each([
  ['another Type', { Type: 'SubscriptionConfirmation' }],
  ['no TopicArn', { TopicArn: undefined }],
  ['a Message that is not a string', { Message: 7 }],
])('with %s it is not an envelope', (_, change) => {
  const envelope = { ...JSON.parse(sqsRecord(task).body), ...change };
  expect(() => unwrapTask(sqsRecord(envelope, { raw: true }))).toThrow(NotATaskError);
  expect(unwrapTask(sqsRecord({ ...envelope, ...task }, { raw: true }))).toMatchObject(task);
});

test('keeps tags and every digit', () => {
  const text =
    '{"task_name":"a","task_kwargs":{"id":9007199254740993,"s":{"_alg_class":"set","value":[1]},"n":NaN}}';
  expect(unwrapTask(sqsRecord(text))).toEqual({
    task_name: 'a',
    task_kwargs: { id: 9007199254740993n, s: { _alg_class: 'set', value: [1] }, n: Number.NaN },
  });
});

test('keeps every digit of a Message that is JSON rather than text', () => {
  const text =
    '{"Type":"Notification","TopicArn":"t","Message":{"task_name":"a","task_kwargs":{"id":9007199254740993}}}';
  expect(unwrapTask(sqsRecord(text, { raw: true }))).toEqual({
    task_name: 'a',
    task_kwargs: { id: 9007199254740993n },
  });
});

describe('refuses anything but a task, with the message id', () => {
  test.each(['', '{', 'no json', '{"task_name":"a"} x'])('not JSON: %j', (text) => {
    for (const raw of [true, false]) {
      const record = sqsRecord(text, { raw });
      expect(() => unwrapTask(record)).toThrow(MessageNotJsonError);
      expect(() => unwrapTask(record)).toThrow(
        expect.objectContaining({ messageId: record.messageId, code: 'MESSAGE_NOT_JSON' }),
      );
    }
  });

  test.each([
    'null',
    '1',
    '"task"',
    '[]',
    '[{"task_name":"a"}]',
    '{}',
    '{"task_name":null}',
    '{"task_name":["a"]}',
  ])('JSON, but not a task: %s', (text) => {
    for (const raw of [true, false])
      expect(() => unwrapTask(sqsRecord(text, { raw }))).toThrow(NotATaskError);
  });

  test('for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.boolean(), (text, raw) => {
        try {
          expect(typeof unwrapTask(sqsRecord(text, { raw })).task_name).toBe('string');
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(MESSAGE_NOT_JSON|NOT_A_TASK)$/) });
        }
      }),
    );
  });
});

test('reads attributes from the envelope, or from SQS with raw delivery', () => {
  const record = sqsRecord(task);
  const MessageAttributes = { chain_id: { Type: 'String', Value: 'c1' }, list: { Type: 'String.Array' } };
  const enveloped = { ...record, body: JSON.stringify({ ...JSON.parse(record.body), MessageAttributes }) };
  expect(unwrap(enveloped).attributes).toStrictEqual({ chain_id: 'c1' });
  const messageAttributes: SQSRecord['messageAttributes'] = {
    chain_id: { stringValue: 'c2', dataType: 'String' },
  };
  expect(unwrap(sqsRecord(task, { raw: true, messageAttributes })).attributes).toEqual({ chain_id: 'c2' });
});

test('recognises an envelope with a parsed Message, whatever the Message is', () => {
  const pointer = ['software.amazon.payloadoffloading.PayloadS3Pointer', { s3Key: 'k' }];
  for (const Message of [{ task_name: 'work' }, { Input: {}, TaskToken: 't' }, pointer]) {
    const record = sqsRecord({ task_name: 'work' });
    const body = { ...JSON.parse(record.body), Message };
    expect(unwrap({ ...record, body } as never).content).toBe(Message);
  }
});
