import { describe, expect, jest, test } from '@jest/globals';
import { assertAnswer } from '../../../core/batch/assertAnswer.ts';
import {
  assertNotDurable,
  describeEvent,
  EventError,
  eventKind,
  isStateEvent,
  messageIdOf,
  recordsOf,
  taskOfEvent,
} from '../../../core/batch/events.ts';
import { identityOf } from '../../../core/batch/identity.ts';
import { isLarge } from '../../../core/batch/isLarge.ts';
import { EventReplacedError, Ledger } from '../../../core/batch/ledger.ts';
import { BatchFailedError, letHookRead, settledBatch } from '../../../core/batch/settledBatch.ts';
import { checkTask, isEnvelope, readMessage, unwrap, unwrapTask } from '../../../core/batch/unwrapTask.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const task = { task_name: 'a', task_kwargs: { b: 1 } };
const snsRecord = (over: object = {}) => ({
  EventSource: 'aws:sns',
  Sns: { MessageId: 'sns-1', Message: JSON.stringify(task), Timestamp: '2026-01-02T03:04:05.678Z', ...over },
});

describe('a message', () => {
  test('is taken out of its envelope, with its attributes as texts', () => {
    const record = sqsRecord(task);
    const envelope = JSON.parse(record.body);
    envelope.MessageAttributes = { a: { Type: 'String', Value: 'x' }, b: { Type: 'Binary' }, c: null };
    record.body = JSON.stringify(envelope);
    expect(unwrap(record)).toEqual({
      content: task,
      attributes: { a: 'x' },
      notification: { messageId: envelope.MessageId, timestamp: envelope.Timestamp },
    });
    expect(unwrapTask(record)).toEqual(task);
    const odd = { ...envelope, MessageId: 1, Timestamp: 2 };
    expect(unwrap({ ...record, body: JSON.stringify(odd) }).notification).toEqual({
      messageId: undefined,
      timestamp: undefined,
    });
  });

  test('may be raw, parsed already or from SNS itself', () => {
    const messageAttributes = { a: { stringValue: 'x', dataType: 'String' }, b: { dataType: 'Binary' } };
    const raw = sqsRecord(task, { raw: true, messageAttributes } as never);
    expect(unwrap(raw)).toEqual({ content: task, attributes: { a: 'x' } });
    expect(unwrap({ ...raw, body: task as never }).content).toEqual(task);
    expect(unwrap({ ...raw, messageAttributes: undefined } as never).attributes).toEqual({});
    expect(unwrap(snsRecord({ MessageAttributes: { a: { Value: 'x' } } }) as never)).toEqual({
      content: task,
      attributes: { a: 'x' },
      notification: { messageId: 'sns-1', timestamp: '2026-01-02T03:04:05.678Z' },
    });
    const parsed = { Type: 'Notification', TopicArn: 't', Message: task };
    expect(unwrap({ ...raw, body: parsed as never }).content).toEqual(task);
  });

  test('keeps every digit, whether or not it looks like an envelope', () => {
    const digits = '12345678901234567890';
    const body = `{"Type":"Notification","task_name":"a","task_kwargs":{"n":${digits}}}`;
    const { content } = unwrap({ ...sqsRecord(task), body });
    expect(content).toMatchObject({ task_kwargs: { n: BigInt(digits) } });
    const inner = `{ "task_name":"a","task_kwargs":{"n":${digits}}}`;
    const envelope = { Type: 'Notification', TopicArn: 't', Message: inner };
    for (const space of [0, 1]) {
      const text = ` ${JSON.stringify(envelope, null, space)}`;
      expect(unwrap({ ...sqsRecord(task), body: text }).content).toMatchObject({
        task_kwargs: { n: BigInt(digits) },
      });
    }
  });

  test.each([
    [{ Type: 'Notification', TopicArn: 't', Message: '' }, true],
    [{ Type: 'Notification', TopicArn: 't', Message: {} }, true],
    [{ Type: 'Notification', TopicArn: 't', Message: null }, false],
    [{ Type: 'Notification', TopicArn: 't', Message: 1 }, false],
    [{ Type: 'Notification', TopicArn: 1, Message: '' }, false],
    [{ Type: 'Other', TopicArn: 't', Message: '' }, false],
    [null, false],
    [undefined, false],
    ['Notification', false],
  ])('%j is an envelope: %s', (value, expected) => {
    expect(isEnvelope(value)).toBe(expected);
  });

  test.each<[unknown, string]>([
    [{ task_name: 1 }, 'task_name must be a string'],
    [{ other: 1 }, 'it is an object with the keys "other", and task_name is missing'],
    [null, 'it is null, and task_name is missing'],
    ['task_name', 'it is a string, and task_name is missing'],
    [{ Type: 'SubscriptionConfirmation' }, 'it is the SubscriptionConfirmation of an SNS topic'],
    [{ Type: 'UnsubscribeConfirmation' }, 'it is the UnsubscribeConfirmation of an SNS topic'],
    [
      { Service: 'Amazon S3', Event: 's3:TestEvent' },
      'it is the test event that S3 sends when notifications are set up; delete it',
    ],
    [{ Service: 'Amazon S3', Event: 'other' }, 'it is an object with the keys "Service", "Event", and'],
    [
      { Service: 'other', Event: 's3:TestEvent' },
      'it is the test event that S3 sends when notifications are set up, and',
    ],
    [{ task_name: 'a', task_kwargs: [] }, 'task_kwargs must be an object, not an array'],
    [{ task_name: 'a', task_kwargs: 'x' }, 'task_kwargs must be an object, not a string'],
  ])('%j is not a task', (content, reason) => {
    expect(thrownBy(() => checkTask(content, 'm-1'))).toMatchObject({
      name: 'NotATaskError',
      code: 'NOT_A_TASK',
      messageId: 'm-1',
      retryable: false,
      path: reason.startsWith('task_kwargs') ? '$.task_kwargs' : '$',
      message: expect.stringContaining(`Not a task: ${reason}`),
    });
  });

  test('may have no arguments', () => {
    for (const task_kwargs of [undefined, null, {}]) {
      expect(checkTask({ task_name: 'a', task_kwargs })).toEqual({ task_name: 'a', task_kwargs });
    }
  });

  test('that is not JSON is an error with the position, and empty for other stages', () => {
    const record = { ...sqsRecord(task), body: '{"a":' };
    expect(thrownBy(() => unwrap(record))).toMatchObject({
      name: 'MessageNotJsonError',
      code: 'MESSAGE_NOT_JSON',
      messageId: record.messageId,
      path: '$',
      cause: { name: 'AjsonError' },
      message: expect.stringContaining('The message is not JSON: '),
    });
    expect(readMessage({ unwrap: () => unwrap(record) })).toEqual({ content: undefined, attributes: {} });
  });
});

