import { randomUUID } from 'node:crypto';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { SqsRecord } from '../../core/batch/events.ts';
import { runTask } from '../../core/batch/runTask.ts';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { NonRetryableError, OptionError } from '../../core/errors.ts';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { DeadLetterError } from '../../middlewares/aws/deadLetterMessage.ts';
import { ErrorTaskNotToldError } from '../../middlewares/callbacks/ErrorTaskNotToldError.ts';
import {
  callbackPublisher,
  type FailurePolicyOptions,
  failurePolicy,
  queued,
  RetryLaterError,
  sqsSnsUnwrap,
  stageMiddleware,
} from '../../middlewares/index.ts';
import { runNode } from '../local/tools.ts';
import { type FaultOf, type FaultyClients, faultyClients, reset } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
  jest.restoreAllMocks();
});

interface Queue {
  url: string;
  arn: string;
}

const createQueue = async (name: string, attributes: Record<string, string> = {}): Promise<Queue> => {
  const { QueueUrl: url = '' } = await aws.sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  const { Attributes } = await aws.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { url, arn: Attributes?.QueueArn ?? '' };
};

/** A queue and its dead-letter queue. */
async function createQueues({ fifo = false, redrive = true } = {}) {
  const suffix = fifo ? '.fifo' : '';
  const attributes: Record<string, string> = fifo ? { FifoQueue: 'true' } : {};
  const id = randomUUID();
  const dead = await createQueue(`dead-${id}${suffix}`, attributes);
  const policy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 50 });
  const queue = await createQueue(
    `work-${id}${suffix}`,
    redrive ? { ...attributes, RedrivePolicy: policy } : attributes,
  );
  return { queue, dead };
}

/** Sends messages to a queue and receives them as Lambda's records. */
async function receive(
  queue: Queue,
  messages: readonly (Partial<SendMessageCommandInput> & { MessageBody: string })[],
): Promise<SqsRecord[]> {
  for (const message of messages)
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: queue.url, ...message }));
  return receiveAgain(queue);
}

async function receiveAgain(queue: Queue): Promise<SqsRecord[]> {
  const { Messages = [] } = await aws.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return Messages.map(({ MessageId, ReceiptHandle, Body, Attributes, MessageAttributes = {} }) =>
    sqsRecord(Body ?? '', {
      raw: true,
      messageId: MessageId as string,
      receiptHandle: ReceiptHandle as string,
      attributes: Attributes as never,
      messageAttributes: Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { DataType = '', StringValue, BinaryValue }]) => [
          name,
          {
            dataType: DataType,
            ...(StringValue === undefined ? {} : { stringValue: StringValue }),
            ...(BinaryValue === undefined
              ? {}
              : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
          },
        ]),
      ) as never,
      eventSourceARN: queue.arn,
    }),
  ) as SqsRecord[];
}

const task = (task_kwargs: object) => JSON.stringify({ task_name: 'work', task_kwargs });
type Work = (kwargs: { [key: string]: unknown }) => unknown;

/** Runs a batch with the policy in the stack. Returns the calls to SQS. */
async function run(
  Records: SqsRecord[],
  work: Work,
  options: FailurePolicyOptions = {},
  faultOf: FaultOf = () => undefined,
  concurrency = 10,
) {
  const clients = faultyClients(aws, faultOf);
  opened.push(clients);
  const handler = middy(
    queued(({ task_kwargs }: { task_kwargs: never }) => work(task_kwargs), { concurrency }),
  )
    .use(failurePolicy({ sqs: clients.sqs, ...options }))
    .use(sqsSnsUnwrap());
  const settled = (await handler({ Records }, lambdaContext())) as SettledBatch<unknown>;
  const hidden = clients.attempts
    .filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch')
    .map(({ target }) =>
      (JSON.parse(target).Entries as { ReceiptHandle: string; VisibilityTimeout: number }[]).map((entry) => ({
        record: Records.findIndex(({ receiptHandle }) => receiptHandle === entry.ReceiptHandle),
        seconds: entry.VisibilityTimeout,
      })),
    );
  return { settled, statuses: settled.map(({ status }) => status), hidden, attempts: clients.attempts };
}

