import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { HttpResponse } from '@smithy/core/protocols';
import { startLocalAws } from '../../local/index.ts';
import {
  callbackPublisher,
  queued,
  sqsSnsUnwrap,
  stageMiddleware,
  storedDataHydrate,
  type Task,
  type TaskExtras,
} from '../../middlewares/index.ts';
import { stepFunctionsTask } from '../../middlewares/stepFunctionsTask.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { orders } from '../support/orders.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

/** A real client with a fake endpoint, since Step Functions cannot run locally. */
function stateMachine(failWith?: string) {
  const calls: Record<string, unknown>[] = [];
  const sfn = new SFNClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: {
      async handle({ body, headers }: { body: Uint8Array; headers: Record<string, string> }) {
        const [, call] = headers['x-amz-target']?.split('.') ?? [];
        calls.push({ call, ...JSON.parse(new TextDecoder().decode(body)) });
        const response = new HttpResponse({
          statusCode: failWith ? 400 : 200,
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: new Blob([JSON.stringify(failWith ? { __type: failWith } : {})]).stream(),
        });
        return { response };
      },
    } as never,
  });
  return { sfn, calls };
}

const Input = JSON.stringify({ task_name: 'work', task_kwargs: { n: 1 } });
const waiting = (input: unknown = Input) => ({ Records: [sqsRecord({ Input: input, TaskToken: 'token' })] });
const stackOf = (
  sfn: SFNClient,
  work: (task: never, context: never, extras: TaskExtras) => unknown,
  heartbeatSeconds?: number,
) =>
  middy(queued(work))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(stepFunctionsTask({ sfn, ...(heartbeatSeconds && { heartbeatSeconds }) }));
const failed = (answer: unknown) => (answer as { batchItemFailures: unknown[] }).batchItemFailures.length;