describe('an event', () => {
  const sqs = sqsRecord(task);

  test.each<[string, unknown, string]>([
    ['a batch', { Records: [sqs] }, 'sqs'],
    ['an empty batch', { Records: [] }, 'sqs'],
    ['records of Pipes', [sqs], 'sqs'],
    ['an empty list', [], 'other'],
    ['records of SNS', { Records: [snsRecord()] }, 'sns'],
    ['mixed records', { Records: [sqs, snsRecord()] }, 'other'],
    ['a record without an id', { Records: [{ body: '' }] }, 'other'],
    ['a record with an empty id', { Records: [{ messageId: '', body: '' }] }, 'other'],
    ['a record without a body', { Records: [{ messageId: 'a' }] }, 'other'],
    ['a notification without an id', { Records: [{ Sns: { Message: '' } }] }, 'other'],
    ['a notification without a message', { Records: [{ Sns: { MessageId: 'a' } }] }, 'other'],
    ['records that are null', { Records: [null] }, 'other'],
    ['a task', task, 'direct'],
    ['a task with a field Records', { ...task, Records: [1] }, 'direct'],
    ['a task with no records', { ...task, Records: [] }, 'direct'],
    ['a task with messages', { ...task, Records: [sqs] }, 'other'],
    ['a state', { sfn_context: { State: { Name: 'a' } } }, 'direct'],
    ['nothing', null, 'other'],
    ['a text', 'a', 'other'],
  ])('%s is of the kind %3$s', (_, event, kind) => {
    expect(eventKind(event)).toBe(kind);
  });

  test('has records, each with an id', () => {
    expect(recordsOf({ Records: [1] })).toEqual([1]);
    expect(recordsOf([1])).toEqual([1]);
    for (const other of [null, undefined, {}, { Records: {} }]) expect(recordsOf(other)).toBeUndefined();
    expect([sqs, snsRecord() as never].map(messageIdOf)).toEqual([sqs.messageId, 'sns-1']);
  });

  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'a undefined'],
    [1, 'a number'],
    [[], 'an empty array'],
    [{}, 'an empty object'],
    [{ ...task, Records: [sqs] }, 'a task that has records too'],
    [{ requestContext: {} }, 'an API request'],
    [{ httpMethod: 'GET' }, 'an API request'],
    [{ 'detail-type': 'a', source: 'b' }, 'an EventBridge event'],
    [{ 'detail-type': 'a' }, 'an object with the keys "detail-type"'],
    [{ source: 'serverless-plugin-warmup' }, 'a warm-up event'],
    [{ source: 'b' }, 'an object with the keys "source"'],
    [{ Event: 's3:TestEvent' }, 'the test event that S3 sends'],
    [{ awslogs: {} }, 'a CloudWatch Logs event'],
    [{ triggerSource: 'a' }, 'a Cognito event'],
    [{ deliveryStreamArn: 'a' }, 'a Firehose event'],
    [{ eventSource: 'a"b' }, 'an event of "a\\"b"'],
    [{ eventSource: 1 }, 'an object with the keys "eventSource"'],
    [{ task_name: 1 }, 'an object whose task_name is not a string'],
    [{ a: 1, b: 1, c: 1, d: 1, e: 1 }, 'an object with the keys "a", "b", "c", "d", "e".'],
    [{ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }, 'an object with the keys "a", "b", "c", "d", "e", ….'],
    [{ ['x'.repeat(41)]: 1 }, `an object with the keys "${'x'.repeat(40)}"`],
    [{ Records: [{ eventSource: 'aws:sqs' }] }, 'SQS records of which some have no messageId'],
    [{ Records: [{ messageId: 'a' }] }, 'SQS records of which some have no messageId'],
    [{ Records: [{ body: 'a' }] }, 'SQS records of which some have no messageId'],
    [{ Records: [{ EventSource: 'aws:ses' }] }, 'records of "aws:ses"'],
    [{ Records: [{ eventSource: 'aws:s3', EventSource: 'x' }] }, 'records of "aws:s3"'],
    [{ Records: [null] }, 'records of an unknown source'],
  ])('%j is named without its values', (event, name) => {
    expect(`${describeEvent(event)}.`).toContain(name);
    expect(new EventError(event)).toMatchObject({
      name: 'EventError',
      code: 'BAD_EVENT',
      path: '$',
      message: expect.stringContaining(`got ${describeEvent(event)}.`),
    });
  });

  test('of a state has a task in it', () => {
    const sfn_context = { State: { Name: 'resize' } };
    expect(taskOfEvent(task)).toBe(task);
    expect(taskOfEvent({ sfn_context, a: 1 })).toEqual({ task_name: 'resize', task_kwargs: { a: 1 } });
    expect(taskOfEvent({ sfn_context, task_name: 'crop', payload: '{"a":1}', b: 2 })).toEqual({
      task_name: 'crop',
      task_kwargs: { a: 1 },
    });
    expect(taskOfEvent({ sfn_context, payload: { a: 1 }, b: 2 })).toEqual({
      task_name: 'resize',
      task_kwargs: { a: 1 },
    });
    for (const payload of [undefined, null, '']) {
      expect(taskOfEvent({ sfn_context, payload, b: 2 })).toEqual({
        task_name: 'resize',
        task_kwargs: { b: 2 },
      });
    }
    expect(isStateEvent({ sfn_context })).toBe(true);
    for (const other of [null, {}, { sfn_context: {} }, { sfn_context: { State: { Name: 1 } } }]) {
      expect(isStateEvent(other)).toBe(false);
    }
  });

  test('of a durable function is refused', () => {
    const mark = Symbol.for('@aws/durable-execution-sdk-js/durable-context');
    for (const context of [{ [mark]: true }, { step: () => 1, lambdaContext: {} }]) {
      expect(thrownBy(() => assertNotDurable(context))).toMatchObject({
        code: 'DURABLE_FUNCTION',
        retryable: true,
      });
    }
    for (const context of [
      undefined,
      null,
      {},
      { step: () => 1 },
      { step: 1, lambdaContext: {} },
      { lambdaContext: {} },
    ]) {
      assertNotDurable(context);
    }
  });
});