const fail = (error: unknown) => () => {
  throw error;
};

describe('a final failure', () => {
  test('goes to the dead-letter queue unchanged, with its reason, and counts as done', async () => {
    const { queue, dead } = await createQueues();
    const Records = await receive(queue, [
      {
        MessageBody: task({ n: 1 }),
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'ü' },
          number: { DataType: 'Number', StringValue: '7' },
          bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
        },
      },
    ]);
    const { statuses } = await run(Records, fail(new NonRetryableError('no such customer')));
    expect(statuses).toEqual(['fulfilled']);
    const [letter] = await receiveAgain(dead);
    expect(letter?.body).toBe(Records[0]?.body);
    expect(letter?.messageAttributes).toEqual({
      text: { dataType: 'String', stringValue: 'ü' },
      number: { dataType: 'Number', stringValue: '7' },
      bytes: { dataType: 'Binary', binaryValue: 'AP8=' },
      failure_reason: { dataType: 'String', stringValue: 'NonRetryableError: no such customer' },
      // Without an SNS envelope the chain has the id of the SQS message, which a redrive changes.
      chain_id: { dataType: 'String', stringValue: Records[0]?.messageId },
      failure_code: { dataType: 'String', stringValue: 'NON_RETRYABLE' },
      failed_message_id: { dataType: 'String', stringValue: Records[0]?.messageId },
      failed_queue: { dataType: 'String', stringValue: queue.arn },
    });
  });

  test('keeps the chain id that its message has', async () => {
    const { queue, dead } = await createQueues();
    const MessageAttributes = { chain_id: { DataType: 'String', StringValue: 'a-chain' } };
    const Records = await receive(queue, [{ MessageBody: task({ n: 1 }), MessageAttributes }]);
    await run(Records, fail(new NonRetryableError('no')));
    const [letter] = await receiveAgain(dead);
    expect(letter?.messageAttributes.chain_id?.stringValue).toBe('a-chain');
  });

  test('goes there unchanged even if event-normalizer has parsed the body or the message in its envelope', async () => {
    const { queue, dead } = await createQueues();
    const inEnvelope = sqsRecord({ task_name: 'work', task_kwargs: {} }).body;
    for (const MessageBody of [task({ n: 1 }), inEnvelope]) {
      const [record] = await receive(queue, [{ MessageBody }]);
      const body = JSON.parse(MessageBody);
      if (body.Message) body.Message = JSON.parse(body.Message);
      const { statuses } = await run(
        [{ ...(record as SqsRecord), body }],
        fail(new NonRetryableError('no such customer')),
      );
      expect(statuses).toEqual(['fulfilled']);
      const [letter] = await receiveAgain(dead);
      expect(letter?.body).toBe(MessageBody);
    }
  });

  test.each<[string, string, Work]>([
    ['a message that is not JSON', '{', () => {}],
    ['a message that is not a task', '[]', () => {}],
    ['a NonRetryableError', task({}), fail(new NonRetryableError('never'))],
    [
      'a NonRetryableError as a cause',
      task({}),
      fail(new Error('a', { cause: new Error('b', { cause: new NonRetryableError('c') }) })),
    ],
  ])('is %s', async (_, MessageBody, work) => {
    const { queue, dead } = await createQueues();
    const { statuses, hidden } = await run(await receive(queue, [{ MessageBody }]), work);
    expect({ statuses, hidden, dead: (await receiveAgain(dead)).length }).toEqual({
      statuses: ['fulfilled'],
      hidden: [],
      dead: 1,
    });
  });

  test.each<[string, unknown]>([
    ['an ordinary error', new Error('later')],
    ['a retryable AlgernonError as a cause', new Error('later', { cause: new DeadLetterError(1, 2) })],
    ['a thrown string', 'later'],
  ])('is not %s', async (_, error) => {
    const { queue, dead } = await createQueues();
    const { settled, hidden } = await run(await receive(queue, [{ MessageBody: task({}) }]), fail(error));
    expect(settled).toMatchObject([{ status: 'rejected', reason: error }]);
    expect(hidden).toHaveLength(1);
    expect(await receiveAgain(dead)).toEqual([]);
  });

  test('is decided by isFinal first, then by the error', async () => {
    const { queue, dead } = await createQueues();
    const Records = await receive(
      queue,
      ['a', 'b', 'c'].map((name) => ({ MessageBody: task({ name }) })),
    );
    const work: Work = ({ name }) => {
      if (name === 'b') throw new NonRetryableError('b');
      throw new TypeError(String(name));
    };
    const { statuses } = await run(Records, work, {
      isFinal: (error) => (error as Error).message === 'a' || undefined,
    });
    expect(
      Object.fromEntries(Records.map(({ body }, i) => [JSON.parse(body).task_kwargs.name, statuses[i]])),
    ).toEqual({
      a: 'fulfilled',
      b: 'fulfilled',
      c: 'rejected',
    });
    expect((await receiveAgain(dead)).map(({ body }) => JSON.parse(body).task_kwargs.name).sort()).toEqual([
      'a',
      'b',
    ]);
  });

  test('fails its record if the dead-letter queue cannot be written, and the message returns after the backoff', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: '{' }, { MessageBody: task({}) }]);
    const { settled, hidden } = await run(
      Records,
      () => 'done',
      {},
      ({ operation }) => (operation === 'SendMessageBatch' ? reset() : undefined),
    );
    const bad = Records.findIndex(({ body }) => body === '{');
    expect(settled[bad]).toMatchObject({
      status: 'rejected',
      reason: { name: 'DeadLetterError', retryable: true, failure: { name: 'MessageNotJsonError' } },
    });
    expect(settled[1 - bad]).toMatchObject({ status: 'fulfilled', value: 'done' });
    expect(hidden).toMatchObject([[{ record: bad }]]);
  });

  test('fails its record if the queue has no dead-letter queue, with an error that says so', async () => {
    const { queue } = await createQueues({ redrive: false });
    const { settled } = await run(await receive(queue, [{ MessageBody: '{' }]), () => {});
    expect(settled[0]).toMatchObject({
      reason: { message: expect.stringMatching(/RedrivePolicy.*deadLetterQueue/) },
    });
  });

  test.each(['a URL', 'a function'])('goes where the option says: %s', async (how) => {
    const { queue, dead } = await createQueues();
    const other = await createQueue(`other-${randomUUID()}`);
    const deadLetterQueue = how === 'a URL' ? other.url : async () => other.url;
    await run(await receive(queue, [{ MessageBody: '{' }]), () => {}, { deadLetterQueue });
    expect([(await receiveAgain(dead)).length, (await receiveAgain(other)).length]).toEqual([0, 1]);
  });

  test('has a reason that fits into the attributes, whatever the error says', async () => {
    const { queue, dead } = await createQueues();
    const MessageAttributes = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`a${i}`, { DataType: 'String', StringValue: String(i) }]),
    );
    const Records = await receive(queue, [{ MessageBody: task({}), MessageAttributes }]);
    const { statuses } = await run(Records, fail(new NonRetryableError(`\0\uD800\uFFFF${'x'.repeat(5000)}`)));
    expect(statuses).toEqual(['fulfilled']);
    const [letter] = await receiveAgain(dead);
    const { failure_reason, ...rest } = letter?.messageAttributes ?? {};
    expect(failure_reason?.stringValue).toMatch(/^NonRetryableError: \uFFFD{3}x{900,990}$/);
    expect(Object.keys(rest).sort()).toEqual(Object.keys(MessageAttributes));
  });

  test('looks up the queue once per container, and again after a failed look-up', async () => {
    const { queue, dead } = await createQueues();
    let asked = 0;
    const clients = faultyClients(aws, ({ operation }) => {
      if (operation === 'GetQueueAttributes') asked += 1;
      return operation === 'GetQueueAttributes' && asked === 1 ? reset() : undefined;
    });
    opened.push(clients);
    const handler = middy(queued(() => {}))
      .use(sqsSnsUnwrap())
      .use(failurePolicy({ sqs: clients.sqs, backoff: false }));
    const statuses: string[] = [];
    for (const MessageBody of ['1', '2', '3']) {
      const settled = (await handler(
        { Records: await receive(queue, [{ MessageBody }]) },
        lambdaContext(),
      )) as SettledBatch<unknown>;
      statuses.push(...settled.map(({ status }) => status));
    }
    expect({ statuses, asked, dead: (await receiveAgain(dead)).length }).toEqual({
      statuses: ['rejected', 'fulfilled', 'fulfilled'],
      asked: 2,
      dead: 2,
    });
  });
});

