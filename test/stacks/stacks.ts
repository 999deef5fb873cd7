import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { SNSClient } from '@aws-sdk/client-sns';
import middy7, { type MiddlewareObj } from '@middy/core';
import middy6 from '@middy/core-6';
import eventNormalizer from '@middy/event-normalizer';
import httpErrorHandler from '@middy/http-error-handler';
import inputOutputLogger from '@middy/input-output-logger';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import validator from '@middy/validator';
import warmup from '@middy/warmup';
import type { Context, SQSEvent } from 'aws-lambda';
import fc from 'fast-check';
import { messageIdOf, type SnsRecord, type SqsRecord } from '../../core/batch/events.ts';
import {
  acknowledge,
  callbackPublisher,
  cancellable,
  chainEvents,
  contextResources,
  extendedPayload,
  failurePolicy,
  idempotent,
  lambdaLogged,
  queued,
  runTask,
  sqsSnsUnwrap,
  stageMiddleware,
  stepFunctionsTask,
  storedDataHydrate,
  type Task,
  type TaskRecord,
  taskMetrics,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

/** One stack, one batch and the time it has. */
export interface StackCase {
  readonly middy: 6 | 7;
  /** An SNS notification has one record and no partial response. */
  readonly event: 'sqs' | 'sns';
  /** The middlewares of this library, by name; the first is the first in `.use`. */
  readonly ours: readonly string[];
  /** A custom stage. */
  readonly stage: string | undefined;
  readonly neighbours: readonly string[];
  /** Whether sqsPartialBatchFailure is in the stack. */
  readonly isReported: boolean;
  /** The order of `.use`, as numbers to sort by. */
  readonly order: readonly number[];
  readonly handler: string;
  readonly records: readonly { readonly kind: string; readonly millis: number }[];
  /** The time that the invocation has. */
  readonly time: string;
}

/** The outcome of a case: how many records were acknowledged and reported, and whether the invocation failed. */
export interface StackOutcome {
  readonly acknowledged: number;
  readonly named: number;
  readonly failed: boolean;
}

interface World {
  /** Completed tasks, by message id. */
  readonly done: Set<string>;
  /** Tasks whose callback SNS accepted. */
  readonly sent: Set<string>;
  /** Tasks whose outcome Step Functions accepted. */
  readonly notified: Set<string>;
  /** The number of messages published to SNS. */
  handed: number;
  /** The objects in S3, by key. */
  readonly objects: Map<string, { text: string; version: string }>;
  readonly millis: ReadonlyMap<string, number>;
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

/** Accepts every message after a moment. */
const snsOf = (world: World): SNSClient => {
  const send = async (command: {
    input: { PublishBatchRequestEntries?: { Id: string; Message: string }[] };
  }) => {
    const entries = command.input.PublishBatchRequestEntries ?? [];
    world.handed += entries.length;
    await pause(1);
    for (const { Message } of entries) world.sent.add(JSON.parse(Message).task_kwargs.id);
    return { Successful: entries, Failed: [] };
  };
  return { send, config: {} } as unknown as SNSClient;
};
/** Accepts every result and every error after a moment. */
const sfnOf = (world: World): SFNClient => {
  const send = async ({ input }: { input: { taskToken: string } }) => {
    await pause(1);
    world.notified.add(input.taskToken);
  };
  return { send } as unknown as SFNClient;
};
/** Keeps objects, with the conditions of S3. */
const s3Of = ({ objects }: World): S3Client => {
  const refused = (name: string, httpStatusCode: number) =>
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
  const send = async (command: {
    input: { Key: string; Body?: string; IfMatch?: string; IfNoneMatch?: string };
  }) => {
    const { Key, Body, IfMatch, IfNoneMatch } = command.input;
    await pause(1);
    const found = objects.get(Key);
    if (Body === undefined) {
      if (!found) throw refused('NoSuchKey', 404);
      const bytes = Buffer.from(found.text);
      return { Body: [bytes], ContentLength: bytes.length, ETag: found.version };
    }
    const isAllowed = IfMatch === undefined ? !(IfNoneMatch && found) : found?.version === IfMatch;
    if (!isAllowed) throw refused('PreconditionFailed', 412);
    const version = String(Number(found?.version ?? 0) + 1);
    objects.set(Key, { text: Body, version });
    return { ETag: version };
  };
  return { send, config: {} } as unknown as S3Client;
};
/** Refuses every call, since no case needs a queue or a bucket. */
const refusing = {
  send: async () => {
    throw new Error('not to be called');
  },
} as never;

type Make = (world: World) => MiddlewareObj;

const ours: Record<string, Make> = {
  sqsSnsUnwrap: () => sqsSnsUnwrap() as MiddlewareObj,
  storedDataHydrate: () => storedDataHydrate({ bucket: 'any-bucket', s3: refusing }),
  callbackPublisher: (world: World) =>
    callbackPublisher({
      sns: snsOf(world),
      s3: refusing,
      bucket: 'any-bucket',
      inlineUnder: 1000,
      lingerMillis: 2,
    }),
  lambdaLogged: () => lambdaLogged({ logger: silentLogger() }),
  contextResources: () => contextResources({ db: () => 'db' }) as MiddlewareObj,
  failurePolicy: () => failurePolicy({ sqs: refusing, backoff: false, isFinal: () => false }),
  extendedPayload: () => extendedPayload({ bucket: 'any-bucket', s3: refusing }),
  stepFunctionsTask: (world: World) => stepFunctionsTask({ sfn: sfnOf(world) }),
  // A sink that fails, one that is too slow, and one that takes its time.
  chainEvents: () =>
    chainEvents({
      to: [
        () => Promise.reject(new Error('no')),
        () => pause(40) as Promise<void>,
        () => pause(3) as Promise<void>,
      ],
      waitMillis: 5,
    }),
  taskMetrics: () => taskMetrics(),
  idempotent: (world: World) => idempotent({ s3: s3Of(world), bucket: 'none' }),
  cancellable: (world: World) => cancellable({ s3: s3Of(world), bucket: 'none' }),
};

type Around = NonNullable<Parameters<typeof stageMiddleware>[0]['around']>;

const stages: Record<string, Around> = {
  'well behaved': async (_, next) => next(),
  'does not await next': async (_, next) => {
    next();
  },
  'never calls next': async () => {},
  'calls next twice': async (_, next) => {
    await next();
    await next().catch(() => {});
  },
  'swallows errors': async (_, next) => {
    await next().catch(() => {});
  },
  'throws undefined': async (_, next) => {
    await next();
    throw undefined;
  },
  'throws while the handler runs': (_, next) => {
    next();
    throw new Error('impatient');
  },
  'has a check that refuses': (run, next) => {
    run.beforeHandler(() => Promise.reject(new Error('refused')));
    return next();
  },
};

const before = (hook: (request: { event: unknown; response?: unknown }) => unknown) =>
  ({ before: hook }) as unknown as MiddlewareObj;
const after = (hook: (request: { event: unknown; response?: unknown }) => unknown) =>
  ({ after: hook }) as unknown as MiddlewareObj;
const onError = (hook: (request: { event: unknown; response?: unknown }) => unknown) =>
  ({ onError: hook }) as unknown as MiddlewareObj;
const throws = (error: unknown) => () => {
  throw error;
};
const nothingFailed = () => ({ batchItemFailures: [] });
const page = () => ({ statusCode: 500, body: 'sorry' });
const changed = (change: (records: SQSEvent['Records']) => unknown) =>
  before((request) => {
    const { Records } = request.event as SQSEvent;
    request.event = { Records: change(Records) };
  });

const neighbours: Record<string, Make> = {
  'before throws': () => before(throws(new Error('before'))),
  'before throws undefined': () => before(throws(undefined)),
  'before returns a page': () => before(page),
  'before returns that nothing failed': () => before(async () => nothingFailed()),
  'before sets a response': () =>
    before((request) => {
      request.response = nothingFailed();
    }),
  'before sets an early undefined': () =>
    before((request) => {
      (request as { earlyResponse?: unknown }).earlyResponse = undefined;
    }),
  'after throws': () => after(throws(new Error('after'))),
  'after throws undefined': () => after(throws(undefined)),
  'after returns that nothing failed': () => after(() => nothingFailed()),
  'after replaces the response by a page': () =>
    after((request) => {
      request.response = page();
    }),
  'after drops the response': () =>
    after((request) => {
      request.response = undefined;
    }),
  'after deletes the response': () =>
    after((request) => {
      delete request.response;
    }),
  'after empties the response': () =>
    after((request) => {
      if (Array.isArray(request.response)) request.response.length = 0;
    }),
  'after maps the response': () =>
    after((request) => {
      request.response = Array.isArray(request.response)
        ? request.response.map(() => 'mapped')
        : { wrapped: 1 };
    }),
  'onError throws': () => onError(throws(new Error('onError'))),
  'onError returns a page': () => onError(page),
  'onError returns that nothing failed': () => onError(async () => nothingFailed()),
  'onError sets a page': () =>
    onError((request) => {
      request.response = page();
    }),
  'onError sets null': () =>
    onError((request) => {
      request.response = null;
    }),
  'onError sets an empty list': () =>
    onError((request) => {
      request.response = [];
    }),
  'onError deletes the response': () =>
    onError((request) => {
      delete request.response;
    }),
  'onError drops the error': () =>
    onError((request) => {
      Object.assign(request, { error: undefined, response: nothingFailed() });
    }),
  'records are dropped': () => changed((records) => records.slice(1)),
  'records are reversed': () => changed((records) => records.toReversed()),
  'records are cloned': () => changed((records) => structuredClone(records)),
  'records are emptied in place': () =>
    before((request) => {
      (request.event as SQSEvent).Records.length = 0;
    }),
  'the context is copied': () =>
    before((request) => {
      const holder = request as { context?: object };
      holder.context = { ...holder.context };
    }),
  httpErrorHandler: () => httpErrorHandler({ logger: false, fallbackMessage: 'sorry' }) as MiddlewareObj,
  validator: () => validator({ eventSchema: (() => true) as never }) as unknown as MiddlewareObj,
  'validator that refuses': () =>
    validator({ eventSchema: (() => false) as never }) as unknown as MiddlewareObj,
  'warmup that answers': () => warmup({ isWarmingUp: () => true }) as MiddlewareObj,
  warmup: () => warmup() as MiddlewareObj,
  inputOutputLogger: () =>
    inputOutputLogger({ logger: (message) => void JSON.stringify(message) }) as MiddlewareObj,
  eventNormalizer: () => eventNormalizer() as MiddlewareObj,
};
/** Handled separately: repeats our first middleware. */
const twice = 'the first of ours twice';

/** Neighbours that neither fail nor change an answer. */
const wellBehaved = new Set([
  'records are cloned',
  'the context is copied',
  'httpErrorHandler',
  'validator',
  'warmup',
  'inputOutputLogger',
  'eventNormalizer',
]);

type Worker = (task: Task, record: TaskRecord | undefined) => Promise<{ id: string }>;
type Loop = (worker: Worker) => (event: SQSEvent, context: Context) => unknown;
const withRecord =
  (worker: Worker) => (task: unknown, _: unknown, extras: { record: TaskRecord | undefined }) =>
    worker(task as Task, extras.record);

const innerStack = (handler: unknown) =>
  middy7(handler as never).use(
    stageMiddleware({ name: 'inner', around: (_, next) => next() }) as never,
  ) as unknown as (event: unknown, context: unknown) => Promise<unknown>;

const handlers: Record<string, Loop> = {
  queued: (worker) => queued(withRecord(worker), { reserveMillis: 20, concurrency: 3 }) as never,
  'queued that fails when all failed': (worker) =>
    queued(withRecord(worker), { reserveMillis: 20, throwOnFullBatchFailure: true }) as never,
  'a loop with runTask': (worker) => async (event, context) =>
    Promise.allSettled(event.Records.map((record) => runTask(record, context, withRecord(worker)))),
  'a loop that forgets to await': (worker) => async (event, context) =>
    event.Records.map((record) => {
      runTask(record, context, withRecord(worker)).catch(() => {});
      return { status: 'fulfilled' };
    }),
  'a loop that drops the outcome': (worker) => async (event, context) => {
    await Promise.allSettled(event.Records.map((record) => runTask(record, context, withRecord(worker))));
  },
  'a loop that runs each twice at once': (worker) => async (event, context) =>
    Promise.allSettled(
      event.Records.map(async (record) => {
        const runs = [1, 2].map(() => runTask(record, context, withRecord(worker)));
        await Promise.any(runs);
      }),
    ),
  'a stack in a stack': (worker) => (event, context) =>
    innerStack(queued(withRecord(worker), { reserveMillis: 20 }))(event, context),
  'a stack in each record': (worker) =>
    queued(
      (task: unknown, context, { record }) => {
        const inner = innerStack(queued(() => worker(task as Task, record)));
        return inner({ Records: [record] }, context).then((settled: unknown) => {
          JSON.stringify(settled);
          return (settled as { value?: unknown }[])[0]?.value;
        });
      },
      { reserveMillis: 20 },
    ) as never,
  'a loop that skips a record': (worker) => async (event, context) =>
    Promise.allSettled(event.Records.slice(1).map((record) => runTask(record, context, withRecord(worker)))),
  'a loop that acknowledges': (worker) => async (event, context) =>
    Promise.allSettled(
      event.Records.map(async (record) => {
        await worker(messageOf(record), record);
        acknowledge(record, context);
      }),
    ),
  'returns nothing': () => async () => {},
  'returns that nothing failed': () => async () => nothingFailed(),
  'throws undefined': () => async () => {
    throw undefined;
  },
  'throws at once': () => () => {
    throw new Error('at once');
  },
  'empties the records': (worker) => async (event, context) => {
    const records = event.Records.splice(0);
    return Promise.allSettled(records.map((record) => runTask(record, context, withRecord(worker))));
  },
};

const wellBehavedHandlers = new Set([
  'queued',
  'a loop with runTask',
  'a stack in a stack',
  'a stack in each record',
]);

const messageOf = (record: object) =>
  JSON.parse(
    'Sns' in record ? (record as SnsRecord).Sns.Message : JSON.parse((record as SqsRecord).body).Message,
  );

/** The milliseconds of an invocation, and Middy's options. */
const times: Record<string, { millis: number; options: object }> = {
  enough: { millis: 60_000, options: {} },
  'an early answer of Middy': {
    millis: 45,
    options: { timeoutEarlyInMillis: 30, timeoutEarlyResponse: page },
  },
  'an early error of Middy': { millis: 45, options: { timeoutEarlyInMillis: 30 } },
  'a deadline': { millis: 35, options: { timeoutEarlyInMillis: 1 } },
  'a late start': { millis: 15, options: {} },
  'a shared internal': { millis: 60_000, options: { internal: {} } },
};

/** Random stacks of our middlewares, a stage and neighbours, well-behaved or not, in any order. */
export const stackCase: fc.Arbitrary<StackCase> = fc.record({
  middy: fc.constantFrom<6 | 7>(6, 7),
  event: fc.oneof(
    { weight: 4, arbitrary: fc.constant('sqs' as const) },
    { weight: 1, arbitrary: fc.constant('sns' as const) },
  ),
  ours: fc.subarray(Object.keys(ours), { minLength: 1 }),
  stage: fc.option(fc.constantFrom(...Object.keys(stages)), { nil: undefined }),
  neighbours: fc.oneof(
    fc.uniqueArray(fc.constantFrom(twice, ...Object.keys(neighbours)), { maxLength: 3 }),
    fc.uniqueArray(fc.constantFrom(...wellBehaved), { maxLength: 3 }),
  ),
  isReported: fc.boolean(),
  order: fc.array(fc.nat(), { minLength: 15, maxLength: 15 }),
  handler: fc.oneof(fc.constant('queued'), fc.constantFrom(...Object.keys(handlers))),
  records: fc.array(
    fc.record({
      kind: fc.constantFrom('good', 'good', 'good', 'bad', 'bad', 'not JSON', 'state', 'bad state'),
      millis: fc.constantFrom(0, 0, 3, 25, 80),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  time: fc.oneof(fc.constant('enough'), fc.constantFrom(...Object.keys(times))),
});

/**
 * Runs a case. Throws if an answer acknowledges a record that is not done, or if a completed record among well-behaved
 * neighbours is not acknowledged.
 */
export async function checkStack(stack: StackCase): Promise<StackOutcome> {
  const specs = stack.event === 'sns' ? stack.records.slice(0, 1) : stack.records;
  const records = specs.map(({ kind }, n) => recordOf(stack.event, kind, n));
  const ids = records.map(messageIdOf);
  const world: World = {
    done: new Set(),
    sent: new Set(),
    notified: new Set(),
    handed: 0,
    objects: new Map(),
    millis: new Map(ids.map((id, index) => [id, specs[index]?.millis ?? 0])),
  };
  const worker: Worker = async (task, record) => {
    const id = messageIdOf(record as TaskRecord);
    const millis = world.millis.get(id) ?? 0;
    if (millis > 0) await pause(millis);
    if (String(task?.task_kwargs?.kind).startsWith('bad')) throw new Error('bad');
    world.done.add(id);
    return { id };
  };

  const answer = await answerOf(stack, world, worker, { Records: records as SQSEvent['Records'] });
  const failed = answer === threw;
  const list = (answer as { batchItemFailures?: { itemIdentifier: string }[] } | null)?.batchItemFailures;
  // SNS ignores the answer.
  const named = new Set(stack.event === 'sns' ? [] : list?.map(({ itemIdentifier }) => itemIdentifier));
  const acknowledged = failed ? [] : ids.filter((id) => !named.has(id));
  const isDone = isDoneIn(stack, ids, world);

  const wrong = acknowledged.filter((id) => !isDone(id));
  if (wrong.length > 0) throw new Error(`acknowledged, and not done: ${wrong.map((id) => ids.indexOf(id))}`);
  if (isWellBehaved(stack)) {
    const lost = ids.filter((id) => isDone(id) && !acknowledged.includes(id));
    if (lost.length > 0) throw new Error(`done, and not acknowledged: ${lost.map((id) => ids.indexOf(id))}`);
  }
  // Nothing may be sent after the answer.
  const { handed } = world;
  if (!failed && stack.time !== 'enough') await pause(30);
  if (world.handed > handed && stack.handler === 'queued')
    throw new Error('a callback left after the answer');
  return { acknowledged: acknowledged.length, named: named.size, failed };
}

function recordOf(event: StackCase['event'], kind: string, n: number): TaskRecord {
  const record = sqsRecord('');
  const id = record.messageId;
  const task = { task_name: 'work', task_kwargs: { n, kind, id } };
  const content = kind.endsWith('state') ? { Input: task, TaskToken: id } : { ...task, callback: 'next' };
  const Message = kind === 'not JSON' ? 'not JSON' : JSON.stringify(content);
  if (event === 'sqs') return { ...record, body: JSON.stringify({ ...JSON.parse(record.body), Message }) };
  const Sns = { MessageId: id, TopicArn: 'arn:aws:sns:eu-west-1:123456789012:work', Message, Timestamp: '' };
  return { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: 'arn', Sns };
}

const threw = Symbol('threw');

/** The answer as Lambda serialises it. */
async function answerOf(stack: StackCase, world: World, worker: Worker, event: SQSEvent): Promise<unknown> {
  const { millis, options } = times[stack.time] as (typeof times)[string];
  const end = performance.now() + millis;
  const context = lambdaContext({ getRemainingTimeInMillis: () => Math.max(0, end - performance.now()) });
  const middy = (stack.middy === 6 ? middy6 : middy7) as typeof middy7;
  const handler = middy(handlers[stack.handler]?.(worker) as never, options) as unknown as ReturnType<
    typeof middy7
  >;
  for (const middleware of stackOf(stack, world)) handler.use(middleware);
  try {
    return JSON.parse(JSON.stringify(await handler(event as never, context)) ?? 'null');
  } catch {
    return threw;
  }
}

function stackOf(stack: StackCase, world: World): MiddlewareObj[] {
  const [first, ...others] = stack.ours.flatMap((name) => ours[name]?.(world) ?? []);
  const around = stack.stage && stages[stack.stage];
  const rest = [
    ...others,
    ...(around ? [stageMiddleware({ name: 'custom', order: { before: 'policy' }, around })] : []),
    ...stack.neighbours.flatMap((name) => neighbours[name]?.(world) ?? []),
    ...(stack.neighbours.includes(twice)
      ? stack.ours.slice(0, 1).flatMap((name) => ours[name]?.(world) ?? [])
      : []),
    ...(stack.isReported ? [sqsPartialBatchFailure({ logger: () => {} }) as MiddlewareObj] : []),
  ];
  const sorted = rest
    .map((middleware, index) => ({ middleware, at: stack.order[index] ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ middleware }) => middleware);
  return [first as MiddlewareObj, ...sorted];
}

/** With only passive stages the loop decides what is done. */
function isPassive({ ours: names, stage }: StackCase): boolean {
  const passive = ['sqsSnsUnwrap', 'lambdaLogged', 'contextResources', 'chainEvents', 'taskMetrics'];
  return stage === undefined && names.every((name) => passive.includes(name));
}

/** With only passive stages a custom loop is trusted with records that it did not run. */
function isTrusted(stack: StackCase, index: number): boolean {
  if (!isPassive(stack)) return false;
  if (stack.handler === 'a loop that skips a record') return index === 0;
  // The answer of Middy's timeout replaces the loop's, and looks the same.
  if (stack.handler === 'a loop that acknowledges') return stack.time === 'an early answer of Middy';
  return stack.handler.startsWith('returns');
}

function isDoneIn(stack: StackCase, ids: readonly string[], world: World): (id: string) => boolean {
  const { done, sent, notified } = world;
  const runsStages = stack.handler !== 'a loop that acknowledges';
  const publishes = runsStages && stack.ours.includes('callbackPublisher');
  const tells = runsStages && stack.ours.includes('stepFunctionsTask');
  return (id) => {
    const index = ids.indexOf(id);
    if (isTrusted(stack, index)) return true;
    // The task of a state is done when Step Functions has its outcome, success or error. It has no callback.
    if (stack.records[index]?.kind.endsWith('state')) return tells ? notified.has(id) : done.has(id);
    return done.has(id) && (!publishes || sent.has(id));
  };
}

function isWellBehaved(stack: StackCase): boolean {
  return (
    stack.isReported &&
    (stack.stage === undefined || stack.stage === 'well behaved') &&
    stack.neighbours.every((name) => wellBehaved.has(name)) &&
    wellBehavedHandlers.has(stack.handler) &&
    (stack.time === 'enough' || stack.time === 'a shared internal')
  );
}
