import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import fc from 'fast-check';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import {
  callbackPublisher,
  cancelChain,
  cancellable,
  contextResources,
  extendedPayload,
  failurePolicy,
  idempotent,
  lambdaLogged,
  queued,
  sqsSnsUnwrap,
  stepFunctionsTask,
  storeData,
  storedDataHydrate,
  type Task,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let next: string;
/** The messages that SNS got. */
let sent: string[];
beforeAll(async () => {
  aws = await startLocalAws();
  next = (await aws.sns.send(new CreateTopicCommand({ Name: 'next' }))).TopicArn ?? '';
  aws.sns.middlewareStack.add(
    (send) => async (call) => {
      const { PublishBatchRequestEntries = [] } = call.input as {
        PublishBatchRequestEntries?: { Message: string }[];
      };
      sent.push(...PublishBatchRequestEntries.map(({ Message }) => Message));
      return send(call);
    },
    { step: 'initialize' },
  );
  jest.spyOn(console, 'info').mockImplementation(() => {});
});
afterAll(async () => {
  jest.restoreAllMocks();
  await aws.stop();
});

let runs = 0;

/** The stack without an order, with a folder of records. */
function makers(folder: string): MiddlewareObj[] {
  const common = { s3: aws.s3, bucket: aws.bucket };
  return [
    lambdaLogged({ logger: silentLogger() }),
    sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj,
    failurePolicy({ sqs: aws.sqs, backoff: false }),
    sqsSnsUnwrap() as MiddlewareObj,
    extendedPayload(common),
    stepFunctionsTask(),
    storedDataHydrate(common),
    contextResources({ db: () => 'db' }) as MiddlewareObj,
    callbackPublisher({ ...common, sns: aws.sns, topics: { next }, inlineUnder: 1000 }),
    idempotent({ ...common, folder, key: ({ task_kwargs }) => task_kwargs?.key as string | undefined }),
    cancellable(common),
  ];
}
const count = 11;

test.each([
  ['7', middy7],
  ['6', middy6 as unknown as typeof middy7],
])(
  'in any order of .use, idempotent and cancellable do the same, with Middy %s',
  async (_, middy) => {
    const pointer = await storeData({ key: 'stored', n: 3 }, { s3: aws.s3, bucket: aws.bucket });
    await cancelChain('cancelled-chain', { s3: aws.s3, bucket: aws.bucket });
    const stored = {
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer: pointer.pointer },
    };

    const property = fc.asyncProperty(
      fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
      async (order) => {
        runs += 1;
        const all = makers(`orders${runs}`);
        const ran: unknown[] = [];
        const handler = order.reduce(
          (stack, index) => stack.use(all[index] as MiddlewareObj) as typeof stack,
          middy(
            queued(async ({ task_kwargs }: Task<{ n: number }>) => {
              ran.push(task_kwargs?.n);
              if (task_kwargs?.n === -1) throw new Error('negative');
              return { n: task_kwargs?.n };
            }),
          ) as unknown as ReturnType<typeof middy7>,
        );
        const task = (task_kwargs: object) => ({ task_name: 'work', task_kwargs, callback: 'next' });
        const cancelled = sqsRecord(task({ n: 9 }));
        const MessageAttributes = { chain_id: { Type: 'String', Value: 'cancelled-chain' } };
        const Records = [
          sqsRecord(task({ n: 1 })),
          sqsRecord(task({ n: -1 })),
          sqsRecord(task(stored)),
          { ...cancelled, body: JSON.stringify({ ...JSON.parse(cancelled.body), MessageAttributes }) },
          sqsRecord('not JSON'),
        ];
        const deliver = async (event: object) => {
          sent = [];
          ran.length = 0;
          const answer = await handler(event as never, lambdaContext());
          const { batchItemFailures } = answer as unknown as {
            batchItemFailures: { itemIdentifier: string }[];
          };
          const failed = batchItemFailures.map(({ itemIdentifier }) =>
            Records.findIndex(({ messageId }) => messageId === itemIdentifier),
          );
          return {
            failed,
            ran: [...ran].sort(),
            sent: sent.map((text) => JSON.parse(text).task_kwargs.n).sort(),
          };
        };
        const first = await deliver({ Records });
        expect({ order, ...first }).toEqual({ order, failed: [1, 4], ran: [-1, 1, 3], sent: [1, 3] });
        // Another message with the key of the stored one is a replay too.
        const second = await deliver({ Records: [...Records, sqsRecord(task({ key: 'stored', n: 4 }))] });
        expect({ order, ...second }).toEqual({ order, failed: [1, 4], ran: [-1], sent: [1, 3, 3] });
      },
    );
    await fc.assert(property, { numRuns: 20 });
  },
  120_000,
);