describe('a retryable failure', () => {
  test.each([
    ['doubles with each delivery', 0.5, [1, 2, 3, 4, 5], { baseSeconds: 8, jitter: 0 }, [8, 16, 32, 64, 128]],
    ['has a maximum', 0.5, [5, 40, 5000], { baseSeconds: 8, maxSeconds: 100, jitter: 0 }, [100, 100, 100]],
    ['has jitter: the shortest', 1, [1, 2], { baseSeconds: 100, jitter: 0.25 }, [75, 150]],
    ['has jitter: the longest', 0, [1, 2], { baseSeconds: 100, jitter: 0.25 }, [100, 200]],
    ['has full jitter', 0.5, [1, 2], { baseSeconds: 100, jitter: 1 }, [50, 100]],
    ['has defaults', 1, [1, 2, 3, 50], {}, [1, 2, 4, 450]],
  ])('returns after a delay that %s', async (_, chance, counts, backoff, seconds) => {
    jest.spyOn(Math, 'random').mockReturnValue(chance);
    const { queue } = await createQueues();
    const Records = await receive(
      queue,
      counts.map((n) => ({ MessageBody: task({ n }) })),
    );
    Records.forEach((record, i) => {
      record.attributes.ApproximateReceiveCount = String(counts[i]);
    });
    const { hidden, statuses } = await run(Records, fail(new Error('later')), { backoff });
    expect(statuses).toEqual(counts.map(() => 'rejected'));
    const byRecord = hidden.flat().sort((a, b) => a.record - b.record);
    expect(byRecord).toEqual(seconds.map((expected, record) => ({ record, seconds: expected })));
  });

  test('is redelivered by SQS', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    await run(Records, fail(new Error('later')), { backoff: { baseSeconds: 0 } });
    expect(await receiveAgain(queue)).toMatchObject([{ attributes: { ApproximateReceiveCount: '2' } }]);
  });

  test('is left to the queue with backoff: false', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const { attempts, statuses } = await run(Records, fail(new Error('later')), { backoff: false });
    expect({ attempts, statuses }).toEqual({ attempts: [], statuses: ['rejected'] });
  });

  test('keeps its own error if SQS refuses the delay', async () => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const { settled } = await run(Records, fail(new Error('later')), {}, ({ operation }) =>
      operation === 'ChangeMessageVisibilityBatch'
        ? { status: 400, code: 'ReceiptHandleIsInvalid' }
        : undefined,
    );
    expect(settled).toMatchObject([{ reason: { message: 'later' } }]);
    expect(warned).toHaveBeenCalledTimes(1);
  });

  test('is left alone if the invocation is about to end', async () => {
    const { queue, dead } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const ended = new AbortController();
    const failed: unknown[] = [];
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const handler = middy(async ({ Records: [record] }: { Records: SqsRecord[] }, context: object) => {
      const work = async () => {
        ended.abort();
        throw new NonRetryableError('too late');
      };
      await runTask(record as SqsRecord, context, work, { signal: ended.signal }).catch((e) =>
        failed.push(e),
      );
    }).use(failurePolicy({ sqs: clients.sqs }));
    await handler({ Records }, lambdaContext());
    expect(failed).toMatchObject([{ message: 'too late' }]);
    expect(clients.attempts).toEqual([]);
    expect(await receiveAgain(dead)).toEqual([]);
  });
});

