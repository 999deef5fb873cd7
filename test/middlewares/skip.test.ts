import type { SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import { endChain, queued } from '../../core/index.ts';
import { callbackPublisher, sqsSnsUnwrap, stageMiddleware } from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

const task = { task_name: 'work', callback: 'next' };

/** Runs one task through a stage that skips with a result, and another stage inside it. */
async function run(result: unknown, isCheck: boolean, isDirect: boolean) {
  const seen: unknown[] = [];
  const sent: string[] = [];
  let handled = 0;
  const send = async ({
    input,
  }: {
    input: { PublishBatchRequestEntries: { Id: string; Message: string }[] };
  }) => {
    sent.push(...input.PublishBatchRequestEntries.map(({ Message }) => Message));
    return { Successful: input.PublishBatchRequestEntries };
  };
  const sns = { send, config: {} } as unknown as SNSClient;
  const skipping = stageMiddleware({
    name: 'skipping',
    // Without the task, callbackPublisher cannot tell where the result goes.
    order: isCheck ? { before: 'extended' } : { after: 'unwrap' },
    async around(run, next) {
      if (!isCheck) return run.skip(result);
      run.beforeHandler(() => run.skip(result));
      await next();
      seen.push('skipping');
    },
  });
  const inner = stageMiddleware({
    name: 'inner',
    async around(run, next) {
      run.beforeHandler(() => void seen.push('a later check'));
      await next();
      seen.push({ result: run.result, endsChain: run.endsChain });
    },
  });
  const topics = { next: 'arn:aws:sns:us-east-1:123456789012:next' };
  const handler = [
    sqsSnsUnwrap() as MiddlewareObj,
    callbackPublisher({ sns, topics, inlineUnder: 1000, lingerMillis: 0 }),
    skipping,
    inner,
  ].reduce(
    (stack, one) => stack.use(one) as typeof stack,
    middy(
      queued(() => {
        handled += 1;
      }),
    ) as unknown as ReturnType<typeof middy>,
  );
  const event = isDirect ? task : { Records: [sqsRecord(task)] };
  const answer: unknown = await handler(event as never, lambdaContext());
  const [settled] = isDirect ? [{ status: 'fulfilled', value: answer }] : (answer as { status: string }[]);
  return { settled, handled, seen, sent };
}

describe.each([
  ['a batch', false],
  ['a direct invocation', true],
])('run.skip in %s', (_, isDirect) => {
  test('sends the result on, and the handler does not run', async () => {
    for (const isCheck of [false, true]) {
      const { settled, handled, sent } = await run({ n: 1 }, isCheck, isDirect);
      expect([settled, handled]).toEqual([{ status: 'fulfilled', value: { n: 1 } }, 0]);
      expect(sent).toEqual(['{"task_name":"next","task_kwargs":{"n":1}}']);
    }
  });

  test('with endChain() sends nothing', async () => {
    for (const isCheck of [false, true]) {
      const { settled, handled, sent } = await run(endChain({ n: 1 }), isCheck, isDirect);
      expect([settled, handled, sent]).toEqual([{ status: 'fulfilled', value: { n: 1 } }, 0, []]);
    }
  });
});

test('run.skip in a check skips the checks after it, and the stages see the result', async () => {
  const { seen } = await run({ n: 1 }, true, false);
  expect(seen).toEqual([{ result: { n: 1 }, endsChain: false }, 'skipping']);
  expect((await run(endChain(2), true, false)).seen).toEqual([{ result: 2, endsChain: true }, 'skipping']);
});

test('a stage that skips a direct task and still calls next does not hang', async () => {
  const both = stageMiddleware({
    name: 'both',
    async around(run, next) {
      run.skip({ kept: true });
      await next();
    },
  });
  const handler = middy(queued(() => 'handled')).use(both);
  expect(await handler(task as never, lambdaContext())).toEqual({ kept: true });
});