describe('the identity of a task', () => {
  const context = lambdaContext({
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:worker:live',
  }) as never;
  const of = (record: unknown, over: object = {}) =>
    identityOf({
      record: record as never,
      context,
      part: 2,
      unwrap: () => unwrap(record as never),
      ...over,
    });
  const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:worker';

  test('is that of its message', () => {
    const record = sqsRecord(task);
    const { MessageId } = JSON.parse(record.body);
    record.attributes = { ...record.attributes, ApproximateReceiveCount: '3', MessageGroupId: 'g' };
    expect(of(record)).toEqual({
      messageId: MessageId,
      chainId: MessageId,
      part: 2,
      receiver: record.eventSourceARN,
      sentAt: Date.parse('2019-08-05T14:20:56.440Z'),
      groupId: 'g',
      receiveCount: 3,
    });
    const raw = sqsRecord(task, { raw: true });
    expect(of(raw)).toMatchObject({ messageId: raw.messageId, sentAt: 1565012856447, receiveCount: 1 });
    const bare = { messageId: 'm', body: 'no JSON' };
    expect(of(bare)).toMatchObject({ messageId: 'm', receiver: functionArn, sentAt: 0, receiveCount: 1 });
  });

  test('is that of a notification, or of the request', () => {
    expect(of(snsRecord())).toEqual({
      messageId: 'sns-1',
      chainId: 'sns-1',
      part: 2,
      receiver: functionArn,
      sentAt: Date.parse('2026-01-02T03:04:05.678Z'),
      groupId: undefined,
      receiveCount: 1,
    });
    expect(of(snsRecord({ Timestamp: 'x' })).sentAt).toBe(0);
    const sentAt = Date.parse('2026-01-02T03:04:05.678Z');
    expect(of(snsRecord({ Message: 'no JSON' }))).toMatchObject({ messageId: 'sns-1', sentAt });
    const { awsRequestId } = lambdaContext();
    expect(of(undefined)).toEqual({
      messageId: awsRequestId,
      chainId: awsRequestId,
      part: 2,
      receiver: functionArn,
      sentAt: 0,
      groupId: undefined,
      receiveCount: undefined,
    });
    expect(of(undefined, { context: undefined })).toMatchObject({ messageId: '', receiver: '' });
  });
});

