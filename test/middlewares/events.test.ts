import { describe, expect, jest, test } from '@jest/globals';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  callbackPublisher,
  contextResources,
  extendedPayload,
  failurePolicy,
  lambdaLogged,
  queued,
  runTask,
  sqsSnsUnwrap,
  stageMiddleware,
  stepFunctionsTask,
  storedDataHydrate,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Middy = typeof middy7;
const versions: [string, Middy][] = [
  ['7', middy7],
  ['6', middy6 as unknown as Middy],
];
const bucket = 'any-bucket';
const reporting = () => sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj;
const unwrapping = () => sqsSnsUnwrap() as MiddlewareObj;

/** Middlewares that need no task, so they pass any event on. */
const anyEvent: [string, () => MiddlewareObj][] = [
  ['contextResources', () => contextResources({})],
  ['lambdaLogged', () => lambdaLogged({ logger: silentLogger() })],
];
const tasksOnly: [string, () => MiddlewareObj][] = [
  ['sqsSnsUnwrap', unwrapping],
  ['storedDataHydrate', () => storedDataHydrate({ bucket })],
  ['callbackPublisher', () => callbackPublisher({ bucket })],
  ['extendedPayload', () => extendedPayload({ bucket })],
  ['failurePolicy', () => failurePolicy({ backoff: false })],
  ['stepFunctionsTask', () => stepFunctionsTask()],
  ['a custom stage', () => stageMiddleware({ name: 'custom', around: (_, next) => next() })],
];

const kinesis = {
  Records: ['1', '2'].map((sequenceNumber) => {
    return { eventID: sequenceNumber, eventSource: 'aws:kinesis', kinesis: { sequenceNumber, data: '' } };
  }),
};
const sns = (message: unknown = { task_name: 'work' }) => ({
  Records: [
    { EventSource: 'aws:sns', Sns: { MessageId: 'm', TopicArn: 't', Message: JSON.stringify(message) } },
  ],
});
const someFailed = { batchItemFailures: [{ itemIdentifier: '2' }] };