describe('a task that a state machine waits for', () => {
  test('is the parsed Input, and its result is sent in ajson', async () => {
    const { sfn, calls } = stateMachine();
    const work = ({ task_kwargs }: Task<{ n: number }>) => ({ n: task_kwargs?.n, tags: new Set(['a']) });
    expect(failed(await stackOf(sfn, work)(waiting() as never, lambdaContext()))).toBe(0);
    expect(calls).toEqual([
      {
        call: 'SendTaskSuccess',
        taskToken: 'token',
        output: '{"n":1,"tags":{"_alg_class":"set","value":["a"]}}',
      },
    ]);
  });

  test('may have an Input and a result that are not tasks', async () => {
    const { sfn, calls } = stateMachine();
    const seen: unknown[] = [];
    const work = (input: unknown) => void seen.push(input);
    await stackOf(sfn, work)(waiting('{"any":[1]}') as never, lambdaContext());
    expect(seen).toEqual([{ any: [1] }]);
    expect(calls).toMatchObject([{ call: 'SendTaskSuccess', output: 'null' }]);
  });

  test('fails the state, not the message', async () => {
    const { sfn, calls } = stateMachine();
    const work = () => {
      throw new RangeError('too wide');
    };
    expect(failed(await stackOf(sfn, work)(waiting() as never, lambdaContext()))).toBe(0);
    expect(calls).toEqual([
      { call: 'SendTaskFailure', taskToken: 'token', error: 'RangeError', cause: 'too wide' },
    ]);
  });

  test.each<[string, unknown, string, string]>([
    [
      'a long error',
      Object.assign(new Error('m'.repeat(40_000)), { name: 'n'.repeat(300) }),
      'n'.repeat(256),
      'm'.repeat(32_768),
    ],
    ['a text', 'broken', 'Error', 'broken'],
  ])('fails the state within the limits of Step Functions: %s', async (_, thrown, error, cause) => {
    const { sfn, calls } = stateMachine();
    await stackOf(sfn, () => Promise.reject(thrown))(waiting() as never, lambdaContext());
    expect(calls).toEqual([{ call: 'SendTaskFailure', taskToken: 'token', error, cause }]);
  });

  test('fails the state if its result cannot be serialised', async () => {
    const { sfn, calls } = stateMachine();
    await stackOf(sfn, () => ({ f: () => {} }))(waiting() as never, lambdaContext());
    expect(calls).toMatchObject([{ call: 'SendTaskFailure', error: 'AjsonError' }]);
  });

  test('publishes its callback only if it succeeds', async () => {
    const Input = JSON.stringify({ task_name: 'work', callback: 'next' });
    for (const fails of [false, true]) {
      const { sfn, calls } = stateMachine();
      const sent: string[] = [];
      const send = async ({ input: { PublishBatchRequestEntries = [] } }: PublishBatchCommand) => {
        sent.push(...PublishBatchRequestEntries.map(({ Message = '' }) => Message));
        return { Successful: PublishBatchRequestEntries };
      };
      const failures: unknown[] = [];
      const error = new Error('broken');
      const handler = stackOf(sfn, () => {
        if (fails) throw error;
      })
        .use(callbackPublisher({ sns: { send } as unknown as SNSClient }))
        .use(
          stageMiddleware({
            name: 'logs',
            order: { after: 'log' },
            async around(run, next) {
              await next();
              failures.push(run.failure);
            },
          }),
        );
      expect(failed(await handler(waiting(Input) as never, lambdaContext()))).toBe(0);
      expect(calls).toMatchObject([{ call: fails ? 'SendTaskFailure' : 'SendTaskSuccess' }]);
      expect(sent).toEqual(fails ? [] : ['{"task_name":"next","task_kwargs":{}}']);
      expect(failures).toEqual([fails ? error : undefined]);
    }
  });

  test('is hydrated, whether its Input is a task or not; a missing value fails the state', async () => {
    await using aws = await startLocalAws();
    const { s3, bucket } = aws;
    const tag = (name: string) => ({
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer: `${bucket}#cache/${name}!1.5.json` },
    });
    const Body = '{"data_string":7,"full_unpack":true,"safe_mode":false}';
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'cache/there!1.5.json', Body }));
    const seen: unknown[] = [];
    const run = async (input: object) => {
      const { sfn, calls } = stateMachine();
      const handler = stackOf(sfn, (task: unknown) => void seen.push(task));
      const hydrated = handler.use(storedDataHydrate({ s3, bucket }));
      await hydrated(waiting(JSON.stringify(input)) as never, lambdaContext());
      return calls[0];
    };
    await run({ task_name: 'work', task_kwargs: { image: tag('there') } });
    await run({ image: [tag('there')] });
    await run(tag('there'));
    expect(seen).toEqual([{ task_name: 'work', task_kwargs: { image: 7 } }, { image: [7] }, 7]);
    expect(await run({ image: tag('gone') })).toMatchObject({
      call: 'SendTaskFailure',
      error: 'StoredDataError',
    });
    expect(seen).toHaveLength(3);
  });

  test('returns if Step Functions is unavailable, but not if the state no longer waits', async () => {
    const { sfn } = stateMachine('KmsThrottlingException');
    expect(failed(await stackOf(sfn, () => 1)(waiting() as never, lambdaContext()))).toBe(1);
    for (const reason of ['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']) {
      const gone = stateMachine(reason);
      expect(failed(await stackOf(gone.sfn, () => 1)(waiting() as never, lambdaContext()))).toBe(0);
      expect(gone.calls).toHaveLength(1);
    }
  });

  test('may have an Input that is parsed already', async () => {
    const { sfn } = stateMachine();
    const seen: unknown[] = [];
    const work = (input: unknown) => void seen.push(input);
    await stackOf(sfn, work)(waiting({ any: [1] }) as never, lambdaContext());
    expect(seen).toEqual([{ any: [1] }]);
  });

  test('has a result of at most 262,144 bytes, and a larger one fails the state', async () => {
    // Two bytes a character, and the quotation marks.
    const resultOf = (bytes: number) => 'é'.repeat((bytes - 2) / 2);
    const { sfn, calls } = stateMachine();
    await stackOf(sfn, () => resultOf(262_144))(waiting() as never, lambdaContext());
    await stackOf(sfn, () => resultOf(262_146))(waiting() as never, lambdaContext());
    expect(calls).toMatchObject([
      { call: 'SendTaskSuccess' },
      {
        call: 'SendTaskFailure',
        error: 'States.DataLimitExceeded',
        cause: expect.stringContaining('262146'),
      },
    ]);
  });

  test('passes on a tag that nothing has rebuilt', async () => {
    const { sfn, calls } = stateMachine();
    const tag = { _alg_class: 'Elsewhere', _alg_module: 'python', value: { a: 1 } };
    await stackOf(sfn, () => tag)(waiting() as never, lambdaContext());
    expect(JSON.parse(String(calls[0]?.output))).toEqual(tag);
  });

  test.each([{ Input: 'a' }, { TaskToken: 'token' }, { Input: 'a', TaskToken: 5 }])(
    'needs an Input and a token: %j is an ordinary message',
    async (message) => {
      const { sfn, calls } = stateMachine();
      const event = { Records: [sqsRecord({ ...message, task_name: 'work', task_kwargs: {} })] };
      const seen: unknown[] = [];
      await stackOf(sfn, (task: Task) => void seen.push(task.task_name))(event as never, lambdaContext());
      expect([seen, calls]).toEqual([['work'], []]);
    },
  );

  test('returns near the deadline without a call to Step Functions', async () => {
    const { sfn, calls } = stateMachine();
    const context = lambdaContext({ getRemainingTimeInMillis: () => 520 });
    const work = (_: never, __: never, { signal }: TaskExtras) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    expect(failed(await stackOf(sfn, work)(waiting() as never, context))).toBe(1);
    expect(calls).toEqual([]);
  });

  test('sends heartbeats while it runs', async () => {
    const { sfn, calls } = stateMachine();
    const work = () => new Promise((resolve) => setTimeout(resolve, 100));
    await stackOf(sfn, work, 0.02)(waiting() as never, lambdaContext());
    expect(calls[0]).toEqual({ call: 'SendTaskHeartbeat', taskToken: 'token' });
    expect(calls.at(-1)).toMatchObject({ call: 'SendTaskSuccess' });
    const beats = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(calls).toHaveLength(beats);
  });

  test('works in any order of the middlewares, and beside ordinary tasks', async () => {
    for (const order of orders([0, 1, 2])) {
      const { sfn, calls } = stateMachine();
      const all = [sqsPartialBatchFailure({ logger: () => {} }), sqsSnsUnwrap(), stepFunctionsTask({ sfn })];
      const names: string[] = [];
      const handler = order.reduce(
        (stack, index) => stack.use(all[index] as never) as typeof stack,
        middy(queued((task: Task) => void names.push(task.task_name))) as never as ReturnType<typeof middy>,
      );
      const event = { Records: [...waiting().Records, sqsRecord({ task_name: 'other' })] };
      expect({ order, failed: failed(await handler(event, lambdaContext())) }).toEqual({ order, failed: 0 });
      expect(names.sort()).toEqual(['other', 'work']);
      expect(calls).toHaveLength(1);
    }
  });
});

