import { describe, expect, test } from '@jest/globals';
import type { SendTaskOptions } from '../../../middlewares/index.ts';
import { carrierOf } from '../../../middlewares/sending/carrierOf.ts';
import { scheduleMessage } from '../../../middlewares/sending/scheduleMessage.ts';
import { envelopeWithin, fitsQueue, sendDelayed } from '../../../middlewares/sending/sendDelayed.ts';

const topicArn = 'arn:aws:sns:us-east-1:123456789012:work';
const queue = 'https://sqs.us-east-1.amazonaws.com/123456789012/work';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const messageOf = (attributes?: Record<string, string>) => ({
  topicArn,
  message: '{"task_name":"é"}',
  ...(attributes && { attributes }),
});
const bytesOf = (attributes?: Record<string, string>) =>
  Buffer.byteLength(envelopeWithin(messageOf(attributes), '0'.repeat(36), 10_000));

describe('a message fits into a queue', () => {
  test.each([undefined, {}, { tenant: 'ü' }])(
    'with the attributes %j by the bytes of its envelope',
    (own) => {
      const bytes = bytesOf(own);
      expect(fitsQueue(messageOf(own), bytes)).toBe(true);
      expect(fitsQueue(messageOf(own), bytes - 1)).toBe(false);
    },
  );

  test('without its tracing attributes, since those may be dropped', () => {
    const own = { tenant: 'a' };
    expect(fitsQueue(messageOf({ ...own, traceparent }), bytesOf(own))).toBe(true);
    expect(fitsQueue(messageOf({ ...own, traceparent }), bytesOf(own) - 1)).toBe(false);
  });
});

describe('the envelope of a message', () => {
  const at = new Date(0);
  const envelope = (over: object, maxBytes = 10_000) =>
    JSON.parse(envelopeWithin({ topicArn, message: '{}', ...over }, 'id', maxBytes, at));
  const least = {
    Type: 'Notification',
    MessageId: 'id',
    TopicArn: topicArn,
    Message: '{}',
    Timestamp: '1970-01-01T00:00:00.000Z',
  };

  test('is that of SNS: with a subject and attributes only if there are some', () => {
    expect(envelope({})).toEqual(least);
    expect(envelope({ subject: '', attributes: {} })).toEqual(least);
    expect(envelope({ subject: 'callback', attributes: { tenant: 'blue', size: 5 } })).toEqual({
      ...least,
      Subject: 'callback',
      MessageAttributes: {
        tenant: { Type: 'String', Value: 'blue' },
        size: { Type: 'Number', Value: '5' },
      },
    });
  });

  test('drops tracing attributes beyond the limit, and is refused if it is still larger', () => {
    const bytes = Buffer.byteLength(JSON.stringify(least));
    const attributes = { traceparent };
    const traced = { ...least, MessageAttributes: { traceparent: { Type: 'String', Value: traceparent } } };
    const tracedBytes = Buffer.byteLength(JSON.stringify(traced));
    expect(envelope({ attributes }, tracedBytes)).toEqual(traced);
    expect(envelope({ attributes }, tracedBytes - 1)).toEqual(least);
    expect(envelope({ attributes }, bytes)).toEqual(least);
    expect(() => envelope({ attributes }, bytes - 1)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    );
  });
});

describe('sendDelayed', () => {
  const sent: unknown[] = [];
  const sqs = {
    async send({ input }: { input: { Entries: readonly { Id: string; MessageBody: string }[] } }) {
      sent.push(...input.Entries.map(({ MessageBody }) => JSON.parse(MessageBody)));
      return { Successful: input.Entries.map(({ Id }) => ({ Id, MessageId: 'id' })), Failed: [] };
    },
  };

  test.each([
    { queue: `${queue}.fifo`, topicArn },
    { queue, topicArn: `${topicArn}.fifo` },
  ])('refuses $queue of $topicArn alone', async (address) => {
    const [refused, accepted] = await sendDelayed(
      [
        { ...messageOf(), ...address, delaySeconds: 5 },
        { ...messageOf(), queue, delaySeconds: 5, messageId: 'm' },
      ],
      { sqs },
    );
    expect(refused).toMatchObject({ error: { code: 'FIFO_DELAY' } });
    expect(accepted).toEqual({ messageId: 'm' });
    expect(sent.splice(0)).toMatchObject([{ MessageId: 'm', TopicArn: topicArn }]);
  });
});

describe('a message fits into a schedule', () => {
  const at = new Date(Date.now() + 3_600_000);
  const fits = (length: number, options: Partial<SendTaskOptions> = {}) =>
    carrierOf({ at, schedule: { roleArn: 'arn:aws:iam::1:role/r' }, ...options } as SendTaskOptions).fits({
      topicArn,
      // Each quotation mark is escaped once more.
      message: '"'.repeat(length),
    });

  test('with what the call to a FIFO queue adds', () => {
    // 262,144 bytes of input, 2,048 for the call, and the envelope: a mark takes four bytes.
    expect(fits(64_900)).toBe(true);
    expect(fits(65_100)).toBe(false);
    expect(fits(66_000)).toBe(false);
  });

  test('within the limit of the queue', () => {
    expect(fits(100, { maxMessageBytes: 1000 })).toBe(true);
    expect(fits(300, { maxMessageBytes: 1000 })).toBe(false);
  });
});

describe('the call that Scheduler makes for a FIFO queue', () => {
  test('has at most 262,144 bytes', async () => {
    const inputs: string[] = [];
    const scheduler = {
      send: async (command: { input: { Target: { Input: string } } }) =>
        void inputs.push(command.input.Target.Input),
    };
    const options = {
      schedule: { roleArn: 'arn:aws:iam::1:role/r' },
      scheduler: scheduler as never,
      maxMessageBytes: 1_000_000,
    };
    const schedule = (length: number) =>
      scheduleMessage(
        {
          topicArn: `${topicArn}.fifo`,
          queue: `${queue}.fifo`,
          message: 'x'.repeat(length),
          messageId: 'id',
          at: new Date(0),
        },
        options,
      );
    await schedule(0);
    const room = 262_144 - Buffer.byteLength(inputs[0] ?? '');
    await schedule(room);
    await expect(schedule(room + 1)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(inputs).toHaveLength(2);
  });
});
