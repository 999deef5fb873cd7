import type { PublishBatchCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { fitAttributes, fitsMessage, messageBytes } from '../../middlewares/aws/snsMessage.ts';
import { snsPublisher } from '../../middlewares/aws/snsPublisher.ts';

const topicArn = 'arn:aws:sns:us-east-1:123456789012:work';

/** A fake SNS, since fauxqs never throttles: `failing` returns the code with which an entry fails. */
function throttlingSns(failing: (id: string, call: number) => string | undefined) {
  const calls: PublishBatchCommandInput[] = [];
  const sns = {
    async send({ input }: { input: PublishBatchCommandInput }) {
      calls.push(input);
      const ids = (input.PublishBatchRequestEntries ?? []).map(({ Id }) => String(Id));
      const codes = ids.map((Id) => ({ Id, Code: failing(Id, calls.length) }));
      return {
        Successful: codes.filter(({ Code }) => !Code).map(({ Id }) => ({ Id, MessageId: `sns-${Id}` })),
        Failed: codes
          .filter(({ Code }) => Code)
          .map(({ Id, Code }) => ({ Id, Code, SenderFault: Code !== 'InternalError' })),
      };
    },
  } as unknown as SNSClient;
  return { sns, calls };
}
const messages = (count: number): TaskMessage[] =>
  Array.from({ length: count }, (_, n) => ({ topicArn, message: `{"n":${n}}` }));
const idsOf = (call?: PublishBatchCommandInput) => call?.PublishBatchRequestEntries?.map(({ Id }) => Id);

describe('entries that fail in a batch that SNS accepted', () => {
  test.each(['Throttled', 'InternalError'])('%s: only they are sent again', async (code) => {
    const { sns, calls } = throttlingSns((id, call) => (call < 3 && Number(id) >= 2 ? code : undefined));
    const outcomes = await snsPublisher({ sns }).send(messages(4));
    expect(calls.map(idsOf)).toEqual([
      ['0', '1', '2', '3'],
      ['2', '3'],
      ['2', '3'],
    ]);
    expect(outcomes).toEqual([0, 1, 2, 3].map((n) => ({ messageId: `sns-${n}` })));
  });

  test('are given up as retryable after four more attempts', async () => {
    const { sns, calls } = throttlingSns(() => 'Throttled');
    const [error] = await snsPublisher({ sns }).publish(messages(1));
    expect(calls).toHaveLength(5);
    expect(error).toMatchObject({ name: 'PublishError', code: 'PUBLISH_FAILED', retryable: true });
  });

  test('are not sent again if SNS refuses their content', async () => {
    const { sns, calls } = throttlingSns((id) => (id === '1' ? 'InvalidParameter' : undefined));
    const [sent, refused] = await snsPublisher({ sns }).publish(messages(2));
    expect([sent, calls.length]).toEqual([undefined, 1]);
    expect(refused).toMatchObject({ retryable: false });
  });

  test('are not sent again once the signal is aborted', async () => {
    const stop = new AbortController();
    const { sns, calls } = throttlingSns(() => {
      stop.abort();
      return 'Throttled';
    });
    const [error] = await snsPublisher({ sns }).publish(messages(1), stop.signal);
    expect([calls.length, error]).toEqual([1, expect.objectContaining({ retryable: true })]);
  });
});

test('the batches of a FIFO topic are sent one after the other', async () => {
  let underWay = 0;
  let most = 0;
  const sns = {
    async send({ input }: { input: PublishBatchCommandInput }) {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return { Successful: input.PublishBatchRequestEntries?.map(({ Id }) => ({ Id, MessageId: Id })) };
    },
  } as unknown as SNSClient;
  const fifo = messages(25).map((message, n) => ({
    ...message,
    topicArn: `${topicArn}.fifo`,
    groupId: 'g',
    deduplicationId: `${n}`,
  }));
  await snsPublisher({ sns }).send(fifo);
  expect(most).toBe(1);
  await snsPublisher({ sns }).send(messages(25));
  expect(most).toBe(3);
});

test('sends the group on a standard topic too, the deduplication id only on a FIFO topic', async () => {
  const { sns, calls } = throttlingSns(() => undefined);
  const [message] = messages(1) as [TaskMessage];
  const grouped = { ...message, groupId: 'blue', deduplicationId: 'd' };
  await snsPublisher({ sns }).send([grouped, { ...message, deduplicationId: 'd' }]);
  await snsPublisher({ sns }).send([{ ...message, topicArn: `${topicArn}.fifo`, deduplicationId: 'd' }]);
  const [first, second, third] = calls.flatMap((call) => call.PublishBatchRequestEntries ?? []);
  expect(first).toMatchObject({ MessageGroupId: 'blue' });
  expect(Object.keys({ ...first, ...second })).not.toContain('MessageDeduplicationId');
  expect(second).not.toHaveProperty('MessageGroupId');
  expect(third).toMatchObject({ MessageGroupId: 'd', MessageDeduplicationId: 'd' });
});

describe('attributes', () => {
  const some = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, 'v']));
  const trace = { traceparent: '00-1', tracestate: 'a=b', baggage: 'c=d' };

  test('of tracing are dropped first: baggage, then tracestate, the trace last', () => {
    expect(Object.keys(fitAttributes({ ...trace, ...some(7) }))).toHaveLength(10);
    expect(fitAttributes({ ...trace, ...some(8) })).toEqual({
      traceparent: '00-1',
      tracestate: 'a=b',
      ...some(8),
    });
    expect(fitAttributes({ ...trace, ...some(9) })).toEqual({ traceparent: '00-1', ...some(9) });
    expect(fitAttributes({ ...trace, AWSTraceHeader: 'Root=1', ...some(10) })).toEqual(some(10));
  });

  test('over ten are refused', () => {
    expect(() => fitAttributes({ ...trace, ...some(11) })).toThrow(
      /at most 10 attributes, and this one has 11/,
    );
  });

  test.each<[string, unknown]>([
    ['a b', 'v'],
    ['', 'v'],
    ['.a', 'v'],
    ['a.', 'v'],
    ['a..b', 'v'],
    ['AWS.x', 'v'],
    ['amazon.x', 'v'],
    ['x'.repeat(257), 'v'],
    ['a', ''],
    ['a', undefined],
    ['a', null],
    ['a', {}],
    ['a', true],
    ['a', Number.NaN],
    ['a', Number.POSITIVE_INFINITY],
    ['a', '\0'],
    ['a', '\uFFFF'],
    ['a', '\uD800'],
  ])('%j: %p is refused by name', (name, value) => {
    expect(() => fitAttributes({ [name]: value })).toThrow(
      expect.objectContaining({
        name: 'PublishError',
        code: 'BAD_ATTRIBUTES',
        retryable: false,
        message: expect.stringContaining(JSON.stringify(name.slice(0, 80))),
      }),
    );
  });

  test.each(['AWSx', 'a.b', 'A-1_z', 'x'.repeat(256)])('the name %s is accepted', (name) => {
    expect(fitAttributes({ [name]: 'tab\t, line\n, 😀' })).toEqual({ [name]: 'tab\t, line\n, 😀' });
  });

  test('of tracing that are invalid are dropped', () => {
    expect(fitAttributes({ tracestate: '', a: 1 })).toEqual({ a: 1 });
  });
});

