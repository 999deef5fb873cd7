import { PublishCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

const attributes = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`key${n}`, { DataType: 'String', StringValue: 'v' }]),
  );

test.each([
  [true, ['ten']],
  [false, ['eleven', 'ten']],
])('with rawMessageDelivery %s, the messages delivered are %j', async (rawMessageDelivery, expected) => {
  const bodies: string[] = [];
  const errors: unknown[] = [];
  const task = `raw-${rawMessageDelivery}`;
  const worker = await startWorker({
    aws,
    tasks: [task],
    rawMessageDelivery,
    onError: (error) => errors.push(error),
    handler: async ({ Records }) => {
      for (const { body } of Records) bodies.push(rawMessageDelivery ? body : JSON.parse(body).Message);
    },
  });
  for (const [Message, count] of [
    ['ten', 10],
    ['eleven', 11],
  ] as const) {
    const TopicArn = worker.topics[task];
    await aws.sns.send(new PublishCommand({ TopicArn, Message, MessageAttributes: attributes(count) }));
  }
  await worker.idle({ timeoutSeconds: 10 });
  await worker.stop();
  expect(bodies.sort()).toEqual(expected);
  expect(errors.map(String)).toEqual(
    rawMessageDelivery ? [expect.stringMatching(/Discarded message .* at most 10 attributes/)] : [],
  );
});