describe('in a FIFO queue', () => {
  /** A batch of a FIFO queue. fauxqs returns only one message of a group at a time. */
  const inGroups = (queue: Queue, names: readonly string[]) =>
    names.map((name) => {
      const record = sqsRecord(task({ name }), { raw: true, eventSourceARN: queue.arn });
      record.attributes.MessageGroupId = name.slice(0, 1);
      return record as SqsRecord;
    });

  test('a retryable failure returns the rest of its group, and nothing else', async () => {
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues({ fifo: true });
    const names = ['A1', 'A2', 'B1', 'A3', 'B2', 'A4'];
    const Records = inGroups(queue, names);
    const { hidden, statuses } = await run(Records, ({ name }) => {
      if (name === 'A2') throw new Error('later');
    });
    expect(hidden.map((call) => call.map(({ record }) => names[record]))).toEqual([['A2', 'A3', 'A4']]);
    expect(Object.fromEntries(names.map((name, i) => [name, statuses[i]]))).toEqual({
      A1: 'fulfilled',
      A2: 'rejected',
      A3: 'rejected',
      A4: 'rejected',
      B1: 'fulfilled',
      B2: 'fulfilled',
    });
    // The queue does not have these messages, and refuses each.
    expect(warned).toHaveBeenCalledTimes(1);
  });

  test('leaves alone the records that a custom loop has already started', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues({ fifo: true });
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const handler = middy(async ({ Records }: { Records: SqsRecord[] }, context: object) => {
      const work = () => {
        throw new Error('later');
      };
      await Promise.allSettled(Records.slice(0, 2).map((record) => runTask(record, context, work)));
    }).use(failurePolicy({ sqs: clients.sqs }));
    await handler({ Records: inGroups(queue, ['A1', 'A2', 'A3']) }, lambdaContext());
    const hidden = clients.attempts
      .filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch')
      .map(({ target }) => JSON.parse(target).Entries.length);
    expect(hidden).toEqual([4]);
  });

  test('other groups that wait for their turn stay as they are', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues({ fifo: true });
    const names = ['A1', 'B1', 'A2', 'C1'];
    const work: Work = ({ name }) => {
      if (name === 'A1') throw new Error('later');
    };
    const { hidden } = await run(inGroups(queue, names), work, {}, undefined, 1);
    expect(hidden.map((call) => call.map(({ record }) => names[record]))).toEqual([['A1', 'A2']]);
  });

  test('a loop that starts in the middle of a group returns what comes after', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues({ fifo: true });
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const Records = inGroups(queue, ['A1', 'A2', 'A3']);
    const handler = middy(async (event: { Records: SqsRecord[] }, context: object) => {
      await runTask(event.Records[1] as SqsRecord, context, fail(new Error('later'))).catch(() => {});
      return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    }).use(failurePolicy({ sqs: clients.sqs }));
    await handler({ Records }, lambdaContext());
    const [call] = clients.attempts.filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch');
    const handles = JSON.parse(String(call?.target)).Entries.map(
      ({ ReceiptHandle }: { ReceiptHandle: string }) => ReceiptHandle,
    );
    expect(handles).toEqual(Records.slice(1).map(({ receiptHandle }) => receiptHandle));
  });

  test('only there: a group in a standard queue is unaffected', async () => {
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    const { queue } = await createQueues();
    const { hidden } = await run(inGroups(queue, ['A1', 'A2']), fail(new Error('later')), {}, undefined, 1);
    expect(hidden).toEqual([
      [expect.objectContaining({ record: 0 })],
      [expect.objectContaining({ record: 1 })],
    ]);
  });

  test('a dead letter keeps its group, and the group goes on', async () => {
    const { queue, dead } = await createQueues({ fifo: true });
    const Records = inGroups(queue, ['A1', 'A2']);
    const done: unknown[] = [];
    const { statuses, hidden } = await run(Records, ({ name }) => {
      if (name === 'A1') throw new NonRetryableError('never');
      done.push(name);
    });
    expect({ statuses, hidden, done }).toEqual({
      statuses: ['fulfilled', 'fulfilled'],
      hidden: [],
      done: ['A2'],
    });
    expect(await receiveAgain(dead)).toMatchObject([
      { attributes: { MessageGroupId: 'A', MessageDeduplicationId: Records[0]?.messageId } },
    ]);
  });
});

