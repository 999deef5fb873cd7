import { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateTopicCommand,
  NotFoundException,
  type PublishBatchCommand,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import inputOutputLogger from '@middy/input-output-logger';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import warmup from '@middy/warmup';
import type { Context, SQSEvent } from 'aws-lambda';
import { EventReplacedError } from '../../core/batch/ledger.ts';
import { BatchFailedError } from '../../core/batch/settledBatch.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import {
  callbackPublisher,
  chainEvents,
  contextResources,
  lambdaLogged,
  memorySink,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
  taskMetrics,
} from '../../middlewares/index.ts';
import { PipelineNotRunError } from '../../middlewares/middy/stageMiddleware.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { orders, subsets } from '../support/orders.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let nextArn: string;
let clients: { s3: S3Client; sns: SNSClient };
/** The messages that SNS received. */
let sent: string[];
const storedBody = '{"data_string":{"n":2},"full_unpack":true,"safe_mode":false}';

/** Clients that answer like fauxqs without HTTP, which is most of the work of an invocation. */
function memoryClients(): typeof clients {
  const s3 = async (command: object) => {
    if (!(command instanceof GetObjectCommand)) return {};
    if (!command.input.Key?.startsWith('cache/stored!')) {
      throw new NoSuchKey({ message: 'No such key', $metadata: { httpStatusCode: 404 } });
    }
    return { Body: Readable.from([Buffer.from(storedBody)]), ContentLength: storedBody.length };
  };
  const sns = async ({ input }: PublishBatchCommand) => {
    if (input.TopicArn !== nextArn) {
      throw new NotFoundException({ message: 'No such topic', $metadata: { httpStatusCode: 404 } });
    }
    const entries = input.PublishBatchRequestEntries ?? [];
    sent.push(...entries.map(({ Message = '' }) => Message));
    return { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] };
  };
  return { s3: { send: s3 }, sns: { send: sns } } as unknown as typeof clients;
}

beforeAll(async () => {
  aws = await startLocalAws();
  clients = aws;
  nextArn = (await aws.sns.send(new CreateTopicCommand({ Name: 'next' }))).TopicArn ?? '';
  aws.sns.middlewareStack.add(
    (send) => async (call) => {
      const answer = await send(call);
      const { PublishBatchRequestEntries = [] } = call.input as {
        PublishBatchRequestEntries?: { Message: string }[];
      };
      sent.push(...PublishBatchRequestEntries.map(({ Message }) => Message));
      return answer;
    },
    { step: 'initialize' },
  );
  await aws.s3.send(
    new PutObjectCommand({
      Bucket: aws.bucket,
      Key: 'cache/stored!1565012856.447914.json',
      Body: storedBody,
    }),
  );
});
afterAll(() => aws.stop());

type Name =
  | 'lambdaLogged'
  | 'sqsPartialBatchFailure'
  | 'sqsSnsUnwrap'
  | 'storedDataHydrate'
  | 'contextResources'
  | 'callbackPublisher';

const makers: Record<Name, () => MiddlewareObj> = {
  lambdaLogged: () => lambdaLogged({ logger: silentLogger() }),
  sqsPartialBatchFailure: () => sqsPartialBatchFailure({ logger: () => {} }),
  sqsSnsUnwrap: () => sqsSnsUnwrap() as MiddlewareObj,
  storedDataHydrate: () => storedDataHydrate({ s3: clients.s3, bucket: aws.bucket }),
  contextResources: () => contextResources({ plus: () => 100 }),
  callbackPublisher: () =>
    callbackPublisher({
      s3: clients.s3,
      sns: clients.sns,
      bucket: aws.bucket,
      topics: { next: nextArn, refused: nextArn.replace(/next$/, 'refused') },
    }),
};
const names = Object.keys(makers) as Name[];

const pointer = (name: string) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer: `${aws.bucket}#cache/${name}!1565012856.447914.json` },
});

const makeEvent = (): SQSEvent => ({
  Records: [
    sqsRecord({ task_name: 'work', task_kwargs: { n: 1 }, callback: 'next' }),
    sqsRecord('this is not JSON'),
    sqsRecord({ task_name: 'work', task_kwargs: pointer('nothing'), callback: 'next' }),
    sqsRecord({ task_name: 'work', task_kwargs: pointer('stored'), callback: 'work#next' }),
    sqsRecord({ task_name: 'work', task_kwargs: { n: -1 }, callback: 'next' }),
    sqsRecord({ task_name: 'work', task_kwargs: { n: 3 }, callback: 'refused' }),
  ],
});
const good = [0, 3];

