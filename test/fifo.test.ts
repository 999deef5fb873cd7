import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LambdaHandler, type LocalAws, startLocalAws, startWorker } from '../local/index.ts';
import {
  callbackPublisher,
  queued,
  routeTasks,
  type SendTaskOptions,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  type Task,
  type TaskExtras,
} from '../middlewares/index.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

interface Step {
  group: string;
  n: number;
}

test('a FIFO topic accepts all messages that follow from one message, each once: callbacks to one task, and its errors', async () => {
  const arrived: Task[] = [];
  let handler: LambdaHandler = () => undefined;
  const worker = await startWorker({
    aws,
    handler: (event, context, callback) => handler(event, context, callback),
    tasks: ['many', 'same', 'after'],
    fifo: true,
    retryDelaySeconds: 0,
    maxReceiveCount: 2,
    onInvocation: () => {},
  });
  let failures = 1;
  const work = (task: Task) => {
    if (task.task_name !== 'many') arrived.push(task);
    else if (failures-- > 0) throw new Error('broken for now');
  };
  const topics = { ...worker.topics, gone: worker.topics.same.replace('same', 'gone') };
  handler = middy(queued(work))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(
      callbackPublisher({ s3: aws.s3, sns: aws.sns, bucket: aws.bucket, topics: topics, maxReceiveCount: 2 }),
    );
  const send = (options: Partial<SendTaskOptions>) =>
    sendTask({ task_name: 'many', callback: 'same' }, { sns: aws.sns, topics, ...options });
  const chains = () => arrived.map(({ callback = '' }) => callback).sort();

  await send({ alsoCallbacks: ['same#after'] });
  await worker.idle({ timeoutSeconds: 25 });
  expect(chains()).toEqual(['', 'same#after', 'same#after']);

  arrived.length = 0;
  await send({ alsoCallbacks: ['gone'], onError: 'same' });
  await worker.idle({ timeoutSeconds: 25 });
  // The message is delivered twice; the callbacks of the second delivery are dropped as duplicates.
  expect(arrived.map(({ task_kwargs }) => Object.keys(task_kwargs ?? {})).sort()).toEqual([
    [],
    ['_alg_class', '_alg_module', 'value'],
  ]);
});

test('FIFO topics and queues keep the order of a group to the end of the chain, also after a failure', async () => {
  const attempts: Step[] = [];
  const arrived: Step[] = [];
  const running = new Set<string>();
  let failures = 2;
  const functions = {
    work: async ({ group, n }: Step, _: unknown, { record }: TaskExtras) => {
      expect(record).toMatchObject({ attributes: { MessageGroupId: group } });
      expect(running.has(group)).toBe(false);
      running.add(group);
      attempts.push({ group, n });
      await new Promise((resolve) => setTimeout(resolve, 2));
      running.delete(group);
      if (group === 'b' && n === 2 && failures > 0) {
        failures -= 1;
        throw new Error('broken for now');
      }
      return { group, n };
    },
    next: (step: Step) => void arrived.push(step),
  };
  let handler: LambdaHandler = () => undefined;
  const worker = await startWorker({
    aws,
    handler: (event, context, callback) => handler(event, context, callback),
    tasks: ['work', 'next'],
    fifo: true,
    retryDelaySeconds: 0,
    onInvocation: () => {},
  });
  handler = middy(queued(routeTasks(functions)))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3: aws.s3, bucket: aws.bucket }))
    .use(callbackPublisher({ s3: aws.s3, sns: aws.sns, bucket: aws.bucket, topics: worker.topics }));

  const groups = ['a', 'b', 'c'];
  const sent = Array.from({ length: 18 }, (_, i) => ({
    group: groups[i % 3] as string,
    n: Math.floor(i / 3),
  }));
  for (const step of sent) {
    await sendTask(
      { task_name: 'work', task_kwargs: step, callback: 'next' },
      { sns: aws.sns, topics: worker.topics, groupId: step.group },
    );
  }
  await worker.idle({ timeoutSeconds: 25 });

  const orderOf = (steps: readonly Step[], group: string) =>
    steps.filter((step) => step.group === group).map(({ n }) => n);
  for (const group of groups) expect(orderOf(arrived, group)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(orderOf(attempts, 'a')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(orderOf(attempts, 'b')).toEqual([0, 1, 2, 2, 2, 3, 4, 5]);
});