test('behind a real queue: a final failure runs once, a retryable one until it succeeds', async () => {
  let tries = 0;
  const handler = middy(
    queued(({ task_kwargs: { name } }: { task_kwargs: { name: string } }) => {
      if (name === 'poison') throw new NonRetryableError('never');
      tries += 1;
      if (tries < 3) throw new Error('later');
    }),
  )
    .use(failurePolicy({ sqs: aws.sqs, backoff: { baseSeconds: 0 } }))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap());
  const worker = await startWorker({
    aws,
    handler: handler as never,
    tasks: ['policy'],
    maxReceiveCount: 10,
    visibilityTimeoutSeconds: 600,
    onInvocation: () => {},
  });
  for (const name of ['poison', 'slow']) {
    await aws.sqs.send(
      new SendMessageCommand({ QueueUrl: worker.queues.policy.url, MessageBody: task({ name }) }),
    );
  }
  await worker.idle();
  expect(tries).toBe(3);
  expect(await worker.deadLetters('policy')).toMatchObject([
    { messageAttributes: { failure_reason: { stringValue: 'NonRetryableError: never' } } },
  ]);
  await worker.stop();
});

test('leaves direct invocations and SNS without a queue alone', async () => {
  const handler = middy(queued(fail(new NonRetryableError('never'))))
    .use(failurePolicy())
    .use(sqsSnsUnwrap());
  const Sns = {
    MessageId: 'm',
    TopicArn: 'arn',
    Message: '{"task_name":"x"}',
    Timestamp: '2026-01-01T00:00:00Z',
  };
  for (const event of [{ task_name: 'x' }, { Records: [{ EventSource: 'aws:sns', Sns }] }]) {
    await expect(handler(event as never, lambdaContext())).rejects.toThrow('never');
  }
});

