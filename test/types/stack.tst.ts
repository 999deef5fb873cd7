import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ContextOf,
  callbackPublisher,
  contextResources,
  lambdaLogged,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
  type Task,
  type UnwrappedEvent,
} from 'algernon-middy';
import type { Context as LambdaContext, SQSEvent, SQSHandler } from 'aws-lambda';
import { expect, test } from 'tstyche';

interface Connection {
  query(sql: string): Promise<string[]>;
}
declare function connect(): Promise<Connection>;

const resources = contextResources({
  db: () => connect(),
  limit: { create: () => 3, dispose: (limit) => limit.toFixed(), scope: 'container' },
});
type Context = ContextOf<typeof resources>;

test('the types of resources reach the handler', () => {
  expect<Context['db']>().type.toBe<Promise<Connection>>();
  expect<Context['limit']>().type.toBe<Promise<number>>();
  expect<Context['aws']['awsRequestId']>().type.toBe<string>();
  expect<Context>().type.not.toHaveProperty('unknown');
});

test("the whole stack is assignable to Lambda's handler without a cast", () => {
  const worker = routeTasks({
    resize: async ({ width }: { width: number }, context: Context) => (await context.db).query(`${width}`),
    describe: ({ image }: { image: string }) => image.length,
  });
  const handler = middy(queued(worker))
    .use(lambdaLogged())
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate())
    .use(resources)
    .use(callbackPublisher());
  expect(handler).type.toBeAssignableTo<SQSHandler>();
});

test('each middleware alone is assignable too', () => {
  const worker = async (task: Task<{ n: number }>) => task.task_kwargs?.n;
  expect(middy(queued(worker))).type.toBeAssignableTo<SQSHandler>();
  expect(middy(queued(worker)).use(sqsSnsUnwrap())).type.toBeAssignableTo<SQSHandler>();
  expect(middy(queued(worker)).use(resources)).type.toBeAssignableTo<SQSHandler>();
  expect(queued(worker)).type.toBeAssignableTo<SQSHandler>();
});

test('a custom loop sees the task of each record', () => {
  const handler = middy(async (event: SQSEvent) => ({
    batchItemFailures: [],
    count: event.Records.length,
  })).use(sqsSnsUnwrap());
  expect(handler).type.toBeAssignableTo<SQSHandler>();
  middy<UnwrappedEvent>()
    .use(sqsSnsUnwrap())
    .handler(async ({ Records }) => {
      expect(Records[0]?.task).type.toBe<Task | undefined>();
    });
});

test('the exported handler takes a task directly, as in a unit test', () => {
  const worker = routeTasks({
    resize: async ({ width }: { width: number }, context: Context) => ({
      width,
      rows: await (await context.db).query(''),
    }),
  });
  const handler = middy(queued(worker))
    .use(lambdaLogged())
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate())
    .use(resources)
    .use(callbackPublisher());
  expect(handler).type.toBeAssignableTo<SQSHandler>();
  const context = {} as LambdaContext;
  expect(handler).type.toBeCallableWith({ task_name: 'resize', task_kwargs: { width: 200 } }, context);
  expect(handler).type.toBeCallableWith({ Records: [] }, context);
  expect(handler).type.not.toBeCallableWith({ task_kwargs: { width: 200 } }, context);
  const result = handler({ task_name: 'resize', task_kwargs: { width: 200 } }, context);
  expect(result).type.toBeAssignableTo<Promise<{ width: number; rows: string[] }>>();
});

test('a handler called directly returns its own result', () => {
  const handler = queued(async (task: Task<{ n: number }>) => ({ n: task.task_kwargs?.n ?? 0 }));
  expect(handler({ task_name: 'work', task_kwargs: { n: 1 } }, {} as Context)).type.toBe<
    Promise<{ n: number }>
  >();
});
