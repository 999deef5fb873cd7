import { expect, test } from '@jest/globals';
import middy from '@middy/core';
import { queued, routeTasks, sqsSnsUnwrap } from 'algernon-middy';
import type { SqsEvent } from 'algernon-middy/local';
import { createTally } from '../../../examples/market/createTally.ts';

const report = {
  functionName: 'worker',
  requestId: '1',
  task: 'load',
  outcome: 'partial' as const,
  durationMs: 1,
};

/** A Lambda event of raw messages with these ids. */
function eventOf(bodies: Record<string, unknown>): SqsEvent {
  const Records = Object.entries(bodies).map(([messageId, body]) => ({
    messageId,
    body: JSON.stringify(body),
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:load',
  }));
  return { Records } as unknown as SqsEvent;
}

function loadOf(chain: string): object {
  return { task_name: 'load', task_kwargs: { chain } };
}

test('counts chains by acknowledged messages', async () => {
  const tally = createTally();
  const worker = routeTasks({
    load: async ({ chain }: { chain: string }) => {
      if (chain === 'bad') throw new Error('it is broken');
    },
  });
  const handler = middy(queued(worker)).use(sqsSnsUnwrap()).use(tally.middleware);
  const context = { awsRequestId: '1', getRemainingTimeInMillis: () => 10_000 };

  await handler(
    eventOf({ 1: loadOf('a'), 2: loadOf('bad'), 3: 'no task', 4: loadOf('b') }),
    context as never,
  );
  expect(tally.done('load').size).toBe(0);

  tally.add({ ...report, messageIds: ['1', '2', '3', '4'], failedIds: ['2', '3', '4'] });
  expect([...tally.done('load')]).toEqual(['a']);
  expect([...tally.failing('load')]).toEqual(['bad', 'b']);
  expect(tally).toMatchObject({ batches: 1, retries: 0 });
  expect(tally.noteOf('2')).toEqual({ chain: 'bad', problem: 'it is broken' });
  expect(tally.noteOf('3')).toMatchObject({ chain: undefined, problem: expect.any(String) });

  tally.add({ ...report, messageIds: ['2', '4'], failedIds: ['2'] });
  tally.add({ ...report, messageIds: ['4'], failedIds: ['4'] });
  expect([...tally.done('load')]).toEqual(['a', 'b']);
  expect([...tally.failing('load')]).toEqual(['bad']);
  expect(tally).toMatchObject({ batches: 3, retries: 3 });
  expect(tally.done('analyse').size).toBe(0);
});
