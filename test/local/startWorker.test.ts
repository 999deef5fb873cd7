import { GetSubscriptionAttributesCommand, ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SQSEvent, SQSHandler } from 'aws-lambda';
import {
  type FullLambdaContext,
  type InvocationReport,
  type LocalAws,
  type SqsEvent,
  startLocalAws,
  startWorker,
  type WorkerOptions,
} from '../../local/index.ts';
import { countOf, enqueue, gate, publish } from './tools.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const nothing = async (): Promise<void> => {};

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

describe('the event', () => {
  test("has Lambda's format", async () => {
    const events: SqsEvent[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['shape'],
      handler: async (event) => void events.push(event),
    });
    await aws.sqs.send(
      new SendMessageCommand({
        QueueUrl: worker.queues.shape.url,
        MessageBody: 'hello',
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'é' },
          count: { DataType: 'Number.int', StringValue: '7' },
          bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 1]) },
        },
      }),
    );
    await worker.idle();
    expect(events).toEqual([
      {
        Records: [
          {
            messageId: expect.stringMatching(UUID),
            receiptHandle: expect.stringMatching(/./),
            body: 'hello',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: expect.stringMatching(/^\d{13}$/),
              SenderId: expect.stringMatching(/./),
              ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
            },
            messageAttributes: {
              text: { stringValue: 'é', stringListValues: [], binaryListValues: [], dataType: 'String' },
              count: { stringValue: '7', stringListValues: [], binaryListValues: [], dataType: 'Number.int' },
              bytes: { binaryValue: 'AP8B', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
            },
            md5OfMessageAttributes: expect.stringMatching(/^[\da-f]{32}$/),
            md5OfBody: '5d41402abc4b2a76b9719d911017c592',
            eventSource: 'aws:sqs',
            eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:shape',
            awsRegion: 'us-east-1',
          },
        ],
      },
    ]);
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });

  test('contains the SNS envelope, or with raw message delivery the message and its attributes', async () => {
    const events: SqsEvent[] = [];
    const handler = async (event: SqsEvent): Promise<void> => void events.push(event);
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'x' } };
    const wrapped = await startWorker({ aws, handler, tasks: ['wrapped'] });
    await publish(aws, wrapped.topics.wrapped, 'hello', { Subject: 'callback', MessageAttributes });
    await wrapped.idle();
    const raw = await startWorker({ aws, handler, tasks: ['raw'], rawMessageDelivery: true });
    await publish(aws, raw.topics.raw, 'hello', { MessageAttributes });
    await raw.idle();

    const [first, second] = events.map(({ Records }) => Records[0]);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      Type: 'Notification',
      TopicArn: 'arn:aws:sns:us-east-1:000000000000:wrapped',
      Subject: 'callback',
      Message: 'hello',
    });
    expect(first?.messageAttributes).toEqual({});
    expect(second?.body).toBe('hello');
    expect(second?.messageAttributes).toMatchObject({ kind: { stringValue: 'x', dataType: 'String' } });
  });

  test('has all attributes, since it requests all', async () => {
    const there = await startLocalAws({ endpoint: aws.endpoint });
    const asked: object[] = [];
    there.sqs.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'ReceiveMessageCommand') asked.push(args.input);
        return next(args);
      },
      { step: 'initialize' },
    );
    await startWorker({ aws: there, handler: nothing, tasks: ['asked'] });
    await there.stop();
    expect(asked[0]).toMatchObject({ MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] });
  });

  test('names the queue of the task', async () => {
    const calls: (string | undefined)[][] = [];
    const worker = await startWorker({
      aws,
      tasks: ['first', 'second'],
      handler: async ({ Records }) => void calls.push(Records.map(({ eventSourceARN }) => eventSourceARN)),
    });
    await publish(aws, worker.topics.second, 'x');
    await worker.idle();
    expect(calls).toEqual([['arn:aws:sqs:us-east-1:000000000000:second']]);
  });
});

