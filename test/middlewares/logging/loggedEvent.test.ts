import { describe, expect, test } from '@jest/globals';
import { loggedEvent } from '../../../middlewares/logging/loggedEvent.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const json = JSON.stringify;

describe('an event in a line', () => {
  test('keeps values that are not JSON objects or lists', () => {
    const event = {
      task_name: 'a',
      n: 1,
      none: null,
      yes: true,
      number: '12',
      word: 'true',
      text: '"{"',
      open: '{x',
    };
    expect(loggedEvent(event, [])).toStrictEqual(event);
    expect(loggedEvent(null, [])).toBeNull();
    expect(loggedEvent('text', [])).toBe('text');
  });

  test('has the JSON in its strings parsed, in lists too', () => {
    const event = { task_name: 'a', task_kwargs: { list: [json({ n: 1 }), 2], text: ` ${json([3])}` } };
    expect(loggedEvent(event, [])).toStrictEqual({
      task_name: 'a',
      task_kwargs: { list: [{ n: 1 }, 2], text: [3] },
    });
  });

  test('has six levels of JSON in JSON parsed', () => {
    let event: unknown = { deepest: true };
    for (let level = 0; level < 8; level += 1) event = { in: json(event) };
    let found = loggedEvent(event, []);
    let levels = 0;
    for (; typeof found === 'object'; levels += 1) found = (found as { in: unknown }).in;
    expect(levels).toBe(7);
    expect(found).toBe(json({ in: json({ deepest: true }) }));
  });

  test('from SNS has its message parsed and redacted', () => {
    const record = (message: string) => ({
      EventSource: 'aws:sns',
      Sns: { MessageId: 'm', TopicArn: 'arn:aws:sns:us-east-1:1:work', Message: message },
    });
    const event = { Records: [record(json({ task_name: 'a', task_kwargs: { card: '4111' } }))] };
    expect(loggedEvent(event, [['task_kwargs', 'card']])).toStrictEqual({
      Records: [
        {
          ...record(''),
          Sns: { ...record('').Sns, Message: { task_name: 'a', task_kwargs: { card: '[redacted]' } } },
        },
      ],
    });
    expect(event.Records[0]?.Sns.Message).toContain('4111');
  });

  test('from SQS keeps the form of its messages, raw or in an envelope', () => {
    const task = { task_name: 'a', task_kwargs: { n: 1 } };
    const records = [sqsRecord(task), sqsRecord(task, { raw: true }), sqsRecord('plain', { raw: true })];
    const [envelope, raw, plain] = (loggedEvent({ Records: records }, []) as { Records: { body: unknown }[] })
      .Records;
    expect(envelope?.body).toStrictEqual({ ...JSON.parse(records[0]?.body ?? ''), Message: task });
    expect([raw?.body, plain?.body]).toStrictEqual([task, 'plain']);
  });

  test('that is a list of records stays a list', () => {
    const records = [sqsRecord({ task_name: 'a' }, { raw: true })];
    expect(loggedEvent(records, [])).toStrictEqual([{ ...records[0], body: { task_name: 'a' } }]);
  });
});

test.each(['Input', 'payload'])(
  'the arguments of a task are in its %s, with or without task_kwargs',
  (key) => {
    const event = { task_name: 'a', [key]: { card: '4111', city: 'Bern' } };
    for (const path of [['task_kwargs', 'card'], ['card'], [key, 'card']]) {
      expect(loggedEvent(event, [path])).toStrictEqual({
        task_name: 'a',
        [key]: { card: '[redacted]', city: 'Bern' },
      });
    }
    expect(loggedEvent(event, [['other', 'card']])).toStrictEqual(event);
  },
);
