import { Logger } from '@aws-lambda-powertools/logger';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import {
  callbackPublisher,
  lambdaLogged,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  type TaskFunction,
  traced,
} from '../../middlewares/index.ts';
import { openTelemetryTracing } from '../../middlewares/openTelemetryTracing.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

const exporter = new InMemorySpanExporter();
let aws: LocalAws;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  aws = await startLocalAws();
});
afterEach(() => exporter.reset());
afterAll(async () => {
  trace.disable();
  context.disable();
  propagation.disable();
  await aws.stop();
});

const spans = (kind?: SpanKind) =>
  exporter.getFinishedSpans().filter((span) => kind === undefined || span.kind === kind);
const named = (name: string) => spans().find((span) => span.name === name) as ReadableSpan;
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;

const makeStack = (functions: Record<string, TaskFunction>, logger = silentLogger()) =>
  middy(queued(routeTasks(functions)))
    .use(lambdaLogged({ logger, tracing: openTelemetryTracing() }))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3: aws.s3, bucket: aws.bucket }))
    .use(callbackPublisher({ s3: aws.s3, sns: aws.sns, bucket: aws.bucket }));

const invoke = (functions: Record<string, TaskFunction>, event: unknown, logger?: Logger) =>
  (makeStack(functions, logger) as unknown as (event: unknown, context: unknown) => Promise<unknown>)(
    event,
    lambdaContext(),
  );

test('a chain of three through SNS and SQS: one trace, three tasks, right parents, one chain id', async () => {
  const logger = new Logger({ serviceName: 'shop' });
  const { lines } = capturedLines(logger);
  const functions: Record<string, TaskFunction> = {
    load: () => ({ prices: [1, 2] }),
    analyse: ({ prices }) => ({ sum: prices[0] + prices[1] }),
    report: () => console.info('reported'),
  };
  const worker = await startWorker({
    aws,
    handler: makeStack(functions, logger) as never,
    tasks: Object.keys(functions),
    onInvocation: () => {},
  });
  try {
    await sendTask(
      { task_name: 'load', task_kwargs: {}, callback: 'load#analyse#report' },
      {
        sns: aws.sns,
        s3: aws.s3,
        bucket: aws.bucket,
        topics: worker.topics,
        tracing: openTelemetryTracing(),
      },
    );
    await worker.idle();
  } finally {
    await worker.stop();
  }
  const sender = named('send load');
  const tasks = spans(SpanKind.CONSUMER);
  expect(tasks.map(({ attributes }) => attributes['algernon.task_name'])).toEqual([
    'load',
    'analyse',
    'report',
  ]);
  expect(new Set([sender, ...tasks].map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(tasks.map((span) => span.parentSpanContext?.spanId)).toEqual([
    idOf(sender),
    idOf(tasks[0]),
    idOf(tasks[1]),
  ]);
  expect(tasks[0]?.parentSpanContext?.isRemote).toBe(true);
  expect(sender.kind).toBe(SpanKind.PRODUCER);
  const [first] = tasks;
  expect(tasks.map(({ name }) => name)).toEqual(
    ['load', 'analyse', 'report'].map((task) => `process ${worker.queues[task]?.url.split('/').at(-1)}`),
  );
  expect(first?.attributes).toMatchObject({
    'messaging.system': 'aws_sqs',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.message.id': expect.any(String),
    'algernon.chain': 'load#analyse#report',
    'algernon.receive_count': 1,
  });
  expect(sender.attributes).toEqual({
    'messaging.system': 'aws.sns',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'load',
  });
  expect(sender.instrumentationScope.name).toBe('algernon-middy');
  const chains = new Set(tasks.map(({ attributes }) => attributes['algernon.chain_id']));
  expect([...chains]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/)]);
  expect(lines().find(({ message }) => message === 'reported')).toMatchObject({
    task_name: 'report',
    chain_id: [...chains][0],
  });
}, 60_000);

