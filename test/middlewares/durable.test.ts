import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { contextResources, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

/** Middy's durable mode, on a stand-in for the SDK that calls the handler as a first run and as a replay. */
let durable: (isMarked: boolean) => Promise<{ executionMode: never }>;
beforeAll(() => {
  let marked = true;
  const sdk = {
    withDurableExecution: (handler: Handler) => async (event: unknown, context: unknown) => {
      const brand = marked && { [Symbol.for('@aws/durable-execution-sdk-js/durable-context')]: true };
      const open = () => ({ ...brand, lambdaContext: context, executionContext: {}, step: () => {} });
      await handler(event, open());
      return handler(event, open());
    },
  };
  jest.unstable_mockModule('@aws/durable-execution-sdk-js', () => sdk, { virtual: true } as never);
  durable = async (isMarked) => {
    marked = isMarked;
    const { executionModeDurableContext } = await import('@middy/core/DurableContext');
    return { executionMode: executionModeDurableContext as never };
  };
});

describe.each([
  ['a durable function', true],
  ['a durable function of an older SDK', false],
])('%s', (_, isMarked) => {
  const batch = { Records: [sqsRecord({ task_name: 'resize' })] };
  const worker = jest.fn(async () => 'done');
  const refused = { code: 'DURABLE_FUNCTION', retryable: true };
  const call = (handler: unknown, event: unknown) => (handler as Handler)(event, lambdaContext());

  test('replays without our middlewares', async () => {
    await call(middy(worker, await durable(isMarked)), batch);
    expect(worker).toHaveBeenCalledTimes(2);
    worker.mockClear();
  });

  test.each([
    ['a batch', batch],
    ['a direct invocation', { task_name: 'resize' }],
  ])('is refused before %s runs', async (_name, event) => {
    const mode = await durable(isMarked);
    const stack = middy(queued(worker) as never, mode)
      .use(sqsSnsUnwrap() as MiddlewareObj)
      .use(sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj);
    await expect(call(stack, event)).rejects.toMatchObject(refused);
    await expect(call(middy(queued(worker) as never, mode), event)).rejects.toMatchObject(refused);
    expect(worker).not.toHaveBeenCalled();
  });

  test('may have the middlewares that take any event, for events that are not tasks', async () => {
    const stack = middy(worker, await durable(isMarked)).use(contextResources({}) as MiddlewareObj);
    expect(await call(stack, { httpMethod: 'GET' })).toBe('done');
    worker.mockClear();
  });
});
