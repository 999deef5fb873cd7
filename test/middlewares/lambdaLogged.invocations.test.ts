import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import { lineSinkProperty } from '../../core/batch/lineSink.ts';
import { lambdaLogged, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';
import { unhandledIn } from '../support/unhandledIn.ts';

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
  jest.restoreAllMocks();
});

type Handler = (event?: unknown, context?: unknown) => Promise<unknown>;
const event = () => ({ Records: [sqsRecord({ task_name: 'work' })] });

/** A worker with this middleware and others. */
function makeWorker(logging: MiddlewareObj, others: MiddlewareObj[] = [], work: () => unknown = () => {}) {
  const handler = middy(queued(work)) as unknown as ReturnType<typeof middy>;
  for (const each of [logging, ...others, sqsSnsUnwrap() as MiddlewareObj]) handler.use(each);
  return ((given = event(), context = lambdaContext()) =>
    handler(given as never, context as never)) as Handler;
}

function makeLogger(options: ConstructorParameters<typeof Logger>[0] = {}) {
  const logger = new Logger({ serviceName: 'shop', ...options });
  return { logger, ...capturedLines(logger) };
}

test.each([
  ['on-demand', [true, false]],
  ['provisioned-concurrency', [false, false]],
  ['snap-start', [false, false]],
  ['', [false, false]],
])('the first invocation of a sandbox that is %j: cold_start %j', async (type, expected) => {
  process.env.AWS_LAMBDA_INITIALIZATION_TYPE = type;
  const { logger, lines } = makeLogger();
  const invoke = makeWorker(lambdaLogged({ logger }));
  await invoke();
  await invoke();
  expect(lines().map(({ cold_start }) => cold_start)).toEqual(expected);
});

test('a failure before it is logged, with its request', async () => {
  const { logger, lines } = makeLogger();
  const throwing = {
    before: () => {
      throw new Error('no parameters');
    },
  };
  await expect(makeWorker(throwing, [lambdaLogged({ logger })])()).rejects.toThrow('no parameters');
  expect(lines()).toMatchObject([
    {
      level: 'ERROR',
      message: 'invocation failed',
      error: { message: 'no parameters' },
      function_name: 'worker',
    },
    { message: 'batch done', records: 1, failed: 1 },
  ]);
});

test('with DEBUG, lines of middlewares before the first task are written', async () => {
  process.env.DEBUG = 'true';
  const { logger, lines } = makeLogger();
  const detailed = { before: () => logger.debug('detail') };
  await makeWorker(lambdaLogged({ logger }), [detailed])();
  expect(lines().map(({ message }) => message)).toEqual(['detail', 'batch done']);
});

test('whether debug lines are sampled is decided for each invocation', async () => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { logger, lines } = makeLogger({ sampleRateValue: 1 });
  logger.setLogLevel('INFO');
  const invoke = makeWorker(lambdaLogged({ logger }), [], () => logger.debug('detail'));
  // Powertools has decided for the first one when the logger was made.
  await invoke();
  await invoke();
  expect(lines().map(({ message }) => message)).toEqual([
    'batch done',
    expect.stringContaining('sampling rate'),
    'detail',
    'batch done',
  ]);
});

test('keys that were appended outside of an invocation are on the lines of the next one only', async () => {
  const { logger, lines } = makeLogger();
  const invoke = makeWorker(lambdaLogged({ logger }));
  logger.appendKeys({ release: '1' });
  await invoke();
  await invoke();
  expect(lines().map(({ release }) => release)).toEqual(['1', undefined]);
});

test('without captureConsole nothing is rejected after the answer', async () => {
  const { logger, lines } = makeLogger();
  const invoke = makeWorker(lambdaLogged({ logger, captureConsole: false }));
  expect(await unhandledIn(() => invoke())).toEqual([]);
  expect(lines()).toHaveLength(1);
});

test('lines go where the context says, and on to the console if it says so', async () => {
  const { logger, lines } = makeLogger();
  const invoke = makeWorker(lambdaLogged({ logger }));
  const given: string[] = [];
  const sink = (line: string) => void given.push(JSON.parse(line).message);
  for (const passesOn of [false, true]) {
    const context = lambdaContext(lineSinkProperty(Object.assign(sink.bind(null), { passesOn })));
    await invoke(event(), context);
  }
  expect(given).toEqual(['batch done', 'batch done']);
  expect(lines()).toHaveLength(1);
  await invoke();
  expect(lines()).toHaveLength(2);
  expect(given).toHaveLength(2);
});

test.each<[NodeJS.ProcessEnv, string]>([
  [{}, 'service_undefined'],
  [{ AWS_LAMBDA_FUNCTION_NAME: 'resizer' }, 'resizer'],
  [{ AWS_LAMBDA_FUNCTION_NAME: 'resizer', POWERTOOLS_SERVICE_NAME: 'images' }, 'images'],
])('with the environment %j a line of no invocation has the service %s', async (env, service) => {
  Object.assign(process.env, env);
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  let log = () => {};
  const stray = new Promise<void>((resolve) => {
    log = resolve;
  }).then(() => console.info('stray'));
  let running = 0;
  const work = async () => {
    running += 1;
    while (running < 2) await new Promise(setImmediate);
    log();
    await stray;
  };
  const invoke = makeWorker(lambdaLogged({ format: 'json' }), [], work);
  await Promise.all([invoke(event(), lambdaContext({ awsRequestId: 'a' })), invoke()]);
  const lines = write.mock.calls.map(([text]) => JSON.parse(String(text)));
  expect(lines.find(({ message }) => message === 'stray')).toMatchObject({ service });
});