describe('in a batch', () => {
  const parent = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'vendor=1',
  };
  const withAttributes = (attributes: Record<string, string>) =>
    sqsRecord(
      { task_name: 'work', task_kwargs: {} },
      {
        raw: true,
        messageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, stringValue]) => [
            name,
            { dataType: 'String', stringValue },
          ]),
        ),
      },
    );

  test("the parent is the sender's span, with a link to the invocation's", async () => {
    const around = trace.getTracer('runtime').startSpan('invocation');
    await context.with(trace.setSpan(context.active(), around), () =>
      invoke({ work: () => {} }, { Records: [withAttributes(parent), withAttributes({})] }),
    );
    const [sent, unsent] = spans(SpanKind.CONSUMER);
    expect(sent?.parentSpanContext).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
    });
    expect(sent?.spanContext().traceState?.serialize()).toBe('vendor=1');
    expect(sent?.links.map((link) => link.context.spanId)).toEqual([around.spanContext().spanId]);
    expect(unsent?.parentSpanContext?.spanId).toBe(around.spanContext().spanId);
    expect(unsent?.links).toEqual([]);
  });

  test.each([
    '',
    'text',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
  ])('an invalid traceparent starts a new trace: %j', async (traceparent) => {
    await invoke({ work: () => {} }, { Records: [withAttributes({ traceparent })] });
    expect(spans()[0]?.parentSpanContext).toBeUndefined();
  });

  test('records the error of a failed task and nests the spans of its functions, even with ten concurrent tasks', async () => {
    const inner = traced('inner', async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, 10 - n));
      return n;
    });
    const outer = traced('outer', async (n: number) => inner(n));
    const failing = traced('failing', () => {
      throw new TypeError('broken');
    });
    const functions = { work: async ({ n }: { n: number }) => (n === 9 ? failing() : outer(n)) };
    const Records = Array.from({ length: 10 }, (_, n) =>
      sqsRecord({ task_name: 'work', task_kwargs: { n } }),
    );
    await invoke(functions, { Records });
    const tasks = spans(SpanKind.CONSUMER);
    expect(tasks).toHaveLength(10);
    const outers = spans().filter(({ name }) => name === 'outer');
    const inners = spans().filter(({ name }) => name === 'inner');
    const parents = (all: ReadableSpan[]) => all.map((span) => span.parentSpanContext?.spanId).sort();
    const failed = tasks.find(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(parents(outers)).toEqual(
      tasks
        .filter((task) => task !== failed)
        .map(idOf)
        .sort(),
    );
    expect(parents(inners)).toEqual(outers.map(idOf).sort());
    expect(failed?.status.message).toBe('broken');
    expect(failed?.attributes['error.type']).toBe('TypeError');
    expect(failed?.events[0]?.attributes?.['exception.stacktrace']).toContain('tracing.openTelemetry.test');
    expect(named('failing').parentSpanContext?.spanId).toBe(idOf(failed));
  });

  test('what a task sends itself is in its trace and its chain', async () => {
    const sent: {
      input: { PublishBatchRequestEntries: { MessageAttributes: Record<string, { StringValue: string }> }[] };
    }[] = [];
    const sns = {
      send: async (command: (typeof sent)[0]) => {
        sent.push(command);
        return { Successful: [{ Id: '0' }] };
      },
    };
    const functions = {
      work: () =>
        sendTask(
          { task_name: 'other', task_kwargs: {} },
          { sns: sns as never, topics: { other: 'arn:aws:sns:us-east-1:1:other' } },
        ),
    };
    const record = withAttributes({ ...parent, chain_id: 'the-chain' });
    await invoke(functions, { Records: [record] });
    const producer = named('send other');
    expect(producer.parentSpanContext?.spanId).toBe(idOf(spans(SpanKind.CONSUMER)[0]));
    const { traceId, spanId } = producer.spanContext();
    expect(sent[0]?.input.PublishBatchRequestEntries[0]?.MessageAttributes).toMatchObject({
      chain_id: { StringValue: 'the-chain' },
      traceparent: { StringValue: `00-${traceId}-${spanId}-01` },
      tracestate: { StringValue: 'vendor=1' },
    });
  });
});

type Sent = {
  input: { PublishBatchRequestEntries: { MessageAttributes?: Record<string, { StringValue: string }> }[] };
};

/** Runs a task with the traces attributes that sends another. Returns the attributes of the sent message. */
async function passOn(attributes: Record<string, string>, more: () => unknown = () => {}) {
  const sent: Sent[] = [];
  const sns = { send: async (command: Sent) => ({ Successful: [{ Id: '0', at: sent.push(command) }] }) };
  const work = async () => {
    more();
    await sendTask(
      { task_name: 'other', task_kwargs: {} },
      { sns: sns as never, topics: { other: 'arn:aws:sns:us-east-1:1:other' } },
    );
  };
  const messageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }]),
  );
  await invoke({ work }, { Records: [sqsRecord({ task_name: 'work' }, { raw: true, messageAttributes })] });
  const entry = sent[0]?.input.PublishBatchRequestEntries[0];
  const { chain_id, ...rest } = entry?.MessageAttributes ?? {};
  return Object.fromEntries(Object.entries(rest).map(([name, { StringValue }]) => [name, StringValue]));
}

