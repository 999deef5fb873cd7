import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  chainEvents,
  lambdaLogged,
  memorySink,
  OptionError,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  type TaskMetricsOptions,
  taskMetrics,
} from '../../middlewares/index.ts';
import { runNode, withoutPackage } from '../local/tools.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { silentLogger } from '../support/silentLogger.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let lines: string[];
beforeEach(() => {
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const functions = {
  load: () => {},
  fail: () => {
    throw new Error('no');
  },
};

/** Makes an invocation, which resolves to its metrics by the name of the task. */
function makeWorker(
  options: TaskMetricsOptions = {},
  { handler = routeTasks(functions), more = [] as MiddlewareObj[] } = {},
) {
  const stack = [
    taskMetrics(options),
    sqsPartialBatchFailure({ logger: () => {} }),
    sqsSnsUnwrap() as MiddlewareObj,
    ...more,
  ];
  const worker = stack.reduce(
    (all, one) => all.use(one) as typeof all,
    middy(queued(handler as never)) as unknown as ReturnType<typeof middy>,
  );
  return async (...Records: unknown[]) => {
    lines = [];
    await worker({ Records }, lambdaContext());
    return Object.fromEntries(lines.map((line) => JSON.parse(line)).map((line) => [line.task_name, line]));
  };
}

const receivedTwice = (task_name: string) => {
  const record = sqsRecord({ task_name });
  return { ...record, attributes: { ...record.attributes, ApproximateReceiveCount: '2' } };
};

test('each task of a batch is one line with its duration, age, failures and attempts', async () => {
  const invoke = makeWorker({ namespace: 'images', serviceName: 'resizer' });
  const metrics = await invoke(
    sqsRecord({ task_name: 'load' }),
    receivedTwice('load'),
    sqsRecord({ task_name: 'fail' }),
  );
  expect(Object.keys(metrics)).toEqual(['load', 'fail']);
  expect(metrics.load).toMatchObject({
    service: 'resizer',
    TaskDuration: [expect.any(Number), expect.any(Number)],
    TaskAge: [expect.any(Number), expect.any(Number)],
    TaskFailures: [0, 0],
    TaskAttempts: [1, 2],
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: 'images',
          Dimensions: [['service', 'task_name']],
          Metrics: [
            { Name: 'TaskDuration', Unit: 'Milliseconds' },
            { Name: 'TaskAge', Unit: 'Milliseconds' },
            { Name: 'TaskFailures', Unit: 'Count' },
            { Name: 'TaskAttempts', Unit: 'Count' },
          ],
        },
      ],
    },
  });
  expect(metrics.fail).toMatchObject({ TaskFailures: 1, TaskAttempts: 1 });
});

test('names in messages do not make dimensions: unknown tasks are one, and others beyond the limit too', async () => {
  const invoke = makeWorker();
  const hostile = Array.from({ length: 100 }, (_, index) => sqsRecord({ task_name: `evil-${index}` }));
  const metrics = await invoke(
    sqsRecord({ task_name: 'load' }),
    sqsRecord('not JSON'),
    sqsRecord('[]'),
    ...hostile,
  );
  expect(Object.keys(metrics).sort()).toEqual(['load', 'unknown']);

  const anything = makeWorker({ maxTasks: 3 }, { handler: (() => {}) as never });
  expect(Object.keys(await anything(...hostile, sqsRecord({ task_name: 'ä {}' }))).sort()).toEqual([
    ...['evil-0', 'evil-1', 'evil-2'],
    ...['other', 'unknown'],
  ]);

  const listed = makeWorker({ tasks: ['load'] }, { handler: (() => {}) as never });
  expect(Object.keys(await listed(...hostile, sqsRecord({ task_name: 'load' }))).sort()).toEqual([
    'load',
    'other',
  ]);
});

test('more than 100 values, where Powertools starts a new line, keep their dimension', async () => {
  const invoke = makeWorker();
  await invoke(...Array.from({ length: 250 }, () => sqsRecord({ task_name: 'load' })));
  const parsed = lines.map((line) => JSON.parse(line));
  expect(new Set(parsed.map(({ task_name }) => task_name))).toEqual(new Set(['load']));
  expect(parsed.flatMap(({ TaskAttempts = [] }) => TaskAttempts)).toHaveLength(250);
});

test('a batch of which nothing ran writes nothing', async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  expect(await makeWorker()()).toEqual({});
  expect(console.warn).not.toHaveBeenCalled();
});

