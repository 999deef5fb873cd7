import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, type SqsRecord, startLocalAws, startWorker } from '../../local/index.ts';
import { gate, publish } from './tools.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

let sent = 0;

/** Publishes messages such as `A1` in order, each in the group of its letter. */
async function publishInGroups(topicArn: string, messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    sent += 1;
    await publish(aws, topicArn, message, {
      MessageGroupId: message.slice(0, 1),
      MessageDeduplicationId: String(sent),
    });
  }
}

const options = { fifo: true, rawMessageDelivery: true, retryDelaySeconds: 0 };

describe('a FIFO worker', () => {
  test('has topics and queues that end in .fifo, and Lambda’s attributes in the event', async () => {
    const records: SqsRecord[] = [];
    const worker = await startWorker({
      ...options,
      aws,
      tasks: ['ordered'],
      handler: async ({ Records }) => void records.push(...Records),
    });
    expect(worker.topics.ordered).toBe('arn:aws:sns:us-east-1:000000000000:ordered.fifo');
    expect(worker.queues.ordered).toMatchObject({
      arn: 'arn:aws:sqs:us-east-1:000000000000:ordered.fifo',
      deadLetter: { arn: 'arn:aws:sqs:us-east-1:000000000000:ordered-dlq.fifo' },
    });
    await publish(aws, worker.topics.ordered, 'x', { MessageGroupId: 'G', MessageDeduplicationId: 'D' });
    await worker.idle();
    expect(records).toMatchObject([
      {
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:ordered.fifo',
        attributes: {
          MessageGroupId: 'G',
          MessageDeduplicationId: 'D',
          SequenceNumber: expect.stringMatching(/^\d+$/),
        },
      },
    ]);
  });

  test('drops a message with a duplicate deduplication id', async () => {
    const bodies: string[] = [];
    const worker = await startWorker({
      ...options,
      aws,
      tasks: ['once'],
      handler: async ({ Records }) => void bodies.push(...Records.map(({ body }) => body)),
    });
    const twice = { MessageGroupId: 'G', MessageDeduplicationId: 'same' };
    await publish(aws, worker.topics.once, 'first', twice);
    await publish(aws, worker.topics.once, 'second', twice);
    await worker.idle();
    expect(bodies).toEqual(['first']);
  });

  test('keeps the order of each group, with several pollers and a failure in one group', async () => {
    const done: string[] = [];
    let failed = false;
    const worker = await startWorker({
      ...options,
      aws,
      tasks: ['groups'],
      onInvocation: () => {},
      pollers: 4,
      maxReceiveCount: 10,
      handler: async ({ Records }) => {
        const batchItemFailures: { itemIdentifier: string }[] = [];
        for (const { body, messageId } of Records) {
          if (body === 'A2' && !failed) {
            failed = true;
            batchItemFailures.push({ itemIdentifier: messageId });
          } else {
            done.push(body);
          }
        }
        return { batchItemFailures };
      },
    });
    await publishInGroups(worker.topics.groups, ['A1', 'B1', 'A2', 'C1', 'B2', 'A3', 'B3', 'C2', 'A4']);
    await worker.idle();
    const ofGroup = (letter: string): string[] => done.filter((body) => body.startsWith(letter));
    expect(ofGroup('A')).toEqual(['A1', 'A2', 'A3', 'A4']);
    expect(ofGroup('B')).toEqual(['B1', 'B2', 'B3']);
    expect(ofGroup('C')).toEqual(['C1', 'C2']);
    expect(worker.stats.failed).toBe(1);
  });

  test('locks a group while its batch is in flight, but not the others', async () => {
    const hold = gate();
    const others = gate();
    const started: string[] = [];
    const worker = await startWorker({
      ...options,
      aws,
      tasks: ['locked'],
      pollers: 3,
      handler: async ({ Records }) => {
        for (const { body } of Records) {
          started.push(body);
          if (body === 'B3') others.open();
          if (body === 'A1') await hold.opened;
        }
      },
    });
    await publishInGroups(worker.topics.locked, ['A1']);
    await publishInGroups(worker.topics.locked, ['A2', 'B1', 'B2', 'B3']);
    await others.opened;
    expect(started.filter((body) => body.startsWith('A'))).toEqual(['A1']);
    hold.open();
    await worker.idle();
    expect(started.filter((body) => body.startsWith('A'))).toEqual(['A1', 'A2']);
  });

  test('continues a group when its failing message has been dead-lettered', async () => {
    const seen: string[] = [];
    const worker = await startWorker({
      ...options,
      aws,
      tasks: ['blocked'],
      maxReceiveCount: 2,
      onInvocation: () => {},
      handler: async ({ Records }) => {
        seen.push(...Records.map(({ body }) => body));
        if (Records.some(({ body }) => body === 'A1')) throw new Error('no');
      },
    });
    await publishInGroups(worker.topics.blocked, ['A1', 'A2']);
    await worker.idle();
    expect(seen).toEqual(['A1', 'A1', 'A2']);
    expect((await worker.deadLetters('blocked')).map(({ body }) => body)).toEqual(['A1']);
  });

  test('refuses a message without a deduplication id, since equal tasks are not duplicates', async () => {
    const worker = await startWorker({ ...options, aws, tasks: ['named'], handler: async () => {} });
    await expect(publish(aws, worker.topics.named, 'x', { MessageGroupId: 'G' })).rejects.toThrow(
      /MessageDeduplicationId/,
    );
    const toQueue = new SendMessageCommand({
      QueueUrl: worker.queues.named.url,
      MessageBody: 'x',
      MessageGroupId: 'G',
    });
    await expect(aws.sqs.send(toQueue)).rejects.toThrow(/MessageDeduplicationId/);
  });
});
