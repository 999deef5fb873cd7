import { describe, expect, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { contextResources, lambdaLogged, queued, sqsSnsUnwrap } from '../../../middlewares/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { silentLogger } from '../../support/silentLogger.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

type Middy = typeof middy7;
const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];

const ours: [string, () => MiddlewareObj][] = [
  ['contextResources', () => contextResources({})],
  ['lambdaLogged', () => lambdaLogged({ logger: silentLogger() })],
  ['sqsSnsUnwrap', () => sqsSnsUnwrap() as MiddlewareObj],
];
const reporting = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;

const kinesis = {
  Records: ['1', '2'].map((sequenceNumber) => {
    return { eventID: sequenceNumber, eventSource: 'aws:kinesis', kinesis: { sequenceNumber, data: '' } };
  }),
};
const sns = {
  Records: [
    { EventSource: 'aws:sns', Sns: { MessageId: 'm', TopicArn: 't', Message: '{"task_name":"work"}' } },
  ],
};
const someFailed = { batchItemFailures: [{ itemIdentifier: '2' }] };

describe.each(versions)('@middy/core %s', (_, middy) => {
  const invoke = (handler: (event: never) => unknown, stack: readonly MiddlewareObj[], event: unknown) => {
    const all = middy(handler as never) as unknown as ReturnType<Middy>;
    for (const one of stack) all.use(one);
    return all(event as never, lambdaContext()) as Promise<unknown>;
  };

  describe.each(ours)('with %s', (_, make) => {
    test.each([
      ['Kinesis', kinesis],
      ['EventBridge Pipes', [sqsRecord({ task_name: 'work' })]],
    ])('a batch from %s has the answer that names what failed', async (_, event) => {
      expect(await invoke(async () => someFailed, [make()], event)).toEqual(someFailed);
    });

    test.each([
      ['before', (mapping: MiddlewareObj) => [make(), mapping]],
      ['after', (mapping: MiddlewareObj) => [mapping, make()]],
    ])('a middleware that maps the outcome of Kinesis may run %s it', async (_, stackWith) => {
      const mapping: MiddlewareObj<typeof kinesis> = {
        after(request) {
          const settled = request.response as PromiseSettledResult<unknown>[];
          request.response = {
            batchItemFailures: request.event.Records.flatMap(({ kinesis: { sequenceNumber } }, index) =>
              settled[index]?.status === 'fulfilled' ? [] : [{ itemIdentifier: sequenceNumber }],
            ),
          };
        },
      };
      const handler = () => Promise.allSettled([Promise.resolve(), Promise.reject(new Error('broken'))]);
      expect(await invoke(handler, stackWith(mapping as MiddlewareObj), kinesis)).toEqual(someFailed);
    });

    test('sqsPartialBatchFailure makes no error on Kinesis look like success, and no failure either', async () => {
      for (const stack of [
        [make(), reporting()],
        [reporting(), make()],
      ]) {
        const broken = async () => {
          throw new Error('broken');
        };
        await expect(invoke(broken, stack, kinesis)).rejects.toThrow('broken');
        const outcome = () => Promise.allSettled([Promise.resolve(), Promise.reject(new Error('broken'))]);
        // Lambda takes an entry without an identifier for a batch that failed.
        expect(await invoke(outcome, stack, kinesis)).toEqual({ batchItemFailures: [{}] });
      }
    });
  });

  test.each([
    ['from SNS', sns],
    ['of a direct invocation', { task_name: 'work' }],
  ])('the error %s is the one that was thrown', async (_, event) => {
    const broken = queued(() => {
      throw new Error('card declined');
    });
    const unwrapping = sqsSnsUnwrap() as MiddlewareObj;
    for (const stack of [
      [reporting(), unwrapping],
      [unwrapping, reporting()],
    ]) {
      await expect(invoke(broken as never, stack, event)).rejects.toThrow('card declined');
    }
  });
});