describe('the answer of a direct invocation', () => {
  class Empty {}
  class Json {
    toJSON(key: string): unknown {
      return [key, 1n];
    }
  }
  test.each<[string, unknown, string]>([
    ['a bigint', [1n], '$[0]: the answer of a direct invocation is JSON, which cannot hold a bigint'],
    [
      'a function',
      { a: () => 1 },
      '$.a: the answer of a direct invocation is JSON, which cannot hold a function',
    ],
    ['a symbol', Symbol('a'), 'a symbol'],
    ['NaN', { a: [Number.NaN] }, '$.a[0]: the answer of a direct invocation is JSON, which cannot hold NaN'],
    ['Infinity', -Infinity, '-Infinity'],
    ['an invalid date', new Date(Number.NaN), 'an invalid date'],
    ['an Error', { a: new TypeError('x') }, 'an Error'],
    ['an error by its class', Object.create(Error.prototype), 'an Error'],
    ['a Set', new Set(), 'a Set'],
    ['a Map', new Map([[1, 2]]), 'a Map'],
    ['a WeakMap', Object.assign(new WeakMap(), { a: 1 }), 'a WeakMap'],
    ['a WeakSet', Object.assign(new WeakSet(), { a: 1 }), 'a WeakSet'],
    ['a Promise', Object.assign(Promise.resolve(), { a: 1 }), 'a Promise'],
    ['a RegExp', Object.assign(/a/, { a: 1 }), 'a RegExp'],
    ['an ArrayBuffer', Object.assign(new ArrayBuffer(1), { a: 1 }), 'a ArrayBuffer'],
    ['bytes', Uint8Array.of(1), 'a Uint8Array'],
    ['headers', new Headers({ a: 'b' }), 'a Headers'],
    ['a boxed bigint', Object(1n), 'a BigInt'],
    ['what toJSON gives', { a: new Json() }, '$.a[1]: the answer'],
  ])('must not be %s', (_, value, message) => {
    expect(thrownBy(() => assertAnswer(value))).toMatchObject({
      name: 'AnswerError',
      code: 'ANSWER_NOT_JSON',
      message: expect.stringContaining(message),
    });
  });

  test('must not have a cycle, and may repeat a value', () => {
    const cycle: { a?: unknown } = {};
    cycle.a = [cycle];
    expect(thrownBy(() => assertAnswer(cycle))).toMatchObject({
      path: '$.a[0]',
      message: expect.stringContaining('a cycle'),
    });
    const shared = { b: new Date(0), c: { toJSON: () => 1 } };
    assertAnswer([shared, shared, [shared.b, shared.b, shared.c, shared.c]]);
  });

  test('may be all else', () => {
    const self = { toJSON: () => self };
    const nested = { toJSON: () => ({ toJSON: () => 1n }) };
    for (const value of [
      undefined,
      null,
      'a',
      1,
      true,
      {},
      [],
      new Date(0),
      Object('a'),
      Object(1),
      Object(true),
      new Empty(),
      Object.create(null),
      self,
      nested,
      { toJSON: 1 },
      new URL('http://a'),
    ]) {
      expect(thrownBy(() => assertAnswer(value))).toBeUndefined();
    }
  });
});