describe('the context', () => {
  test('is Lambda’s', async () => {
    const contexts: FullLambdaContext[] = [];
    const remaining: number[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['context'],
      name: 'my-function',
      timeoutSeconds: 20,
      handler: async (_, context) => {
        remaining.push(context.getRemainingTimeInMillis());
        contexts.push(context);
      },
    });
    await publish(aws, worker.topics.context, 'x');
    await worker.idle();
    expect(contexts).toMatchObject([
      {
        callbackWaitsForEmptyEventLoop: true,
        functionName: 'my-function',
        functionVersion: '$LATEST',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:my-function',
        memoryLimitInMB: '128',
        awsRequestId: expect.stringMatching(UUID),
        logGroupName: '/aws/lambda/my-function',
        logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][\da-f]{32}$/),
      },
    ]);
    expect(remaining[0]).toBeGreaterThan(0);
    expect(remaining[0]).toBeLessThanOrEqual(20_000);
    expect(() => contexts[0]?.succeed('x')).toThrow(/Return a promise/);
  });

  test('has its own id and clock per invocation', async () => {
    const ids = new Set<string>();
    const worker = await startWorker({
      aws,
      tasks: ['ids'],
      batchSize: 1,
      handler: async (_, { awsRequestId }) => void ids.add(awsRequestId),
    });
    await enqueue(aws, worker.queues.ids, ['1', '2', '3']);
    await worker.idle();
    expect(ids.size).toBe(3);
  });
});

describe('topics and queues', () => {
  test('are named like the task, with the policy and redrive policy that AWS needs', async () => {
    const worker = await startWorker({
      aws,
      handler: nothing,
      tasks: ['named'],
      maxReceiveCount: 4,
      visibilityTimeoutSeconds: 45,
    });
    expect(worker.topics.named).toBe('arn:aws:sns:us-east-1:000000000000:named');
    expect(worker.queues.named).toMatchObject({
      arn: 'arn:aws:sqs:us-east-1:000000000000:named',
      deadLetter: { arn: 'arn:aws:sqs:us-east-1:000000000000:named-dlq' },
    });
    const { Attributes = {} } = await aws.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: worker.queues.named.url, AttributeNames: ['All'] }),
    );
    expect(Attributes.VisibilityTimeout).toBe('45');
    expect(JSON.parse(Attributes.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: worker.queues.named.deadLetter.arn,
      maxReceiveCount: 4,
    });
    expect(JSON.parse(Attributes.Policy ?? '').Statement).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: worker.queues.named.arn,
        Condition: { ArnEquals: { 'aws:SourceArn': worker.topics.named } },
      },
    ]);
  });

  test('are reused with their messages, and get the settings of the newest worker', async () => {
    const tasks = ['again'] as const;
    const first = await startWorker({ aws, handler: nothing, tasks });
    await first.stop();
    await publish(aws, first.topics.again, 'kept');
    const bodies: string[] = [];
    const second = await startWorker({
      aws,
      tasks,
      rawMessageDelivery: true,
      maxReceiveCount: 9,
      visibilityTimeoutSeconds: 7,
      handler: async ({ Records }) => void bodies.push(...Records.map(({ body }) => body)),
    });
    await publish(aws, second.topics.again, 'raw');
    await second.idle();
    expect(bodies.map((body) => (body === 'raw' ? body : JSON.parse(body).Message))).toEqual(['kept', 'raw']);

    const { Subscriptions = [] } = await aws.sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: second.topics.again }),
    );
    expect(Subscriptions).toHaveLength(1);
    const { Attributes } = await aws.sns.send(
      new GetSubscriptionAttributesCommand({ SubscriptionArn: Subscriptions[0]?.SubscriptionArn }),
    );
    expect(Attributes).toMatchObject({ RawMessageDelivery: 'true' });
  });

  test('can be created by two workers concurrently', async () => {
    const seen: string[] = [];
    const options = {
      aws,
      tasks: ['shared'] as const,
      handler: async ({ Records }: SqsEvent) => void seen.push(...Records.map(({ body }) => body)),
    };
    const [first, second] = await Promise.all([startWorker(options), startWorker(options)]);
    await enqueue(
      aws,
      first.queues.shared,
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
    await Promise.all([first.idle(), second.idle()]);
    expect(new Set(seen).size).toBe(50);
    expect(first.stats.deleted + second.stats.deleted).toBe(50);
  });
});

