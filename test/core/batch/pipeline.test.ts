import { describe, expect, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSEvent } from 'aws-lambda';
import { EventReplacedError } from '../../../core/batch/ledger.ts';
import {
  callbackPublisher,
  contextResources,
  queued,
  runTask,
  sqsSnsUnwrap,
  stageMiddleware,
  storedDataHydrate,
  type Task,
  type TaskRecord,
} from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { orders } from '../../support/orders.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

type Middy = typeof middy7;
const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];

const bucket = 'none';
const reporting = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;
const unwrapping = () => sqsSnsUnwrap() as MiddlewareObj;
const batchOf = (...names: string[]): SQSEvent => ({
  Records: names.map((task_name) => sqsRecord({ task_name })),
});

type Loop = (event: { Records: TaskRecord[] }, context: Context) => Promise<unknown>;
const runningLoop =
  (work: (task: Task) => unknown): Loop =>
  ({ Records }, context) =>
    Promise.allSettled(Records.map((record) => runTask(record, context, work)));
const plainLoop =
  (work: (task: Task) => unknown): Loop =>
  ({ Records }) =>
    Promise.allSettled(Records.map(async (record) => work((record as unknown as { task: Task }).task)));
const loops: [string, (work: (task: Task) => unknown) => Loop][] = [
  ['runTask', runningLoop],
  ['record.task', plainLoop],
];

describe.each(versions)('@middy/core %s', (_, middy) => {
  const stackOf = (handler: unknown, stack: readonly MiddlewareObj[], options = {}) => {
    const all = middy(handler as never, options) as unknown as ReturnType<Middy>;
    for (const middleware of stack) all.use(middleware);
    return (event: unknown) => all(event as never, lambdaContext()) as Promise<unknown>;
  };

  describe('records replaced by another middleware', () => {
    const changes: [string, (Records: SQSEvent['Records']) => unknown][] = [
      ['dropped', (Records) => Records.slice(1)],
      ['reversed', (Records) => Records.toReversed()],
      ['all dropped', () => []],
      ['replaced by their bodies', (Records) => Records.map(({ body }) => body)],
      ['deleted', () => undefined],
    ];
    const replacing = (change: (Records: SQSEvent['Records']) => unknown): MiddlewareObj => ({
      before(request) {
        request.event = { Records: change((request.event as SQSEvent).Records) };
      },
    });
    const ours: [string, () => MiddlewareObj][] = [
      ['sqsSnsUnwrap', unwrapping],
      ['contextResources', () => contextResources({})],
      ['storedDataHydrate', () => storedDataHydrate({ bucket })],
      ['callbackPublisher', () => callbackPublisher({ bucket })],
    ];

    test.each(changes)('%s: the invocation fails, with a custom loop too', async (_, change) => {
      for (const [loop, makeLoop] of [...loops, ['queued', queued] as const]) {
        for (const [name, make] of ours) {
          for (const order of orders([reporting(), make()])) {
            const handler = stackOf(
              makeLoop(() => 'done'),
              [...order, replacing(change)],
            );
            const outcome = await handler(batchOf('a', 'b')).catch((error: unknown) => error);
            // Without Records a custom loop throws by itself.
            const error = change([]) === undefined ? Error : EventReplacedError;
            expect({ loop, name, outcome }).toEqual({ loop, name, outcome: expect.any(error) });
          }
        }
      }
    });

    test('an invocation that already failed keeps its error', async () => {
      const failing: MiddlewareObj = {
        before() {
          throw new Error('the database is down');
        },
      };
      for (const order of orders([reporting(), unwrapping(), contextResources({})])) {
        const handler = stackOf(
          plainLoop(() => 'done'),
          [...order, replacing((Records) => Records.slice(1)), failing],
        );
        await expect(handler(batchOf('a', 'b'))).rejects.toThrow('the database is down');
      }
    });
  });

  test('a context replaced by another middleware keeps the stages', async () => {
    const replacing: MiddlewareObj = {
      before(request) {
        request.context = { ...lambdaContext() };
      },
    };
    const seen: unknown[] = [];
    const stages = ['a', 'b'].map((name) =>
      stageMiddleware({
        name,
        around(_, next) {
          seen.push(name);
          return next();
        },
      }),
    );
    const [first, second] = stages as [MiddlewareObj, MiddlewareObj];
    const handler = stackOf(
      queued(() => {}),
      [first, replacing, second, reporting()],
    );
    expect(await handler(batchOf('work'))).toEqual({ batchItemFailures: [] });
    expect(seen).toEqual(['a', 'b']);
  });

  test('does not store state in the `internal` passed to middy()', async () => {
    const work = async (task: Task) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (task.task_name === 'bad') throw new Error('bad');
    };
    const handler = stackOf(queued(work), [reporting(), unwrapping(), storedDataHydrate({ bucket })], {
      internal: {},
    });
    const events = [batchOf('a', 'bad'), batchOf('bad'), batchOf('a', 'a', 'bad')];
    const failedOf = ({ Records }: SQSEvent) => ({
      batchItemFailures: [{ itemIdentifier: Records.at(-1)?.messageId }],
    });
    for (const event of events) expect(await handler(event)).toEqual(failedOf(event));
    const again = [batchOf('a', 'bad'), batchOf('bad'), batchOf('a', 'a', 'bad')];
    expect(await Promise.all(again.map(handler))).toEqual(again.map(failedOf));
  });

  test.each(loops)('a failed SNS notification throws out of a loop with %s', async (_, makeLoop) => {
    const event = () => ({
      Records: [
        {
          EventSource: 'aws:sns',
          Sns: { MessageId: 'm', TopicArn: 't', Message: '{"task_name":"work"}', Timestamp: '' },
        },
      ],
    });
    for (const order of orders([reporting(), unwrapping(), contextResources({})])) {
      const failing = makeLoop(() => {
        throw new Error('broken');
      });
      await expect(stackOf(failing, order)(event())).rejects.toThrow('broken');
      const fulfilled = [{ status: 'fulfilled', value: 'done' }];
      expect(
        await stackOf(
          makeLoop(() => 'done'),
          order,
        )(event()),
      ).toEqual(fulfilled);
    }
  });
});