describe('a large value', () => {
  test.each<[string, unknown]>([
    ['a text', 'x'.repeat(65_537)],
    ['texts', ['x'.repeat(40_000), { a: 'x'.repeat(30_000) }]],
    ['a key', { ['x'.repeat(65_537)]: 1 }],
    ['many numbers', Array.from({ length: 8192 }, () => 1)],
    ['bytes', new Uint8Array(65_537)],
    ['a set', new Set(Array.from({ length: 8193 }, (_, at) => at))],
    ['a map', new Map([[1, 'x'.repeat(65_537)]])],
    ['a bigint', 2n ** 524_288n],
    ['a function', [() => 1]],
    ['an instance', new (class Foo {})()],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        get: () => {
          throw new Error('no');
        },
        enumerable: true,
      }),
    ],
    ['an error', Object.assign(new Error('a'), { text: 'x'.repeat(65_537) })],
  ])('is %s', (_, value) => {
    expect(isLarge(value)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'x'.repeat(65_536)],
    ['bytes', new Uint8Array(60_000)],
    ['numbers', Array.from({ length: 4000 }, () => 1)],
    ['a bigint', 2n ** 64n],
    ['a date', new Date()],
    ['a set', new Set([1, 'a'])],
    ['a map', new Map([[1, { a: 'b' }]])],
    ['an error', new Error('a')],
    ['no prototype', Object.create(null)],
  ])('is not %s', (_, value) => {
    expect(isLarge(value)).toBe(false);
  });
});