describe('reports', () => {
  test('describe each invocation, with counts', async () => {
    const reports: InvocationReport[] = [];
    const worker = await startWorker({
      aws,
      tasks: ['reported'],
      name: 'teller',
      maxReceiveCount: 1,
      retryDelaySeconds: 0,
      onInvocation: (report) => reports.push(report),
      handler: async ({ Records }) => ({
        batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({
          itemIdentifier: messageId,
        })),
      }),
    });
    await enqueue(aws, worker.queues.reported, ['good', 'bad', 'good']);
    await worker.idle();
    expect(reports).toEqual([
      {
        functionName: 'teller',
        requestId: expect.stringMatching(UUID),
        task: 'reported',
        messageIds: [expect.any(String), expect.any(String), expect.any(String)],
        failedIds: [reports[0]?.messageIds[1]],
        outcome: 'partial',
        durationMs: expect.any(Number),
      },
    ]);
    expect(worker.stats).toEqual({
      invocations: 1,
      failedInvocations: 0,
      received: 3,
      deleted: 2,
      failed: 1,
      inFlight: 0,
    });
  });

  test('that throw, and queues that cannot be read, stop nothing', async () => {
    const errors: unknown[] = [];
    const there = await startLocalAws({ endpoint: aws.endpoint });
    let broken = 2;
    there.sqs.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'ReceiveMessageCommand' && broken-- > 0) throw new Error('not now');
        return next(args);
      },
      { step: 'initialize' },
    );
    const worker = await startWorker({
      aws: there,
      handler: nothing,
      tasks: ['faulty'],
      onError: (error) => errors.push(error),
      onInvocation: () => {
        throw new Error('cannot take it');
      },
    });
    await publish(aws, worker.topics.faulty, 'x');
    await publish(aws, worker.topics.faulty, 'y');
    await worker.idle();
    expect(worker.stats.deleted).toBe(2);
    expect(errors.map(String)).toEqual(expect.arrayContaining(['Error: not now', 'Error: cannot take it']));
    // Of consecutive failing polls only the first is reported.
    expect(errors.filter((error) => String(error) === 'Error: not now')).toHaveLength(1);
    await there.stop();
  });

  test('idle() rejects with the rest after its time limit, and when the worker was stopped', async () => {
    const { opened, open } = gate();
    const worker = await startWorker({
      aws,
      tasks: ['busy'],
      batchSize: 1,
      pollers: 1,
      handler: () => opened,
    });
    await enqueue(aws, worker.queues.busy, ['1', '2']);
    await expect(worker.idle({ timeoutSeconds: 0.05 })).rejects.toMatchObject({
      code: 'WORKER_NOT_IDLE',
    });
    const waiting = worker.idle();
    const stopped = worker.stop();
    await expect(waiting).rejects.toThrow('The worker was stopped before it was idle.');
    open();
    await stopped;
  });

  test('dead letters can be read repeatedly, and stay available', async () => {
    const worker = await startWorker({
      aws,
      tasks: ['dead'],
      maxReceiveCount: 1,
      retryDelaySeconds: 0,
      onInvocation: () => {},
      handler: async () => {
        throw new Error('no');
      },
    });
    const bodies = Array.from({ length: 23 }, (_, index) => `body ${index}`).sort();
    await enqueue(aws, worker.queues.dead, bodies);
    await worker.idle();
    for (let reading = 0; reading < 2; reading += 1) {
      const letters = await worker.deadLetters('dead');
      expect(letters.map(({ body }) => body).sort()).toEqual(bodies);
      expect(letters[0]).toMatchObject({
        messageId: expect.stringMatching(UUID),
        eventSourceARN: worker.queues.dead.deadLetter.arn,
        attributes: { SentTimestamp: expect.stringMatching(/^\d{13}$/) },
      });
    }
    expect(await countOf(aws, worker.queues.dead.deadLetter)).toEqual({ waiting: 23, hidden: 0 });
    const { Messages } = await aws.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: worker.queues.dead.deadLetter.url, MaxNumberOfMessages: 10 }),
    );
    expect(Messages).toHaveLength(10);
    await expect(worker.deadLetters('alive' as 'dead')).rejects.toThrow('this worker has no task alive');
  });
});

