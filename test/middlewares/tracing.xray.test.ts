import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tracer } from '@aws-lambda-powertools/tracer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import type { Tracing } from '../../middlewares/index.ts';
import { callbackPublisher, lambdaLogged, queued, sqsSnsUnwrap, traced } from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

interface Segment {
  id: string;
  name: string;
  parent_id: string;
  trace_id: string;
  annotations?: Record<string, unknown>;
  cause?: { exceptions: { message: string }[] };
  fault?: boolean;
}

/** The segments that the X-Ray daemon received. */
const segments: Segment[] = [];
let daemon: Socket;
let web: Server;
let aws: LocalAws;
let topic: string;
let makeTracing: (options?: { tracer?: Tracer }) => Tracing;
let tracer: Tracer;
let captureLambdaHandler: (tracer: Tracer) => MiddlewareObj;
const environment = { ...process.env };
const traceId = '1-5759e988-bd862e3fe1be46a994272793';

beforeAll(async () => {
  aws = await startLocalAws();
  const { CreateTopicCommand } = await import('@aws-sdk/client-sns');
  topic = (await aws.sns.send(new CreateTopicCommand({ Name: 'next' }))).TopicArn ?? '';
  web = createServer((_, response) => response.end('ok')).listen(0);
  daemon = createSocket('udp4');
  daemon.on('message', (message) => segments.push(JSON.parse(String(message).split('\n')[1] ?? '')));
  await new Promise<void>((resolve) => daemon.bind(0, '127.0.0.1', resolve));
  // X-Ray's SDK reads these when it is loaded.
  Object.assign(process.env, {
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.address().port}`,
    LAMBDA_TASK_ROOT: '/var/task',
    _HANDLER: 'index.handler',
    _X_AMZN_TRACE_ID: `Root=${traceId};Parent=53995c3f42cd8ad8;Sampled=1`,
  });
  ({ xrayTracing: makeTracing } = await import('../../middlewares/xrayTracing.ts'));
  const powertools = await import('@aws-lambda-powertools/tracer');
  tracer = new powertools.Tracer({ serviceName: 'shop' });
  ({ captureLambdaHandler } = (await import('@aws-lambda-powertools/tracer/middleware')) as never);
});
beforeEach(() => {
  segments.splice(0);
});
afterAll(async () => {
  process.env = environment;
  daemon.close();
  web.close();
  await aws.stop();
});

/** Waits until the daemon has received a number of segments. */
async function received(count: number): Promise<Segment[]> {
  while (segments.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  return segments;
}

function makeStack(work: (n: number) => unknown, tracing: Tracing, others: MiddlewareObj[] = []) {
  const worker = ({ task_kwargs }: { task_kwargs: { n: number } }) => work(task_kwargs.n);
  const publisher = callbackPublisher({
    s3: aws.s3,
    sns: aws.sns,
    bucket: aws.bucket,
    topics: { next: topic },
  });
  const stack = [
    lambdaLogged({ logger: silentLogger(), tracing }),
    sqsSnsUnwrap(),
    sqsPartialBatchFailure({ logger: () => {} }),
  ];
  const handler = middy(queued(worker)) as unknown as ReturnType<typeof middy>;
  for (const middleware of [...stack, publisher, ...others]) handler.use(middleware as MiddlewareObj);
  return (event: unknown) => handler(event as never, lambdaContext() as never) as Promise<unknown>;
}

const recordOf = (n: number, more = {}) => sqsRecord({ task_name: 'work', task_kwargs: { n }, ...more });

test('one annotated subsegment per task, with its error, its functions, our S3 and SNS clients and HTTP inside', async () => {
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const step = traced('step', async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 10 - n * 5));
    if (n === 1) throw new Error('task 1 failed');
    await (await fetch(url)).text();
    return { n };
  });
  const Records = [recordOf(0, { callback: 'next' }), recordOf(1)];
  await makeStack(step, makeTracing({ tracer }))({ Records });
  const all = await received(7);
  const tasks = all.filter(({ name }) => name === '## work');
  const steps = all.filter(({ name }) => name === '### step');
  const [good, bad] = [0, 1].map((n) =>
    tasks.find(({ annotations }) => annotations?.['message_id'] === Records[n]?.messageId),
  );
  expect(tasks).toHaveLength(2);
  expect(good).toMatchObject({
    trace_id: traceId,
    parent_id: '53995c3f42cd8ad8',
    annotations: {
      task_name: 'work',
      chain: 'next',
      chain_id: JSON.parse(Records[0]?.body ?? '').MessageId,
      ColdStart: true,
    },
  });
  // X-Ray describes an error where it was thrown, and the outer segments refer to it.
  const [failed] = steps.filter(({ parent_id }) => parent_id === bad?.id);
  expect(failed).toMatchObject({ fault: true, cause: { exceptions: [{ message: 'task 1 failed' }] } });
  expect(bad).toMatchObject({ fault: true, cause: expect.anything() });
  expect(good).not.toHaveProperty('fault');
  expect(steps.map(({ parent_id }) => parent_id).sort()).toEqual([good?.id, bad?.id].sort());
  const inGood = (name: string) =>
    all.filter((segment) => segment.name === name && segment.parent_id === good?.id).length;
  expect([inGood('S3'), inGood('SNS')]).toEqual([1, 1]);
  expect(all.filter(({ name }) => name === '127.0.0.1')).toHaveLength(1);
}, 60_000);

test("with Powertools' own middleware at any position: its segment around the tasks, no duplicates", async () => {
  for (const before of [true, false]) {
    segments.splice(0);
    const tracing = makeTracing({ tracer });
    const capture = captureLambdaHandler(tracer);
    const handler = middy(queued(() => 1)) as unknown as ReturnType<typeof middy>;
    const log = lambdaLogged({ logger: silentLogger(), tracing });
    for (const middleware of before ? [capture, log] : [log, capture]) handler.use(middleware);
    await handler({ Records: [recordOf(1), recordOf(2)] } as never, lambdaContext() as never);
    const all = await received(3);
    const [around] = all.filter(({ name }) => name === '## index.handler');
    expect(all.map(({ name }) => name).sort()).toEqual(['## index.handler', '## work', '## work']);
    const tasks = all.filter(({ name }) => name === '## work');
    expect(tasks.map(({ parent_id }) => parent_id)).toEqual([around?.id, around?.id]);
  }
});

test('a direct invocation has its own subsegment', async () => {
  const handler = makeStack(
    traced('step', () => 7),
    makeTracing({ tracer }),
  );
  expect(await handler({ task_name: 'work', task_kwargs: { n: 1 } })).toBe(7);
  const all = await received(2);
  const [step, task] = ['### step', '## work'].map((name) => all.find((segment) => segment.name === name));
  expect(step?.parent_id).toBe(task?.id);
  expect(task?.annotations).toMatchObject({ task_name: 'work', chain_id: lambdaContext().awsRequestId });
});

test('is off outside Lambda, without a log line', async () => {
  const { AWS_EXECUTION_ENV } = process.env;
  delete process.env.AWS_EXECUTION_ENV;
  const written: unknown[] = [];
  const { warn, error } = console;
  console.warn = console.error = (...args: unknown[]) => void written.push(args);
  try {
    const handler = makeStack(
      traced('step', (n: number) => n),
      makeTracing(),
    );
    expect(await handler({ Records: [recordOf(1)] })).toEqual({ batchItemFailures: [] });
    expect(await handler({ task_name: 'work', task_kwargs: { n: 3 } })).toBe(3);
  } finally {
    Object.assign(console, { warn, error });
    Object.assign(process.env, { AWS_EXECUTION_ENV });
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([written, segments]).toEqual([[], []]);
});

test('traces a task that uses fetch in every invocation, over one connection', async () => {
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const handler = makeStack(async () => (await fetch(url)).text(), makeTracing({ tracer }));
  const records = [recordOf(1), recordOf(2), recordOf(3)];
  for (const record of records) {
    await handler({ Records: [record] });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const tasks = (await received(6)).filter(({ name }) => name === '## work');
  expect(tasks.map(({ annotations }) => annotations?.['message_id'])).toEqual(
    records.map(({ messageId }) => messageId),
  );
});

test('a task that ends while its functions run is sent once, with its first outcome', async () => {
  const trace = makeTracing({ tracer }).start({
    taskName: 'cut',
    messageId: 'm',
    receiveCount: 1,
    chainId: 'c',
    chain: undefined,
    source: 'arn:aws:sqs:us-east-1:1:work',
    attributes: {},
    coldStart: false,
  });
  let finish = () => {};
  const running = trace?.run(() =>
    makeTracing({ tracer }).span(
      'step',
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    ),
  );
  trace?.end({ error: new Error('deadline') });
  trace?.end();
  finish();
  await running;
  const all = await received(2);
  expect(all.map(({ name }) => name).sort()).toEqual(['## cut', '### step']);
  expect(all.find(({ name }) => name === '## cut')).toMatchObject({
    fault: true,
    cause: { exceptions: [{ message: 'deadline' }] },
  });
});

test('the outer segment is current again after a direct invocation', async () => {
  const outer = tracer.getSegment();
  const facts = { taskName: 'direct', messageId: 'm', receiveCount: 1, chainId: 'c', chain: undefined };
  const direct = { ...facts, source: undefined, attributes: {}, coldStart: false };
  const trace = makeTracing({ tracer }).start(direct);
  expect(tracer.getSegment()?.name).toBe('## direct');
  trace?.end();
  expect(tracer.getSegment()).toBe(outer);
  await received(1);
});

test('only flags a failed task if the tracer does not capture errors', async () => {
  const { Tracer: Powertools } = await import('@aws-lambda-powertools/tracer');
  process.env.POWERTOOLS_TRACER_CAPTURE_ERROR = 'false';
  const quiet = new Powertools({ captureHTTPsRequests: false });
  delete process.env.POWERTOOLS_TRACER_CAPTURE_ERROR;
  await makeStack(
    () => Promise.reject(new Error('needle')),
    makeTracing({ tracer: quiet }),
  )({ Records: [recordOf(1)] });
  const [task] = (await received(1)).filter(({ name }) => name === '## work');
  expect(task).toMatchObject({ error: true });
  expect(JSON.stringify(task)).not.toContain('needle');
});

describe("X-Ray's own lines", () => {
  const loggers = (variables: Record<string, string>) => {
    const given: Record<string, (...args: unknown[]) => void>[] = [];
    const provider = { setLogger: (logger: (typeof given)[number]) => void given.push(logger) };
    Object.assign(process.env, variables);
    try {
      makeTracing({ tracer: { provider, isTracingEnabled: () => false } as unknown as Tracer });
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
    return given;
  };

  test('go to the console of the moment, from warnings up', () => {
    const [logger] = loggers({});
    const written: unknown[] = [];
    const { warn, error } = console;
    Object.assign(console, {
      warn: (...args: unknown[]) => void written.push(['warn', ...args]),
      error: (...args: unknown[]) => void written.push(['error', ...args]),
    });
    try {
      for (const level of ['debug', 'info', 'warn', 'error']) logger?.[level]?.(level, 1);
    } finally {
      Object.assign(console, { warn, error });
    }
    expect(written).toEqual([
      ['warn', 'warn', 1],
      ['error', 'error', 1],
    ]);
  });

  test.each(['AWS_XRAY_DEBUG_MODE', 'AWS_XRAY_LOG_LEVEL'])('are left to %s', (name) => {
    expect(loggers({ [name]: 'debug' })).toEqual([]);
  });
});

test('captures a client once, and sends with no attributes, since the client sends the header of X-Ray', () => {
  const seen: object[] = [];
  const fake = {
    provider: { setLogger: () => {} },
    isTracingEnabled: () => true,
    captureAWSv3Client: (client: object) => void seen.push(client),
  };
  const tracing = makeTracing({ tracer: fake as unknown as Tracer });
  const [a, b] = [{}, {}];
  for (const client of [a, b, a]) tracing.capture?.(client as never);
  expect(seen).toEqual([a, b]);
  expect(tracing.send?.('arn:aws:sns:us-east-1:1:x', (attributes) => attributes)).toEqual({});
});