describe('the records that are not done', () => {
  const batch = (...ids: string[]) => ids.map((messageId) => ({ ...sqsRecord(task), messageId }));
  const statesOf = (ledger: Ledger) =>
    ledger.undone().map(({ id, index, state, reason }) => [id, index, state, reason]);

  test('are running, failed or untouched', () => {
    const records = batch('a', 'b', 'c', 'd') as [never, never, never, never];
    const ledger = new Ledger(records);
    expect([ledger.touched, ledger.running]).toEqual([false, 0]);
    const run = ledger.begin(records[0]);
    ledger.end(ledger.begin(records[1]), { reason: 'no' });
    ledger.acknowledge(records[2]);
    expect([ledger.touched, ledger.running]).toEqual([true, 1]);
    expect(statesOf(ledger)).toEqual([
      ['a', 0, 'running', undefined],
      ['b', 1, 'failed', 'no'],
      ['d', 3, 'untouched', undefined],
    ]);
    expect(ledger.undone({ exceptUntouched: true }).map(({ id }) => id)).toEqual(['a', 'b']);
    ledger.end(run);
    ledger.end(run, { reason: 'late' });
    ledger.end(ledger.begin(records[1]));
    ledger.end(ledger.begin(records[3]));
    expect(statesOf(ledger)).toEqual([]);
    expect(ledger.running).toBe(0);
  });

  test('with one id are done when all are', () => {
    const records = batch('a', 'a') as [never, never];
    const ledger = new Ledger(records);
    ledger.end(ledger.begin(records[0]));
    expect(statesOf(ledger)).toHaveLength(2);
    ledger.end(ledger.begin(records[1]));
    expect(statesOf(ledger)).toEqual([]);
    // Two runs of one record at the same time: the first failure counts.
    const [first, second] = [ledger.begin(records[1]), ledger.begin(records[1])];
    expect([first.part, second.part]).toEqual([1, 1]);
    ledger.end(first, { reason: 'no' });
    ledger.end(second, { reason: 'other' });
    expect(statesOf(ledger)[0]?.slice(2)).toEqual(['failed', 'no']);
  });

  test('may be named by the answer of a loop, unless they were run', () => {
    const records = batch('a', 'b') as [never, never];
    const ledger = new Ledger(records);
    ledger.acknowledge(records[0]);
    ledger.note('a', 'first');
    ledger.note('a', 'second');
    ledger.note('unknown', 'no');
    ledger.end(ledger.begin(records[1]));
    ledger.note('b', 'no');
    expect(statesOf(ledger)).toEqual([['a', 0, 'failed', 'first']]);
  });

  test('must be those of the event', () => {
    const records = batch('a', 'b');
    const ledger = new Ledger(records);
    expect(ledger.matches({ Records: records })).toBe(true);
    expect(ledger.matches({ Records: batch('a', 'b') })).toBe(true);
    for (const others of [batch('b', 'a'), batch('a'), batch('a', 'b', 'c'), [null, null], ['a', 'b']]) {
      expect(ledger.matches({ Records: others })).toBe(false);
    }
    expect(ledger.matches({})).toBe(false);
    const [other] = batch('x');
    for (const work of [() => ledger.begin(other as never), () => ledger.acknowledge(other as never)]) {
      expect(thrownBy(work)).toMatchObject({
        name: 'EventReplacedError',
        code: 'EVENT_REPLACED',
        retryable: true,
      });
    }
    expect(ledger.touched).toBe(false);
    expect(new EventReplacedError()).toBeInstanceOf(Error);
  });

  test('are awaited until none is running', async () => {
    const records = batch('a', 'b') as [never, never];
    const ledger = new Ledger(records);
    await ledger.idle();
    const runs = records.map((record) => ledger.begin(record));
    const order: string[] = [];
    const idle = ledger.idle().then(() => order.push('idle'));
    ledger.end(runs[0] as never);
    await Promise.resolve();
    order.push('one');
    ledger.end(runs[1] as never);
    await idle;
    expect(order).toEqual(['one', 'idle']);
  });
});

describe('the outcome of a batch', () => {
  const failing = () => {
    const records = [sqsRecord(task), sqsRecord(task)];
    const reason = new Error('broken');
    const outcomes: PromiseSettledResult<number>[] = [
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason },
    ];
    return { reason, outcomes, ledger: new Ledger(records) };
  };

  test('that nothing reads fails with the reasons, and prints them once', () => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const { reason, outcomes, ledger } = failing();
      const settled = settledBatch(outcomes, ledger);
      for (const _ of [1, 2]) {
        expect(thrownBy(() => JSON.stringify(settled))).toMatchObject({
          name: 'BatchFailedError',
          code: 'BATCH_FAILED',
          retryable: true,
          errors: [reason],
          cause: reason,
          message:
            '1 of 2 records failed, and the whole batch returns to the queue: add sqsPartialBatchFailure() to return only those that failed.',
        });
      }
      expect(print.mock.calls).toEqual([[reason]]);
      const told = failing();
      thrownBy(() => JSON.stringify(settledBatch(told.outcomes, told.ledger, true)));
      expect(print.mock.calls).toHaveLength(1);
    } finally {
      print.mockRestore();
    }
    expect(new BatchFailedError([], 1, 2, 'wait').message).toContain('the queue: wait.');
  });

  test('is still a list of outcomes', () => {
    const { outcomes, ledger } = failing();
    const settled = settledBatch(outcomes, ledger, true);
    expect(Object.keys(settled)).toEqual(['0', '1']);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    for (const other of [undefined, null, {}, []]) letHookRead(other);
  });
});