test.each([24, 25, 26, 50])('%i tasks of one name are written without a warning', async (count) => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  await makeWorker()(...Array.from({ length: count }, () => sqsRecord({ task_name: 'load' })));
  expect(warn).not.toHaveBeenCalled();
});

test.each<[NodeJS.ProcessEnv, string, string]>([
  [{}, 'algernon-middy', 'service_undefined'],
  [{ AWS_LAMBDA_FUNCTION_NAME: 'resizer' }, 'algernon-middy', 'resizer'],
  [{ AWS_LAMBDA_FUNCTION_NAME: 'resizer', POWERTOOLS_SERVICE_NAME: 'images' }, 'algernon-middy', 'images'],
  [{ POWERTOOLS_METRICS_NAMESPACE: 'shop', POWERTOOLS_SERVICE_NAME: '' }, 'shop', 'service_undefined'],
  [{ POWERTOOLS_METRICS_NAMESPACE: '' }, 'algernon-middy', 'service_undefined'],
])('by default namespace and service are those of the environment: %j', async (env, namespace, service) => {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    const { load } = await makeWorker()(sqsRecord({ task_name: 'load' }));
    expect(load).toMatchObject({ service, _aws: { CloudWatchMetrics: [{ Namespace: namespace }] } });
  } finally {
    process.env = before;
  }
});

test('the age of a message is never negative, and is left out when nothing tells it', async () => {
  const sent = (millisAgo?: number) => {
    const { attributes, ...record } = sqsRecord({ task_name: 'load' }, { raw: true });
    const { SentTimestamp: _, ...others } = attributes;
    const SentTimestamp = millisAgo !== undefined && { SentTimestamp: String(Date.now() - millisAgo) };
    return { ...record, attributes: { ...others, ...SentTimestamp } };
  };
  const ageOf = async (record: unknown) => (await makeWorker()(record)).load.TaskAge;
  expect(await ageOf(sent(-3_600_000))).toBe(0);
  const age = await ageOf(sent(5000));
  expect(age).toBeGreaterThanOrEqual(5000);
  expect(age).toBeLessThan(3_600_000);
  expect(await ageOf(sent())).toBeUndefined();
});

test('a loop of your own needs no runTask for it', async () => {
  const answer = { batchItemFailures: [] };
  const handler = middy(async () => answer).use(taskMetrics());
  expect(await handler({ Records: [sqsRecord({ task_name: 'load' })] }, lambdaContext())).toEqual(answer);
});

test('without its package, tasks run and a warning says what to install, until it is there', async () => {
  const { output } = await runNode(`
    ${withoutPackage('@aws-lambda-powertools/metrics')}
    const { default: middy } = await import('@middy/core');
    const { queued, sqsSnsUnwrap, taskMetrics } = await import('./middlewares/index.ts');
    const handler = middy(queued(() => {})).use(taskMetrics()).use(sqsSnsUnwrap());
    const invoke = () => handler({ Records: [${JSON.stringify(sqsRecord({ task_name: 'load' }))}] }, {});
    await invoke();
    missing = undefined;
    await invoke();`);
  expect(output).toContain(
    'taskMetrics needs @aws-lambda-powertools/metrics: npm install @aws-lambda-powertools/metrics',
  );
  const metrics = output.split('\n').filter((line) => line.startsWith('{"'));
  expect(metrics.map((line) => JSON.parse(line))).toMatchObject([{ task_name: 'load', TaskFailures: 0 }]);
});

test('beside chainEvents and lambdaLogged each fact is gathered once', async () => {
  const events = memorySink();
  const more = [chainEvents({ to: events }), lambdaLogged({ logger: silentLogger() })];
  const metrics = await makeWorker({}, { more })(sqsRecord({ task_name: 'load' }));
  expect(metrics.load).toMatchObject({ TaskFailures: 0 });
  const ended = events.events().find(({ type }) => type === 'succeeded');
  expect(metrics.load.TaskDuration).toBe(ended?.type === 'succeeded' && ended.durationMillis);
  expect(events.events()).toHaveLength(3);
});

test('options with bad values are refused', () => {
  for (const options of [{ tasks: ['a b'] }, { maxTasks: -1 }, { namespace: '' }, { metrics: {} }]) {
    expect(() => taskMetrics(options as never)).toThrow(OptionError);
  }
});