describe('the handler', () => {
  test("may be typed for Lambda, or be Middy's", async () => {
    const bodies: string[] = [];
    const plain: SQSHandler = async ({ Records }) => void bodies.push(...Records.map(({ body }) => body));
    const onion = middy<SQSEvent, void>().handler(async ({ Records }) => {
      bodies.push(...Records.map(({ body }) => body));
    });
    const first = await startWorker({ aws, handler: plain, tasks: ['plain'] });
    const second = await startWorker({ aws, handler: onion, tasks: ['onion'] });
    await enqueue(aws, first.queues.plain, ['plain']);
    await enqueue(aws, second.queues.onion, ['onion']);
    await Promise.all([first.idle(), second.idle()]);
    expect(bodies.sort()).toEqual(['onion', 'plain']);
  });
});

describe('bad options', () => {
  const refused: [string, object, RegExp][] = [
    ['no client', { aws: {} }, /aws must be the value of startLocalAws\(\)/],
    ['no handler', { handler: undefined }, /handler must be a function, not undefined/],
    ['no tasks', { tasks: [] }, /tasks must be a list with the name of at least one task/],
    [
      'a task that SNS refuses',
      { tasks: ['a.fifo'] },
      /tasks must be a list, each item a name of 1 to 71 letters/,
    ],
    ['a task that is too long', { tasks: ['x'.repeat(72)] }, /each item a name of 1 to 71/],
    ['a task twice', { tasks: ['a', 'b', 'a'] }, /same name twice: a, b, a/],
    ['an unknown option', { batchsize: 5 }, /there is no option "batchsize". The options are: aws, handler/],
    ['a name that Lambda refuses', { name: 'a b' }, /name must be the name of a Lambda function/],
    ['an empty batch', { batchSize: 0 }, /batchSize must be a whole number from 1 to 10000, not 0/],
    ['a batch over 10,000', { batchSize: 10_001, batchWindowSeconds: 1 }, /batchSize must be/],
    [
      'a batch over 10 without a window',
      { batchSize: 11 },
      /over 10 needs a batchWindowSeconds of at least 1/,
    ],
    ['a FIFO batch over 10', { batchSize: 11, fifo: true }, /batchSize must be.*1 to 10, not 11/],
    ['a window on a FIFO queue', { batchWindowSeconds: 1, fifo: true }, /no batch window on a FIFO queue/],
    ['a window over 300 s', { batchWindowSeconds: 301 }, /batchWindowSeconds must be/],
    ['half a poller', { pollers: 0.5 }, /pollers must be a whole number from 1 to 1000, not 0.5/],
    ['no receive', { maxReceiveCount: 0 }, /maxReceiveCount must be/],
    ['no visibility timeout', { visibilityTimeoutSeconds: 0 }, /visibilityTimeoutSeconds must be/],
    ['a negative delay', { retryDelaySeconds: -1 }, /retryDelaySeconds must be/],
    [
      'no time',
      { timeoutSeconds: 0 },
      /timeoutSeconds must be a number of seconds over 0 and at most 5400, not 0/,
    ],
    ['an invalid time', { timeoutSeconds: Number.NaN }, /timeoutSeconds must be a number of seconds over 0/],
    [
      'more time than Lambda gives',
      { timeoutSeconds: 5401, visibilityTimeoutSeconds: 43_200 },
      /at most 5400/,
    ],
    ['more time than hidden', { timeoutSeconds: 31 }, /visibilityTimeoutSeconds \(30\) must not be less/],
    ['a short poll', { waitTimeSeconds: 0 }, /waitTimeSeconds must be/],
    ['an invalid flag', { fifo: 'yes' }, /fifo must be true or false, not "yes"/],
    ['an invalid reporter', { onInvocation: {} }, /onInvocation must be a function, not an object/],
  ];
  test.each(refused)('fail at once: %s', async (_, options, message) => {
    const all = { aws, handler: nothing, tasks: ['never-made'], ...options } as WorkerOptions;
    const error = await startWorker(all).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'OptionError', code: 'BAD_OPTION' });
    expect(String(error)).toMatch(message);
  });
});
