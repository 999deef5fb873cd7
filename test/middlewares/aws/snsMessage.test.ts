import { describe, expect, test } from '@jest/globals';
import {
  attributeProblem,
  entryOf,
  fitAttributes,
  fitsMessage,
  isTracing,
  messageBytes,
  tooLarge,
} from '../../../middlewares/aws/snsMessage.ts';

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`own${n}`, 'x']));

describe('attributeProblem', () => {
  test.each<[string, unknown]>([
    ['a', 'x'],
    ['A.b-c_9', 'x'],
    ['a'.repeat(256), 'x'],
    ['xaws.a', 'x'],
    ['aws', 'x'],
    ['amazonx.a', 'x'],
    ['a', 0],
    ['a', -1.5],
    ['a', '\t\n\r \uD7FF\uE000\uFFFD\u{10000}\u{10FFFF}'],
  ])('accepts %j', (name, value) => {
    expect(attributeProblem(name, value)).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    ['', 'x', 'must have a name of 1 to 256'],
    ['a b', 'x', 'must have a name of 1 to 256'],
    [' a', 'x', 'must have a name of 1 to 256'],
    ['a ', 'x', 'must have a name of 1 to 256'],
    ['a'.repeat(257), 'x', 'must have a name of 1 to 256'],
    ['.a', 'x', 'must not begin with'],
    ['a.', 'x', 'must not begin with'],
    ['a..b', 'x', 'must not begin with'],
    ['AWS.a', 'x', 'must not begin with'],
    ['Amazon.a', 'x', 'must not begin with'],
    ['a', Number.NaN, 'must be a number, not NaN'],
    ['a', Number.POSITIVE_INFINITY, 'must be a number, not Infinity'],
    ['a', null, 'must be a string, not null'],
    ['a', undefined, 'must be a string, not undefined'],
    ['a', {}, 'must be a string, not object'],
    ['a', '', 'must not be empty'],
    ['a', 'x\u0000', 'has a character'],
    ['a', '\u0000x', 'has a character'],
    ['a', '\uD800', 'has a character'],
    ['a', '\uFFFE', 'has a character'],
  ])('refuses %j: %j', (name, value, problem) => {
    expect(attributeProblem(name, value)).toMatch(problem);
  });
});

describe('attributes of tracing', () => {
  test.each([
    ...[
      'baggage',
      'uberctx-a',
      'ot-baggage-a',
      'tracestate',
      'x-b3-sampled',
      'X-B3-Flags',
      'x-b3-parentspanid',
    ],
    ...[
      'traceparent',
      'b3',
      'x-b3-traceid',
      'x-b3-spanid',
      'uber-trace-id',
      'ot-tracer-a',
      'X-Amzn-Trace-Id',
    ],
    'AWSTraceHeader',
  ])('are known: %s', (name) => {
    expect(isTracing(name)).toBe(true);
    expect([isTracing(`x${name}`), /^uberctx|^ot-/.test(name) || !isTracing(`${name}x`)]).toEqual([
      false,
      true,
    ]);
  });

  test.each(['uberctx-', 'ot-baggage-', 'ot-tracer-', 'chain_id'])('are not: %s', (name) => {
    expect(isTracing(name)).toBe(false);
  });

  test('are dropped above ten attributes: baggage first, then the state, then the trace', () => {
    const tracing = { traceparent: 't', tracestate: 's', baggage: 'b' };
    expect(fitAttributes({ ...tracing, ...many(7) })).toEqual({ ...tracing, ...many(7) });
    expect(fitAttributes({ ...tracing, ...many(8) })).toEqual({
      traceparent: 't',
      tracestate: 's',
      ...many(8),
    });
    expect(fitAttributes({ ...tracing, ...many(9) })).toEqual({ traceparent: 't', ...many(9) });
    expect(fitAttributes({ ...tracing, ...many(10) })).toEqual(many(10));
  });

  test('are dropped while all attributes have too many bytes, the last of a kind first', () => {
    const attributes = { baggage: 'x', 'ot-baggage-a': 'y', own: 'z' };
    // Name, type and value of each: 14, 19 and 10.
    expect(fitAttributes(attributes, 43)).toEqual(attributes);
    expect(fitAttributes(attributes, 42)).toEqual({ baggage: 'x', own: 'z' });
    expect(fitAttributes(attributes, 23)).toEqual({ own: 'z' });
    expect(fitAttributes(attributes, 0)).toEqual({ own: 'z' });
  });

  test('are dropped if SNS would refuse them; other attributes are an error', () => {
    expect(fitAttributes({ own: 'x', baggage: '' })).toEqual({ own: 'x' });
    expect(() => fitAttributes({ own: '' })).toThrow(
      expect.objectContaining({ name: 'PublishError', code: 'BAD_ATTRIBUTES', path: 'attributes.own' }),
    );
    const long = `${'a'.repeat(100)} `;
    expect(() => fitAttributes({ [long]: 'x' })).toThrow(
      expect.objectContaining({ path: `attributes.${'a'.repeat(80)}` }),
    );
  });
});