test('a message that only fits without tracing is sent without it, and fitsMessage agrees', async () => {
  const { sns, calls } = throttlingSns(() => undefined);
  const message = { topicArn, message: 'x'.repeat(100), attributes: { a: 'b', baggage: 'y'.repeat(100) } };
  const limit = messageBytes({ ...message, attributes: { a: 'b' } });
  expect([fitsMessage(message, limit), fitsMessage(message, limit - 1)]).toEqual([true, false]);
  const publisher = snsPublisher({ sns, maxMessageBytes: limit });
  expect(await publisher.publish([message])).toEqual([undefined]);
  expect(Object.keys(calls[0]?.PublishBatchRequestEntries?.[0]?.MessageAttributes ?? {})).toEqual(['a']);
});

test('no batch is over ten messages or the size limit, and every message is in exactly one', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 60 }), async (sizes) => {
      const { sns, calls } = throttlingSns(() => undefined);
      const sent = await snsPublisher({ sns, maxMessageBytes: 100 }).publish(
        sizes.map((size) => ({ topicArn, message: 'x'.repeat(size) })),
      );
      expect(sent.map((error) => Boolean(error))).toEqual(sizes.map((size) => size > 100));
      const batches = calls.map((call) => call.PublishBatchRequestEntries ?? []);
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(10);
        expect(batch.reduce((sum, { Message = '' }) => sum + Message.length, 0)).toBeLessThanOrEqual(100);
      }
      expect(batches.flat()).toHaveLength(sizes.filter((size) => size <= 100).length);
    }),
  ));