test.each<[string, FailurePolicyOptions]>([
  ['deadLetterQueue', { deadLetterQueue: 'arn:aws:sqs:us-east-1:1:dead' }],
  ['deadLetterQueue', { deadLetterQueue: 'see https://sqs.us-east-1.amazonaws.com/1/dead' }],
  ['backoff', { backoff: [] }],
  ['backoff', { backoff: [5, 43_000] }],
  ['backoff', { backoff: 5 as never }],
  ['backoff', { backoff: null as never }],
  ['backoff', { backoff: true as never }],
  ['backoff.baseSeconds', { backoff: { baseSeconds: -1 } }],
  ['backoff.maxSeconds', { backoff: { maxSeconds: 43_200 } }],
  ['backoff.jitter', { backoff: { jitter: 1.1 } }],
])('refuses a bad %s at the call', (option, options) => {
  expect(() => failurePolicy(options)).toThrow(OptionError);
  expect(() => failurePolicy(options)).toThrow(option);
});

test('without @aws-sdk/client-sqs the package can be imported, and the first failure says what to install', async () => {
  const record = sqsRecord('{', { raw: true });
  const { output, code } = await runNode(
    `import { registerHooks } from 'node:module';
     const missing = '@aws-sdk/client-sqs';
     registerHooks({ resolve(name, context, next) {
       return next(name, name === missing ? { ...context, parentURL: 'file:///nowhere/x.js' } : context);
     } });
     const { default: middy } = await import('@middy/core');
     const { failurePolicy, queued, sqsSnsUnwrap } = await import('./middlewares/index.ts');
     const handler = middy(queued(() => {})).use(failurePolicy()).use(sqsSnsUnwrap());
     const [{ status, reason }] = await handler({ Records: [${JSON.stringify(record)}] }, {});
     console.log(status, reason.name, reason.message.slice(-90));`,
  );
  expect(output).toMatch(
    /^rejected DeadLetterError .*failurePolicy needs @aws-sdk\/client-sqs: npm install @aws-sdk\/client-sqs$/m,
  );
  expect(code).toBe(0);
});