/** Events of other services, and how the error names them. */
const foreign: [string, unknown, string][] = [
  ['API Gateway', { httpMethod: 'GET', requestContext: {}, headers: {} }, 'an API request'],
  ['a function URL', { version: '2.0', requestContext: { http: {} } }, 'an API request'],
  ['ALB', { requestContext: { elb: {} }, httpMethod: 'GET' }, 'an API request'],
  ['EventBridge', { 'detail-type': 'Order', source: 'shop', detail: {} }, 'an EventBridge event'],
  ['S3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }, 'records of "aws:s3"'],
  ['S3, set up', { Service: 'Amazon S3', Event: 's3:TestEvent' }, 'the test event that S3 sends'],
  ['DynamoDB', { Records: [{ eventSource: 'aws:dynamodb', dynamodb: {} }] }, 'records of "aws:dynamodb"'],
  ['Kinesis', kinesis, 'records of "aws:kinesis"'],
  ['Kinesis by EventBridge Pipes', [{ eventSource: 'aws:kinesis', data: '' }], 'records of "aws:kinesis"'],
  ['SES', { Records: [{ eventSource: 'aws:ses', ses: {} }] }, 'records of "aws:ses"'],
  ['MSK', { eventSource: 'aws:kafka', records: {} }, 'an event of "aws:kafka"'],
  ['Amazon MQ', { eventSource: 'aws:mq', messages: [] }, 'an event of "aws:mq"'],
  ['DocumentDB', { eventSource: 'aws:docdb', events: [] }, 'an event of "aws:docdb"'],
  ['Cognito', { triggerSource: 'PreSignUp_SignUp', userPoolId: 'p' }, 'a Cognito event'],
  ['Firehose', { deliveryStreamArn: 'arn', records: [] }, 'a Firehose event'],
  ['CloudWatch Logs', { awslogs: { data: '' } }, 'a CloudWatch Logs event'],
  ['CloudFormation', { RequestType: 'Create', StackId: 's' }, 'the keys "RequestType", "StackId"'],
  ['serverless-plugin-warmup', { source: 'serverless-plugin-warmup' }, 'a warm-up event'],
  ['records without an id', { Records: [{ body: '{}' }] }, 'no messageId or no body'],
  [
    'records without a body',
    { Records: [{ eventSource: 'aws:sqs', messageId: 'm' }] },
    'no messageId or no body',
  ],
  ['records that are null', { Records: [null] }, 'records of an unknown source'],
  ['records of two kinds', { Records: [...sns().Records, sqsRecord({ task_name: 'work' })] }, 'records of'],
  [
    'a task with messages',
    { task_name: 'work', Records: [sqsRecord({ task_name: 'work' })] },
    'a task that has records too',
  ],
  ['a task_name that is not a string', { task_name: 5 }, 'an object whose task_name is not a string'],
  ['an empty array', [], 'an empty array'],
  ['an empty object', {}, 'an empty object'],
  ['null', null, 'null'],
  ['a string', 'work', 'a string'],
];

describe.each(versions)('@middy/core %s', (_, middy) => {
  const invoke = (handler: unknown, stack: readonly MiddlewareObj[], event: unknown) => {
    const all = middy(handler as never) as unknown as ReturnType<Middy>;
    for (const middleware of stack) all.use(middleware);
    return all(event as never, lambdaContext()) as Promise<unknown>;
  };
  const broken = async () => {
    throw new Error('broken');
  };

  test.each(foreign)('%s: an error names it, and nothing runs', async (_, event, description) => {
    let runs = 0;
    const counting = () => {
      runs += 1;
    };
    const expected = { code: 'BAD_EVENT', message: expect.stringContaining(description) };
    for (const [, make] of tasksOnly) {
      await expect(invoke(counting, [make()], event)).rejects.toMatchObject(expected);
    }
    await expect(invoke(queued(counting), [], event)).rejects.toMatchObject(expected);
    expect(runs).toBe(0);
  });

  test.each(anyEvent)('%s alone passes any event on', async (_, make) => {
    for (const [, event] of foreign) {
      const seen: unknown[] = [];
      const answer = { anything: new Set([1]) };
      const handler = (received: unknown) => {
        seen.push(received);
        return answer;
      };
      // Only queued refuses a task with messages, which it could run in two ways.
      expect(await invoke(handler, [make()], event)).toBe(answer);
      expect(seen).toEqual([event]);
      expect(seen[0]).toBe(event);
    }
  });

  describe.each([...anyEvent, ['sqsSnsUnwrap', unwrapping] as const])('with %s', (name, make) => {
    test('an EventBridge Pipes batch gets a partial batch response', async () => {
      const records = [sqsRecord({ task_name: 'work' }), sqsRecord({ task_name: 'work' })];
      const failed = { batchItemFailures: [{ itemIdentifier: records[1]?.messageId }] };
      expect(await invoke(async () => failed, [make()], records)).toEqual(failed);
      // sqsPartialBatchFailure alone would report no failure.
      const loop = async (event: typeof records, context: never) =>
        Promise.allSettled(event.map((record) => runTask(record, context, broken)));
      for (const handler of [broken, queued(broken), loop]) {
        const answer = await invoke(handler, [make(), reporting()], records).catch((error) => error);
        const ids = records.map(({ messageId }) => ({ itemIdentifier: messageId }));
        expect(answer instanceof Error || answer).toEqual(
          answer instanceof Error || { batchItemFailures: ids },
        );
      }
    });

    if (name !== 'sqsSnsUnwrap') {
      test('a Kinesis batch gets a partial batch response', async () => {
        expect(await invoke(async () => someFailed, [make()], kinesis)).toEqual(someFailed);
      });

      test('sqsPartialBatchFailure cannot turn an error on Kinesis into success, nor success into an empty response', async () => {
        for (const stack of [
          [make(), reporting()],
          [reporting(), make()],
        ]) {
          await expect(invoke(broken, stack, kinesis)).rejects.toThrow('broken');
          const outcome = () => Promise.allSettled([Promise.resolve(), Promise.reject(new Error('broken'))]);
          // Lambda treats an entry without an identifier as a failed batch.
          expect(await invoke(outcome, stack, kinesis)).toEqual({ batchItemFailures: [{}] });
        }
      });
    }
  });

  test.each([
    ['from SNS', sns()],
    ['of a direct invocation', { task_name: 'work' }],
    ['of a direct invocation with Records', { task_name: 'work', Records: [] }],
  ])('%s: throws the original error', async (_, event) => {
    for (const make of [unwrapping, ...anyEvent.map(([, makeMiddleware]) => makeMiddleware)]) {
      for (const stack of [
        [reporting(), make()],
        [make(), reporting()],
      ]) {
        await expect(invoke(queued(broken), stack, event)).rejects.toThrow('broken');
      }
    }
  });

  test('an empty partial batch response does not replace the result of a direct invocation', async () => {
    for (const event of [{ task_name: 'work' }, { task_name: 'work', Records: [] }]) {
      for (const result of ['result', { batchItemFailures: [], total: 1 }, someFailed]) {
        for (const stack of [
          [reporting(), unwrapping()],
          [unwrapping(), reporting()],
        ]) {
          expect(
            await invoke(
              queued(() => result),
              stack,
              event,
            ),
          ).toEqual(result);
        }
      }
    }
  });

  test('an answer with toJSON cannot hide an unfinished record', async () => {
    const records = [sqsRecord({ task_name: 'work' })];
    const hidden = Object.assign([{ itemIdentifier: records[0]?.messageId }], { toJSON: () => [] });
    for (const answer of [
      { batchItemFailures: [{ itemIdentifier: records[0]?.messageId }], toJSON: () => ({}) },
      { batchItemFailures: hidden },
    ]) {
      const replacing = {
        after(request: { response: unknown }) {
          request.response = answer;
        },
      } as unknown as MiddlewareObj;
      const response = await invoke(queued(broken), [unwrapping(), replacing], { Records: records });
      expect(() => JSON.stringify(response)).toThrow(expect.objectContaining({ code: 'BATCH_FAILED' }));
    }
  });

  test('no other middleware can turn a failed notification into success', async () => {
    type Request = { response?: unknown; earlyResponse?: unknown };
    const hooks: ((request: Request) => unknown)[] = [
      () => 'page',
      () => ({ batchItemFailures: [] }),
      (request) => {
        request.response = 'page';
      },
      (request) => {
        request.response = [];
      },
      (request) => {
        request.response = null;
      },
      (request) => {
        request.earlyResponse = undefined;
      },
      (request) => {
        delete request.response;
      },
      () => {
        throw new Error('hook');
      },
    ];
    const neighbours = hooks.flatMap((hook) =>
      ['before', 'after', 'onError'].map((name) => ({ [name]: hook }) as unknown as MiddlewareObj),
    );
    const loop = async ({ Records }: ReturnType<typeof sns>, context: never) => {
      for (const record of Records) await runTask(record as never, context, broken).catch(() => {});
    };
    const started = jest.spyOn(globalThis, 'setTimeout');
    const cleared = jest.spyOn(globalThis, 'clearTimeout');
    for (const handler of [queued(broken), loop]) {
      for (const neighbour of neighbours) {
        for (const stack of [
          [unwrapping(), neighbour],
          [unwrapping(), neighbour, reporting()],
          [unwrapping(), stageMiddleware({ name: 'custom', around: (_, next) => next() }), neighbour],
        ]) {
          const written = invoke(handler, stack, sns()).then((answer) => JSON.stringify(answer));
          await expect(written).rejects.toBeDefined();
        }
      }
    }
    // A timer that is left behind keeps the process alive.
    const timers = new Set(started.mock.results.map(({ value }) => value));
    for (const [timer] of cleared.mock.calls) timers.delete(timer as never);
    expect(timers.size).toBe(0);
    jest.restoreAllMocks();
  });
});
