import { PublishCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, type SqsEvent, startLocalAws, startWorker } from '../../local/index.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

describe('a worker', () => {
  test('is invoked with what is published, and acknowledges it', async () => {
    const events: SqsEvent[] = [];
    await using worker = await startWorker({
      aws,
      tasks: ['greet'],
      handler: async (event) => void events.push(event),
    });
    await aws.sns.send(new PublishCommand({ TopicArn: worker.topics.greet, Message: 'hello' }));
    await worker.idle();
    expect(events.map(({ Records }) => Records.map(({ body }) => JSON.parse(body).Message))).toEqual([
      ['hello'],
    ]);
    expect(worker.stats).toMatchObject({ invocations: 1, received: 1, deleted: 1, failed: 0, inFlight: 0 });
  });
});