describe('propagation', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const environment = { ...process.env };
  afterEach(() => {
    propagation.disable();
    process.env = { ...environment };
  });

  test('uses the global propagator: baggage reaches the task and the next message', async () => {
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    );
    let tenant: string | undefined;
    const sent = await passOn({ traceparent, baggage: 'tenant=acme' }, () => {
      tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
    });
    expect(tenant).toBe('acme');
    expect(sent).toMatchObject({
      baggage: 'tenant=acme',
      traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'),
    });
    expect(spans(SpanKind.CONSUMER)[0]?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    await passOn({ baggage: 'tenant=other' });
    expect(spans(SpanKind.CONSUMER)[1]?.parentSpanContext).toBeUndefined();
  });

  test('may use another format, such as B3, instead of the W3C headers', async () => {
    propagation.setGlobalPropagator({
      fields: () => ['b3'],
      inject: (from, carrier, { set }) => {
        const { traceId, spanId } = trace.getSpanContext(from) ?? {};
        set(carrier, 'b3', `${traceId}-${spanId}-1`);
        set(carrier, 'not allowed', 'x');
        set(carrier, 'empty', '');
      },
      extract: (into, carrier, { get, keys }) => {
        if (!keys(carrier).includes('b3')) return into;
        const [traceId = '', spanId = ''] = String(get(carrier, 'b3')).split('-');
        return trace.setSpanContext(into, { traceId, spanId, traceFlags: 1, isRemote: true });
      },
    });
    const sent = await passOn({ b3: '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1', traceparent });
    expect(spans(SpanKind.CONSUMER)[0]?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(sent).toEqual({ b3: `0af7651916cd43dd8448eb211c80319c-${idOf(named('send other'))}-1` });
  });

  test('is off with OTEL_PROPAGATORS=none and no global propagator', async () => {
    process.env.OTEL_PROPAGATORS = 'none';
    expect(await passOn({ traceparent })).toEqual({});
    expect(spans(SpanKind.CONSUMER)[0]?.parentSpanContext).toBeUndefined();
  });

  test('survives a propagator that throws', async () => {
    const fail = () => {
      throw new Error('no');
    };
    propagation.setGlobalPropagator({ fields: () => ['x'], inject: fail, extract: fail });
    expect(await passOn({ traceparent })).toEqual({});
    expect(spans(SpanKind.CONSUMER)).toHaveLength(1);
  });
});

test('a span ends once, with its first outcome', async () => {
  const real = trace.getTracer('test');
  let ends = 0;
  const tracer = Object.assign(Object.create(real), {
    startSpan(...args: Parameters<typeof real.startSpan>) {
      const span = real.startSpan(...args);
      const end = span.end.bind(span);
      return Object.assign(span, {
        end: () => {
          ends += 1;
          end();
        },
      });
    },
  });
  const facts = { taskName: 'cut', messageId: 'm', receiveCount: 1, chainId: 'c', chain: undefined };
  const task = openTelemetryTracing({ tracer }).start({
    ...facts,
    source: 'arn:aws:sqs:us-east-1:1:work',
    attributes: {},
    coldStart: false,
  });
  task?.end({ error: Object.create(null) });
  task?.end();
  expect(ends).toBe(1);
  expect(spans().map(({ status, events }) => [status.code, events.length])).toEqual([
    [SpanStatusCode.ERROR, 1],
  ]);
});

test("a sender with its own tracing does not get the running task's trace", async () => {
  const traces: unknown[] = [];
  const custom = {
    start: () => undefined,
    span: <T>(_: string, work: () => T) => work(),
    send<T>(_: string, work: (attributes: object) => T, task: unknown) {
      traces.push(task);
      return work({});
    },
  };
  const sns = { send: async () => ({ Successful: [{ Id: '0' }] }) };
  const options = { sns: sns as never, topics: { other: 'arn:aws:sns:us-east-1:1:other' } };
  const work = () =>
    sendTask({ task_name: 'other', task_kwargs: {} }, { ...options, tracing: custom as never });
  await invoke({ work }, { Records: [sqsRecord({ task_name: 'work' })] });
  expect(traces).toEqual([undefined]);
});

test('a direct invocation has one span, around those of its functions', async () => {
  const work = traced('outer', async () => traced('inner', async () => 1)());
  expect(await invoke({ work }, { task_name: 'work' })).toBe(1);
  const [inner, outer, task] = spans();
  expect([inner?.name, outer?.name, task?.name]).toEqual(['inner', 'outer', 'work']);
  expect(task?.kind).toBe(SpanKind.SERVER);
  expect(Object.keys(task?.attributes ?? {}).sort()).toEqual([
    'algernon.chain_id',
    'algernon.task_name',
    'faas.coldstart',
  ]);
  expect([inner?.parentSpanContext?.spanId, outer?.parentSpanContext?.spanId]).toEqual([
    idOf(outer),
    idOf(task),
  ]);
  await expect(
    invoke({ work: () => Promise.reject(new Error('no')) }, { task_name: 'work' }),
  ).rejects.toThrow('no');
  expect(spans().at(-1)?.status.code).toBe(SpanStatusCode.ERROR);
});

test('without an SDK nothing is traced or propagated, and traced functions run normally', async () => {
  trace.disable();
  const seen: unknown[] = [];
  const outcome = await invoke(
    { work: traced('sync', ({ n }: { n: number }) => seen.push(n)) },
    { Records: [sqsRecord({ task_name: 'work', task_kwargs: { n: 1 } })] },
  );
  expect(outcome).toEqual({ batchItemFailures: [] });
  expect(traced('outside', (n: number) => n + 1)(1)).toBe(2);
  expect([seen, spans()]).toEqual([[1], []]);
});

test('without an SDK an invalid span context is not propagated', async () => {
  trace.disable();
  expect(await passOn({})).toEqual({});
  // The sender's trace continues past an untraced task.
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(await passOn({ traceparent })).toEqual({ traceparent });
});
