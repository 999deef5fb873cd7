import { describe, expect, test } from '@jest/globals';
import type { SqsRecord } from '../../../core/batch/events.ts';
import { AlgernonError } from '../../../core/errors.ts';
import { DeadLetterError, deadLetterMessage } from '../../../middlewares/aws/deadLetterMessage.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const text = (stringValue: string) => ({ dataType: 'String', stringValue });
const sent = (StringValue: string) => ({ DataType: 'String', StringValue });
const recordOf = (over: object = {}) => sqsRecord({ task_name: 'a' }, over) as unknown as SqsRecord;
const unreadable = Object.create(null);

describe('a dead letter', () => {
  test('has the body of the record, and the reason in attributes', () => {
    const record = recordOf({
      messageId: 'm',
      attributes: { MessageGroupId: 'g', AWSTraceHeader: 'Root=1' },
    });
    expect(deadLetterMessage(record, new TypeError('broken'), 'chain')).toEqual({
      body: record.body,
      attributes: {
        failure_reason: sent('TypeError: broken'),
        chain_id: sent('chain'),
        failure_code: sent('TypeError'),
        failed_message_id: sent('m'),
        failed_queue: sent(record.eventSourceARN),
      },
      groupId: 'g',
      deduplicationId: 'm',
      traceHeader: 'Root=1',
    });
  });

  test('keeps the attributes of the record, except for an earlier reason', () => {
    const messageAttributes = {
      own: text('x'),
      bytes: { dataType: 'Binary', binaryValue: 'AQI=' },
      chain_id: text('first'),
      failure_code: text('earlier'),
      broken: {},
    };
    const { attributes } = deadLetterMessage(
      recordOf({ messageAttributes }),
      new AlgernonError('CODE', 'no'),
      'c',
    );
    expect(attributes).toMatchObject({
      own: sent('x'),
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) },
      chain_id: sent('first'),
      failure_code: sent('CODE'),
    });
    expect(attributes).not.toHaveProperty('broken');
    expect(attributes?.['own']).not.toHaveProperty('BinaryValue');
    expect(attributes?.['bytes']).not.toHaveProperty('StringValue');
  });

  test('drops tracing attributes above ten, and then the last ones', () => {
    const own = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`own${n}`, text('x')]));
    const names = (count: number) =>
      Object.keys(
        deadLetterMessage(
          recordOf({ messageAttributes: { baggage: text('b'), traceparent: text('t'), ...own(count) } }),
          new Error('no'),
          'c',
        ).attributes ?? {},
      );
    expect(names(3)).toEqual(expect.arrayContaining(['baggage', 'traceparent', 'failed_queue']));
    expect(names(4)).not.toContain('baggage');
    expect(names(4)).toContain('traceparent');
    expect(names(5)).not.toContain('traceparent');
    expect([names(5).length, names(6).length]).toEqual([10, 10]);
    expect(names(6)).not.toContain('failed_queue');
  });

  test.each([
    ['text', 'string', 'string: text'],
    [undefined, 'undefined', 'undefined: undefined'],
    [unreadable, 'object', 'object: a value that cannot be shown'],
    [new Error('x'.repeat(2000)), 'Error', `Error: ${'x'.repeat(993)}`],
    [new Error('a\u0000b'), 'Error', 'Error: a\uFFFDb'],
    [
      Object.assign(new Error('no'), { name: unreadable }),
      'a value that cannot be shown',
      'a value that cannot be shown: no',
    ],
  ])('describes anything that is thrown: %#', (error, code, reason) => {
    expect(deadLetterMessage(recordOf(), error).attributes).toMatchObject({
      failure_code: sent(code),
      failure_reason: sent(reason),
    });
    expect(deadLetterMessage(recordOf(), error).attributes).not.toHaveProperty('chain_id');
  });

  test('has a reason even if a text of it is empty', () => {
    const error = Object.assign(new Error('no'), { name: '' });
    expect(deadLetterMessage(recordOf(), error).attributes?.['failure_code']).toEqual(sent('-'));
  });

  test.each<[string, unknown, string]>([
    ['an object', { task_name: 'a' }, '{"task_name":"a"}'],
    [
      'an envelope whose message was parsed',
      { Type: 'Notification', Message: { a: 1 } },
      '{"Type":"Notification","Message":"{\\"a\\":1}"}',
    ],
    ['an envelope', { Type: 'Notification', Message: 'x' }, '{"Type":"Notification","Message":"x"}'],
    ['a task with a Message', { Type: 'Other', Message: { a: 1 } }, '{"Type":"Other","Message":{"a":1}}'],
    ['nothing', undefined, 'null'],
  ])('restores a body that another middleware parsed: %s', (_, body, restored) => {
    expect(deadLetterMessage(recordOf({ body }), new Error('no')).body).toBe(restored);
  });

  test('is made of an incomplete record too', () => {
    const { body, attributes, deduplicationId } = deadLetterMessage({} as SqsRecord, new Error('no'), 'c');
    expect([body, deduplicationId]).toEqual(['null', 'undefined']);
    expect(Object.keys(attributes ?? {})).toEqual(['failure_reason', 'chain_id', 'failure_code']);
  });
});

test('a DeadLetterError has both errors, and is retryable', () => {
  const [failure, cause] = [new Error('first'), new Error('second')];
  expect(new DeadLetterError(failure, cause)).toMatchObject({
    name: 'DeadLetterError',
    code: 'DEAD_LETTER',
    retryable: true,
    failure,
    cause,
    message: expect.stringMatching(/Error: first.*Error: second/),
  });
  expect(new DeadLetterError(unreadable, unreadable).message).toContain('a value that cannot be shown');
});