test('more than ten attributes are an error that names them', () => {
  expect(() => fitAttributes(many(11))).toThrow(expect.objectContaining({ code: 'BAD_ATTRIBUTES' }));
  expect(() => fitAttributes(many(11))).toThrow(/this one has 11: "own0", "own1",.*"own10"\.$/);
  expect(() => fitAttributes(many(40))).toThrow(/"own29"\.$/);
});

test('an attribute named __proto__ is one like any other', () => {
  const attributes = JSON.parse('{"__proto__":"x"}');
  expect(Object.keys(fitAttributes(attributes))).toEqual(['__proto__']);
});

test('counts the bytes of body, subject, and the name, type and value of each attribute', () => {
  const message = { topicArn: 't', message: 'é', subject: 'ab' };
  expect(messageBytes({ topicArn: 't', message: 'é' })).toBe(2);
  expect(messageBytes(message)).toBe(4);
  expect(messageBytes({ ...message, attributes: { é: 'é', n: 12 } })).toBe(4 + (2 + 6 + 2) + (1 + 6 + 2));
});

test('a message fits by the bytes that cannot be dropped', () => {
  const message = { topicArn: 't', message: 'abc', attributes: { a: 'b', baggage: 'x'.repeat(100) } };
  expect([fitsMessage(message, 11), fitsMessage(message, 10)]).toEqual([true, false]);
  expect([3, 2].map((limit) => fitsMessage({ topicArn: 't', message: 'abc' }, limit))).toEqual([true, false]);
});

describe('an entry of PublishBatch', () => {
  const standard = { topicArn: 'arn:aws:sns:us-east-1:1:next', message: 'abc', deduplicationId: 'd' };
  const fifo = { ...standard, topicArn: `${standard.topicArn}.fifo` };

  test('has the attributes with their types, and a subject only if there is one', () => {
    const { entry, bytes } = entryOf({ ...standard, subject: 's', attributes: { a: 'b', n: 1 } }, '0', 100);
    expect(entry).toStrictEqual({
      Id: '0',
      Message: 'abc',
      Subject: 's',
      MessageAttributes: {
        a: { DataType: 'String', StringValue: 'b' },
        n: { DataType: 'Number', StringValue: '1' },
      },
    });
    expect(bytes).toBe(3 + 1 + 8 + 8);
    expect(entryOf({ ...standard, subject: '' }, '1', 100).entry).toStrictEqual({
      Id: '1',
      Message: 'abc',
      MessageAttributes: {},
    });
  });

  test('has a group and a deduplication id in a FIFO topic, and a given group in any topic', () => {
    expect(entryOf(fifo, '0', 100).entry).toMatchObject({ MessageGroupId: 'd', MessageDeduplicationId: 'd' });
    expect(entryOf({ ...fifo, groupId: 'g' }, '0', 100).entry).toMatchObject({
      MessageGroupId: 'g',
      MessageDeduplicationId: 'd',
    });
    const { entry } = entryOf({ ...standard, groupId: 'g' }, '0', 100);
    expect(entry).toMatchObject({ MessageGroupId: 'g' });
    expect(entry).not.toHaveProperty('MessageDeduplicationId');
  });

  test('drops tracing attributes to fit, and is an error above the limit', () => {
    const traced = { ...standard, attributes: { a: 'b', baggage: 'x' } };
    expect(entryOf(traced, '0', 11)).toMatchObject({ bytes: 11 });
    expect(entryOf(traced, '0', 25)).toMatchObject({ bytes: 25 });
    expect(() => entryOf(traced, '0', 10)).toThrow(
      expect.objectContaining({ name: 'PublishError', code: 'MESSAGE_TOO_LARGE' }),
    );
    expect(tooLarge(11, 10).message).toContain('has 11 bytes; its topic or queue accepts 10');
  });
});