describe('decisions by a function or a queue', () => {
  const fifoRecords = (queue: Queue, receives: number) =>
    ['A1', 'A2'].map((name) => {
      const record = sqsRecord(task({ name }), { raw: true, eventSourceARN: queue.arn });
      record.attributes.MessageGroupId = 'A';
      record.attributes.ApproximateReceiveCount = String(receives);
      return record as SqsRecord;
    });
  const quiet = () => jest.spyOn(console, 'warn').mockImplementation(() => {});
  const sends = (attempts: readonly { operation: string }[]) =>
    attempts.filter(({ operation }) => operation === 'SendMessageBatch').length;

  test('isFinal may be async, and false overrides the default', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const isFinal = async () => false;
    const { statuses, attempts } = await run(Records, fail(new NonRetryableError('never')), { isFinal });
    expect([statuses, sends(attempts)]).toEqual([['rejected'], 0]);
  });

  test('an async isFinal that rejects falls back to the default, with a warning', async () => {
    const warned = quiet();
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const isFinal = () => Promise.reject(new Error('no database'));
    const { statuses, attempts } = await run(Records, fail(new NonRetryableError('never')), { isFinal });
    expect([statuses, sends(attempts), warned.mock.calls.length]).toEqual([['fulfilled'], 1, 1]);
  });

  test('isFinal is called once per failure, even if several stages need its answer', async () => {
    const { queue } = await createQueues();
    const { TopicArn: cleanup = '' } = await aws.sns.send(new CreateTopicCommand({ Name: 'cleanup' }));
    const onError = { DataType: 'String', StringValue: 'cleanup' };
    const [record] = await receive(queue, [
      { MessageBody: task({}), MessageAttributes: { on_error: onError } },
    ]);
    let asked = 0;
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const { s3, sns, sqs } = clients;
    const handler = middy(queued(fail(new Error('later'))))
      .use(sqsSnsUnwrap())
      .use(failurePolicy({ sqs, isFinal: () => ++asked === 1 }))
      .use(callbackPublisher({ sns, s3, bucket: aws.bucket, topics: { cleanup } }));
    await handler({ Records: [record] } as never, lambdaContext());
    const published = clients.attempts.filter(({ operation }) => operation === 'PublishBatch').length;
    expect([asked, sends(clients.attempts), published]).toEqual([1, 1, 1]);
  });

  test('an error task that was not told is told again, whatever isFinal says', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }]);
    const error = new ErrorTaskNotToldError(new NonRetryableError('never'), new Error('down'));
    const { statuses, attempts } = await run(Records, fail(error), { isFinal: () => true });
    expect([statuses, sends(attempts)]).toEqual([['rejected'], 0]);
  });

  test('a task that throws undefined on its last receive is dead-lettered, and its group goes on', async () => {
    const { queue } = await createQueues({ fifo: true });
    const { statuses, attempts } = await run(fifoRecords(queue, 50), ({ name }) => {
      if (name === 'A1') throw undefined;
    });
    expect([statuses, sends(attempts)]).toEqual([['fulfilled', 'fulfilled'], 1]);
  });

  test('a FIFO queue without a RedrivePolicy gets one warning, and its messages return', async () => {
    const warned = quiet();
    const { queue } = await createQueues({ fifo: true, redrive: false });
    const { statuses } = await run(fifoRecords(queue, 1000), fail(new Error('later')), { backoff: false });
    expect(statuses).toEqual(['rejected', 'rejected']);
    expect(warned.mock.calls).toEqual([[expect.stringContaining('has no RedrivePolicy')]]);
  });

  test('a FIFO queue whose last receive is unknown returns its messages', async () => {
    const { queue, dead } = await createQueues({ fifo: true, redrive: false });
    const options = { deadLetterQueue: dead.url, backoff: false } as const;
    quiet();
    const { statuses, attempts } = await run(fifoRecords(queue, 1000), fail(new Error('later')), options);
    expect([statuses, sends(attempts)]).toEqual([['rejected', 'rejected'], 0]);
    const warned = quiet();
    warned.mockClear();
    const denied: FaultOf = ({ operation }) =>
      operation === 'GetQueueAttributes' ? { status: 403, code: 'AccessDenied' } : undefined;
    const looked = await run(fifoRecords(queue, 1000), fail(new Error('later')), options, denied);
    expect([looked.statuses, sends(looked.attempts)]).toEqual([['rejected', 'rejected'], 0]);
    expect(warned.mock.calls).toEqual([
      ['failurePolicy: give the option maxReceiveCount, or sqs:GetQueueAttributes:', expect.any(Error)],
    ]);
  });

  test.each(['eventSourceARN', 'attributes'] as const)(
    'a record that was made by hand, without %s, keeps its own error',
    async (field) => {
      const warned = quiet();
      const record = sqsRecord(task({}), { raw: true }) as SqsRecord;
      delete (record as Partial<SqsRecord>)[field];
      const { settled, attempts } = await run([record], fail(new Error('later')), {
        maxReceiveCount: 1,
      });
      expect(settled).toMatchObject([{ reason: { message: 'later' } }]);
      expect(attempts.length > 0).toBe(field === 'attributes');
      expect(warned.mock.calls.length).toBe(attempts.length > 0 ? 1 : 0);
    },
  );

  test('each is reported to the observers of the task', async () => {
    quiet();
    const { queue, dead } = await createQueues();
    const facts: unknown[] = [];
    const observer = stageMiddleware({
      name: 'observer',
      order: { at: 'observe' },
      around(run, next) {
        run.report = (fact) => void facts.push(fact);
        return next();
      },
    });
    for (const error of [new RetryLaterError(7), new NonRetryableError('never')]) {
      const Records = await receive(queue, [{ MessageBody: task({}) }]);
      const clients = faultyClients(aws, () => undefined);
      opened.push(clients);
      const handler = middy(queued(fail(error)))
        .use(sqsSnsUnwrap())
        .use(observer)
        .use(failurePolicy({ sqs: clients.sqs }));
      await handler({ Records } as never, lambdaContext());
    }
    expect(facts).toEqual([
      { type: 'retried', delaySeconds: 7 },
      { type: 'deadLettered', queue: dead.url },
    ]);
  });

  test('sends no dead letter after the cut-off, since the answer returns the message', async () => {
    const { queue, dead } = await createQueues({ fifo: true });
    let find = () => {};
    const found = new Promise<string>((resolve) => {
      find = () => resolve(dead.url);
    });
    const clients = faultyClients(aws, () => undefined);
    opened.push(clients);
    const end = performance.now() + 650;
    const handler = middy(queued(fail(new NonRetryableError('never'))))
      .use(sqsSnsUnwrap())
      .use(failurePolicy({ sqs: clients.sqs, deadLetterQueue: () => found }));
    const getRemainingTimeInMillis = () => end - performance.now();
    const event = { Records: fifoRecords(queue, 50).slice(0, 1) };
    const settled = await handler(event as never, lambdaContext({ getRemainingTimeInMillis }));
    find();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(settled).toMatchObject([{ status: 'rejected' }]);
    expect(sends(clients.attempts)).toBe(0);
  });

  test('a record without a receipt handle does not keep the others from being delayed', async () => {
    const { queue } = await createQueues();
    const Records = await receive(queue, [{ MessageBody: task({}) }, { MessageBody: task({}) }]);
    delete (Records[0] as Partial<SqsRecord>).receiptHandle;
    const { hidden } = await run(Records, fail(new Error('later')));
    expect(hidden).toEqual([[expect.objectContaining({ record: 1 })]]);
  });
});
