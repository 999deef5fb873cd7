import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SqsRecord } from '../../core/batch/events.ts';
import { type LocalAws, startLocalAws, startWorker, type Worker } from '../../local/index.ts';
import { deadLetterMessage } from '../../middlewares/aws/deadLetterMessage.ts';
import { sqsQueues } from '../../middlewares/aws/sqsQueues.ts';
import { faultyClients } from '../support/faultyClients.ts';

let aws: LocalAws;
let worker: Worker<'work'>;
beforeAll(async () => {
  aws = await startLocalAws();
  worker = await startWorker({ aws, handler: async () => {}, tasks: ['work'], maxReceiveCount: 4 });
  await worker.stop();
});
afterAll(() => aws.stop());

const text = (stringValue: string) => ({
  dataType: 'String',
  stringValue,
  stringListValues: [],
  binaryListValues: [],
});
const letter = (body: string) => deadLetterMessage({ body, messageId: body } as SqsRecord, new Error('no'));

describe('sqsQueues', () => {
  test('reads the redrive policy once', async () => {
    const { sqs, attempts, destroy } = faultyClients(aws, () => undefined);
    const queues = sqsQueues(sqs);
    const read = () => queues.redrivePolicy(worker.queues.work.arn);
    const policy = { deadLetterUrl: worker.queues.work.deadLetter.url, maxReceiveCount: 4 };
    expect(await Promise.all([read(), read()])).toEqual([policy, policy]);
    expect(await read()).toEqual(policy);
    expect(await queues.redrivePolicy(worker.queues.work.deadLetter.arn)).toBeUndefined();
    expect(attempts.filter(({ operation }) => operation === 'GetQueueAttributes')).toHaveLength(2);
    destroy();
  });

  test('remembers a denied permission, but not an outage of SQS', async () => {
    let fault: { status: number; code: string } | undefined = { status: 500, code: 'InternalError' };
    const { sqs, attempts, destroy } = faultyClients(aws, ({ operation }) =>
      operation === 'GetQueueAttributes' ? fault : undefined,
    );
    const read = sqsQueues(sqs).redrivePolicy;
    const arn = worker.queues.work.arn;
    await expect(read(arn)).rejects.not.toMatchObject({ code: 'REDRIVE_POLICY_UNREADABLE' });
    fault = { status: 403, code: 'AccessDenied' };
    await expect(read(arn)).rejects.toMatchObject({ code: 'REDRIVE_POLICY_UNREADABLE' });
    const made = attempts.length;
    await expect(read(arn)).rejects.toThrow(/needs sqs:GetQueueUrl and sqs:GetQueueAttributes/);
    expect(attempts).toHaveLength(made);
    destroy();
  });

  test('sends ten dead letters per call, and one refusal does not fail the others', async () => {
    const { sqs, attempts, destroy } = faultyClients(aws, () => undefined);
    const { send } = sqsQueues(sqs);
    const url = worker.queues.work.deadLetter.url;
    const bodies = Array.from({ length: 23 }, (_, n) => `letter ${n}`);
    await Promise.all(bodies.map((body) => send(url, letter(body))));
    expect(attempts.filter(({ operation }) => operation === 'SendMessageBatch')).toHaveLength(3);
    const outcomes = await Promise.allSettled(
      ['good', 'x'.repeat(2_000_000)].map((body) => send(url, letter(body))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const letters = await worker.deadLetters('work');
    expect(letters.map(({ body }) => body).sort()).toEqual([...bodies, 'good'].sort());
    destroy();
  });

  test('reports a failed entry only to its caller', async () => {
    const sqs = {
      async send({
        input,
      }: {
        input: { QueueName?: string; Entries?: { Id: string; ReceiptHandle: string }[] };
      }) {
        if (input.QueueName) return { QueueUrl: 'https://sqs/work' };
        const failed = input.Entries?.filter(({ ReceiptHandle }) => ReceiptHandle === 'gone') ?? [];
        return { Failed: failed.map(({ Id }) => ({ Id, Code: 'ReceiptHandleIsInvalid', Message: 'gone' })) };
      },
    } as unknown as SQSClient;
    const { hide } = sqsQueues(sqs);
    const outcomes = await Promise.allSettled(
      ['a', 'gone', 'b'].map((handle) => hide(worker.queues.work.arn, [handle], 5)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});

describe('a dead letter', () => {
  const messageAttributes = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, text('v')]));

  test('that fails again gets the new reason', () => {
    const old = { failure_reason: text('Error: old'), failed_queue: text('old'), tenant: text('blue') };
    const record = { body: 'x', messageId: 'id', messageAttributes: old } as unknown as SqsRecord;
    const { attributes } = deadLetterMessage(record, new Error('new'));
    expect(attributes).toMatchObject({
      failure_reason: { StringValue: 'Error: new' },
      failed_message_id: { StringValue: 'id' },
      tenant: { StringValue: 'blue' },
    });
    // The record has no queue, and the old attribute names another.
    expect(attributes).not.toHaveProperty('failed_queue');
  });

  test('has at most ten attributes; tracing is dropped for the reason, other attributes are not', () => {
    const trace = { traceparent: text('00-1'), baggage: text('a=b') };
    const record = (count: number) =>
      ({
        body: 'x',
        messageId: 'id',
        eventSourceARN: 'arn',
        messageAttributes: { ...trace, ...messageAttributes(count) },
      }) as unknown as SqsRecord;
    const names = (count: number) =>
      Object.keys(deadLetterMessage(record(count), new Error('no')).attributes);
    expect(names(4)).toEqual(expect.arrayContaining(['traceparent', 'baggage', 'failed_queue']));
    expect(names(6)).toHaveLength(10);
    expect(names(6)).not.toContain('traceparent');
    expect(names(8)).toEqual([...Object.keys(messageAttributes(8)), 'failure_reason', 'failure_code']);
  });

  test('can be built from any record and any error', () => {
    const errors = [
      undefined,
      null,
      Object.create(null),
      Symbol('s'),
      Object.assign(new Error(), { name: {} }),
    ];
    for (const record of [
      {},
      { attributes: null, messageAttributes: null },
      { messageAttributes: { a: null } },
    ]) {
      for (const error of errors) {
        const { body, attributes, groupId } = deadLetterMessage(record as unknown as SqsRecord, error);
        expect([typeof body, groupId]).toEqual(['string', undefined]);
        expect(attributes['failure_reason']?.StringValue).toMatch(/./);
      }
    }
  });

  test('keeps its group, on a standard queue too', () => {
    const record = {
      body: 'x',
      messageId: 'id',
      attributes: { MessageGroupId: 'blue' },
    } as unknown as SqsRecord;
    expect(deadLetterMessage(record, 'no').groupId).toBe('blue');
  });
});