interface WorkContext extends Context {
  plus?: Promise<number>;
}

const makeWorker = (done: number[]) =>
  routeTasks({
    work: async ({ n }: { n: number }, context: WorkContext) => {
      if (n < 0) throw new Error('negative');
      if (typeof n !== 'number') throw new Error('not hydrated');
      done.push(n + ((await context.plus) ?? 0));
      return { n };
    },
  });

type Middy = typeof middy7;

/** Runs the batch through a stack and returns what Lambda would make of it. */
async function invoke(middy: Middy, stack: readonly MiddlewareObj[], event = makeEvent()) {
  const done: number[] = [];
  const handler = stack.reduce(
    (all, middleware) => all.use(middleware) as typeof all,
    middy(queued(makeWorker(done))) as unknown as ReturnType<Middy>,
  );
  sent = [];
  let response: unknown;
  try {
    response = JSON.parse(JSON.stringify(await handler(event, lambdaContext())));
  } catch (error) {
    response = error;
  }
  return { response, done: done.sort(), sent: [...sent], event };
}

const failuresOf = (event: SQSEvent, indices: readonly number[]) => ({
  batchItemFailures: indices.map((index) => ({ itemIdentifier: event.Records[index]?.messageId })),
});

const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];

describe.each(versions)('@middy/core %s', (_, middy) => {
  test('where chainEvents and taskMetrics are among them is irrelevant: the events are the same', async () => {
    const write = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const seen = new Set<string>();
    try {
      for (let place = 0; place <= names.length; place += 1) {
        for (const isReversed of [false, true]) {
          const events = memorySink();
          const ours = names.map((name) => makers[name]());
          const ordered = isReversed ? ours.reverse() : ours;
          const observers = [chainEvents({ to: events }), taskMetrics()];
          const stack = ordered.toSpliced(place, 0, ...(isReversed ? observers.reverse() : observers));
          const { response, event } = await invoke(middy, stack);
          expect(response).toEqual(failuresOf(event, [1, 2, 4, 5]));
          const all = event.Records.map(({ messageId }) =>
            events
              .events()
              .flatMap((one) => ('recordId' in one && one.recordId === messageId ? one.type : [])),
          );
          seen.add(JSON.stringify(all));
        }
      }
      const metrics = write.mock.calls.map(([text]) => JSON.parse(String(text)));
      expect(metrics.filter(({ task_name }) => task_name === 'work')).toHaveLength(2 * (names.length + 1));
    } finally {
      write.mockRestore();
    }
    expect([...seen].map((text) => JSON.parse(text))).toEqual([
      [
        ['received', 'started', 'stored', 'published', 'succeeded'],
        ['received', 'failed'],
        ['received', 'failed'],
        ['received', 'started', 'stored', 'published', 'succeeded'],
        ['received', 'started', 'failed'],
        ['received', 'started', 'stored', 'failed'],
      ],
    ]);
  }, 60_000);

  test('all 720 orders of the six: exactly the four bad records fail, exactly two callbacks are sent', async () => {
    clients = memoryClients();
    const bodies = new Set<string>();
    for (const order of orders(names)) {
      const { response, done, sent, event } = await invoke(
        middy,
        order.map((name) => makers[name]()),
      );
      const outcome = { order, response, done, callbacks: sent.length };
      expect(outcome).toEqual({
        order,
        response: failuresOf(event, [1, 2, 4, 5]),
        done: [101, 102, 103],
        callbacks: 2,
      });
      for (const message of sent) bodies.add(Object.keys(JSON.parse(message)).join());
    }
    expect([...bodies].sort()).toEqual(['task_name,task_kwargs', 'task_name,task_kwargs,callback']);
  }, 120_000);
  afterEach(() => {
    clients = aws;
  });

  test('every subset works or fails loudly', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    for (const subset of subsets(names)) {
      const has = (name: Name) => subset.includes(name);
      const { response, done, sent, event } = await invoke(
        middy,
        subset.map((name) => makers[name]()),
      );
      const plus = has('contextResources') ? 100 : 0;
      let failed = [1, 2, 4, 5];
      if (!has('sqsSnsUnwrap')) failed = [0, 1, 2, 3, 4, 5];
      else if (!has('storedDataHydrate')) failed = has('callbackPublisher') ? [1, 2, 3, 4, 5] : [1, 2, 3, 4];
      else if (!has('callbackPublisher')) failed = [1, 2, 4];
      const reported = has('sqsPartialBatchFailure') ? failuresOf(event, failed) : expect.any(Error);
      let worked = [1, 2, 3];
      if (!has('sqsSnsUnwrap')) worked = [];
      else if (!has('storedDataHydrate')) worked = [1, 3];
      const callbacks = has('callbackPublisher') ? good.filter((index) => !failed.includes(index)).length : 0;
      expect({ subset, response, done, callbacks: sent.length }).toEqual({
        subset,
        response: reported,
        done: worked.map((n) => n + plus),
        callbacks,
      });
      // Without a reporter or a logger, each failure is at least logged.
      const isTold = has('sqsPartialBatchFailure') || has('lambdaLogged');
      expect(logged.mock.calls.length).toBe(isTold ? 0 : failed.length);
      logged.mockClear();
    }
    logged.mockRestore();
  });

  describe('with another middleware at every position between ours', () => {
    const foreign: [string, () => MiddlewareObj][] = [
      [
        'input-output-logger',
        () => inputOutputLogger({ logger: (message) => void JSON.stringify(message) }) as MiddlewareObj,
      ],
      [
        'a copy of the context',

        () => ({
          before(request) {
            request.context = { ...request.context };
          },
        }),
      ],
      [
        'a context derived from ours',

        () => ({
          before(request) {
            request.context = Object.create(request.context);
          },
        }),
      ],
      [
        'a copy of the event',

        () => ({
          before(request) {
            request.event = structuredClone(request.event);
          },
        }),
      ],
    ];
    test.each(foreign)('%s: the same outcome', async (_, make) => {
      for (let position = 0; position <= names.length; position += 1) {
        const stack = names.map((name) => makers[name]()).toSpliced(position, 0, make());
        const { response, done, sent, event } = await invoke(middy, stack);
        const outcome = { position, response, done, callbacks: sent.length };
        expect(outcome).toEqual({
          position,
          response: failuresOf(event, [1, 2, 4, 5]),
          done: [101, 102, 103],
          callbacks: 2,
        });
      }
    });

    test.each<[string, (event: SQSEvent) => SQSEvent]>([
      ['drops a record', ({ Records }) => ({ Records: Records.slice(1) })],
      ['reverses the records', ({ Records }) => ({ Records: Records.toReversed() })],
    ])('%s: the invocation fails', async (_, change) => {
      for (let position = 1; position <= names.length; position += 1) {
        const replacing: MiddlewareObj<SQSEvent> = {
          before(request) {
            request.event = change(request.event);
          },
        };
        const stack = names.map((name) => makers[name]()).toSpliced(position, 0, replacing as MiddlewareObj);
        const { response, done } = await invoke(middy, stack);
        expect({ position, response, done }).toEqual({
          position,
          response: expect.any(EventReplacedError),
          done: [],
        });
      }
    });

    test('logging an outcome that nothing maps does not make the invocation succeed', async () => {
      const lines: string[] = [];
      const log = inputOutputLogger({ logger: (message) => void lines.push(JSON.stringify(message)) });
      const stack = names.map((name) => (name === 'sqsPartialBatchFailure' ? log : makers[name]()));
      const { response, event } = await invoke(middy, stack as MiddlewareObj[]);
      expect(response).toBeInstanceOf(BatchFailedError);
      expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ response: failuresOf(event, [1, 2, 4, 5]) });
    });

    test('an early return fails the invocation, since it would acknowledge messages that never ran', async () => {
      const stack = [...names.map((name) => makers[name]()), warmup({ isWarmingUp: () => true })];
      expect(await invoke(middy, stack)).toMatchObject({ response: { code: 'NOT_RUN' }, done: [], sent: [] });
    });
  });

  test('a plain handler on a batch fails the invocation, and the error lists the missing parts', async () => {
    const handler = middy(async () => 'done')
      .use(sqsSnsUnwrap())
      .use(makers.storedDataHydrate());
    const failed = expect(handler(makeEvent(), lambdaContext())).rejects;
    await failed.toThrow(PipelineNotRunError);
    await failed.toThrow(/queued\(\).*runTask\(\)/);
  });
});