describe('a state that calls the function directly', () => {
  const call = async (event: object) => {
    const tasks: Task[] = [];
    const handler = stackOf(stateMachine().sfn, (task: Task) => {
      tasks.push(task);
      return { at: new Date(0) };
    }) as unknown as (event: object, context: object) => Promise<unknown>;
    return { answer: await handler(event, lambdaContext()), task: tasks[0] };
  };
  const sfn_context = { State: { Name: 'resize' } };

  test('is the task named like the state, with the other keys as arguments, and gets ajson', async () => {
    const { answer, task } = await call({ sfn_context, width: 200 });
    expect(task).toEqual({ task_name: 'resize', task_kwargs: { width: 200 } });
    expect(answer).toBe('{"at":{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":0}}}');
  });

  test('is found in the context, which Lambda keeps as it was', async () => {
    const contexts: { sfn_context?: unknown }[] = [];
    const work = (_: never, context: object) => void contexts.push({ ...context });
    const handler = stackOf(stateMachine().sfn, work as never) as unknown as (
      event: object,
      context: object,
    ) => Promise<unknown>;
    const context = lambdaContext();
    await handler({ sfn_context }, context);
    await handler({ task_name: 'resize', task_kwargs: {} }, context);
    expect(contexts.map((seen) => seen.sfn_context)).toEqual([sfn_context, undefined]);
    expect(context).not.toHaveProperty('sfn_context');
  });

  test('gets ajson only there: another direct invocation gets the result', async () => {
    const handler = stackOf(stateMachine().sfn, () => ({ a: 1 })) as unknown as (
      event: object,
      context: object,
    ) => Promise<unknown>;
    expect(await handler({ task_name: 'resize', task_kwargs: {} }, lambdaContext())).toEqual({ a: 1 });
  });

  test('may name the task, and give its arguments as a payload', async () => {
    const { task } = await call({ sfn_context, task_name: 'crop', payload: '{"id":9007199254740993}' });
    expect(task).toEqual({ task_name: 'crop', task_kwargs: { id: 9007199254740993n } });
  });
});

test('options with bad values are refused at the call', () => {
  expect(() => stepFunctionsTask({ heartbeatSeconds: 0 })).toThrow('a number of seconds above 0');
  expect(() => stepFunctionsTask({ ajson: { raw: () => 1 } as never })).toThrow(
    'which has the method dumps()',
  );
});
