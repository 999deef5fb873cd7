import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type InvocationReport, type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import { readBatchResponse } from '../../local/readBatchResponse.ts';
import { countOf, defer, enqueue } from './tools.ts';

const IDS = ['a', 'b', 'c'];
const failures = (...ids: unknown[]): object => ({
  batchItemFailures: ids.map((id) => ({ itemIdentifier: id })),
});

describe('a response, with ReportBatchItemFailures', () => {
  test.each<[string, unknown]>([
    ['nothing', null],
    ['an empty response', {}],
    ['an empty list', { batchItemFailures: [] }],
    ['a null list', { batchItemFailures: null }],
    ['another object', { statusCode: 200 }],
  ])('means complete success for %s', (_, response) => {
    expect(readBatchResponse(JSON.stringify(response), IDS)).toEqual({ failedIds: [] });
  });

  test.each<[string, unknown]>([
    ['an empty identifier', failures('')],
    ['a null identifier', failures(null)],
    ['a number for an identifier', failures(1)],
    ['a wrong key', { batchItemFailures: [{ itemId: 'a' }] }],
    ['an id that is not in the batch', failures('a', 'z')],
    ['a list of bare ids', { batchItemFailures: ['a'] }],
    ['a null among the failures', { batchItemFailures: [null] }],
    ['an object for the list', { batchItemFailures: { itemIdentifier: 'a' } }],
    ['a string for the list', { batchItemFailures: 'a' }],
    ['a string', 'ok'],
    ['a number', 1],
    ['false', false],
    ['a list', [{ status: 'fulfilled' }]],
  ])('means complete failure for %s', (_, response) => {
    const { failedIds, error } = readBatchResponse(JSON.stringify(response), IDS);
    expect(failedIds).toEqual(IDS);
    expect(error).toMatchObject({ code: 'INVOCATION', retryable: true });
    expect(error?.message).toMatch(/malformed, so the whole batch failed/);
  });

  test('means partial failure of exactly the listed ids, in any order and number', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (ids, random) => {
          const named = ids.filter(() => (random.next().value ?? 0) % 2 === 0);
          const written = [...named, ...named].reverse();
          const { failedIds, error } = readBatchResponse(JSON.stringify(failures(...written)), ids);
          expect(failedIds).toEqual(named);
          expect(error).toBeUndefined();
        },
      ),
    );
  });

  test('never loses a message', () => {
    fc.assert(
      fc.property(fc.json(), fc.jsonValue(), (text, list) => {
        for (const response of [text, JSON.stringify({ batchItemFailures: list })]) {
          const { failedIds, error } = readBatchResponse(response, IDS);
          // Generated values contain no uuid, so only complete outcomes are possible.
          if (error === undefined) expect(failedIds).toEqual([]);
          else expect(failedIds).toEqual(IDS);
        }
      }),
    );
  });
});

describe('a worker', () => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.stop());

  async function run(
    task: string,
    respond: (ids: string[]) => unknown,
    reportBatchItemFailures?: boolean,
  ): Promise<{ report: InvocationReport; left: { waiting: number; hidden: number } }> {
    const { promise, resolve } = defer<InvocationReport>();
    const worker = await startWorker({
      aws,
      tasks: [task],
      onInvocation: resolve,
      handler: async ({ Records }) => respond(Records.map(({ messageId }) => messageId)),
      ...(reportBatchItemFailures === undefined ? {} : { reportBatchItemFailures }),
    });
    const queue = worker.queues[task];
    if (queue === undefined) throw new Error('no queue');
    await enqueue(aws, queue, ['1', '2', '3']);
    return { report: await promise, left: await countOf(aws, queue) };
  }

  test('deletes the messages that are not listed, and leaves the others hidden', async () => {
    const { report, left } = await run('partial', (ids) => failures(ids[1]));
    expect(report).toMatchObject({ outcome: 'partial', failedIds: [report.messageIds[1]] });
    expect(report.error).toBeUndefined();
    expect(left).toEqual({ waiting: 0, hidden: 1 });
  });

  test('deletes all messages for an empty response', async () => {
    const { report, left } = await run('nothing', () => undefined);
    expect(report.outcome).toBe('success');
    expect(left).toEqual({ waiting: 0, hidden: 0 });
  });

  test('deletes none for a malformed response', async () => {
    const { report, left } = await run('malformed', (ids) => failures(ids[0], 'unknown'));
    expect(report).toMatchObject({ outcome: 'failure', error: { code: 'INVOCATION' } });
    expect(left).toEqual({ waiting: 0, hidden: 3 });
  });

  test('without ReportBatchItemFailures deletes all, whatever the response', async () => {
    const { report, left } = await run('off', (ids) => failures(...ids), false);
    expect(report.outcome).toBe('success');
    expect(left).toEqual({ waiting: 0, hidden: 0 });
  });

  test('without ReportBatchItemFailures keeps all if the handler throws', async () => {
    const thrown = new Error('no');
    const { report, left } = await run(
      'off-throw',
      () => {
        throw thrown;
      },
      false,
    );
    expect(report).toMatchObject({ outcome: 'failure', error: thrown });
    expect(left).toEqual({ waiting: 0, hidden: 3 });
  });
});
