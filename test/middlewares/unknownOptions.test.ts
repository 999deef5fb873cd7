import { expect, test } from '@jest/globals';
import * as index from '../../middlewares/index.ts';
import { openTelemetryTracing } from '../../middlewares/openTelemetryTracing.ts';

const { fanOut, getChain, memorySink, queued, waitForChain, watchChain } = index;
const task = { task_name: 'work', task_kwargs: {} };
const pointer = 'b#cache/x!1.5.json';
const where = { from: memorySink() };

type Options = Record<string, unknown>;
/** Each function with options, and how it is called with some. */
const calls: Readonly<Record<string, (options: never) => unknown>> = {
  callbackPublisher: index.callbackPublisher,
  cancelChain: (options) => index.cancelChain('c', options),
  cancelTask: (options) => index.cancelTask('default/name', options),
  cancellable: index.cancellable,
  chainEvents: (options: Options) => index.chainEvents({ to: where.from, ...options } as never),
  extendedPayload: index.extendedPayload,
  failurePolicy: index.failurePolicy,
  fanOut: (options: Options) => fanOut([task], { then: 'album', ...options } as never),
  getChain: (options: Options) => getChain('c', { ...where, ...options } as never),
  idempotent: index.idempotent,
  lambdaLogged: index.lambdaLogged,
  memorySink: index.memorySink,
  openTelemetryTracing,
  preloadClients: index.preloadClients,
  queued: (options) => queued(() => 1, options),
  readData: (options) => index.readData(new index.StoredData({ pointer }), options),
  s3Sink: index.s3Sink,
  sendGroup: (options: Options) => index.sendGroup([task], { then: 'album', ...options } as never),
  sendTask: (options) => index.sendTask(task, options),
  sendTasks: (options) => index.sendTasks([task], options),
  stageMiddleware: (options: Options) => index.stageMiddleware({ name: 'a', ...options } as never),
  stepFunctionsTask: index.stepFunctionsTask,
  storeData: (options) => index.storeData(1, options),
  storedDataHydrate: index.storedDataHydrate,
  taskMetrics: index.taskMetrics,
  topicsByDisplayName: index.topicsByDisplayName,
  topicsFromSsm: (options: Options) => index.topicsFromSsm({ prefix: '/topics/', ...options } as never),
  waitForChain: (options: Options) => waitForChain('c', { ...where, ...options } as never),
};

/** The message of the error, thrown or rejected. */
async function refusal(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_OPTION' });
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

test.each(Object.entries(calls))(
  '%s names itself and the option that it does not have',
  async (name, call) => {
    expect(await refusal(() => call({ unknwon: 1 } as never))).toMatch(
      new RegExp(`^${name}: there is no option "unknwon"\\. The options are: `),
    );
  },
);

test('watchChain does so at its first step', async () => {
  const watching = watchChain('c', { ...where, unknwon: 1 } as never);
  expect(await refusal(() => watching.next())).toContain('watchChain: there is no option "unknwon"');
});

/** Values that are refused, with the requirement in the error. */
const wrong: readonly [keyof typeof calls, Options, string][] = [
  [
    'callbackPublisher',
    { ajson: {} },
    'ajson must be a registry such as ajson, which has the method dumps()',
  ],
  ['callbackPublisher', { lingerMillis: -1 }, 'lingerMillis must be a number of milliseconds from 0'],
  ['callbackPublisher', { groupExpiryDays: 1 }, 'groupExpiryDays must be a whole number from 2'],
  ['chainEvents', { waitMillis: -1 }, 'waitMillis must be a number of milliseconds from 0'],
  ['chainEvents', { to: {} }, 'to must be'],
  ['chainEvents', { to: undefined }, 'to is missing'],
  ['idempotent', { ttlSeconds: 0 }, 'ttlSeconds must be a number of seconds above 0'],
  ['idempotent', { leaseSeconds: 0 }, 'leaseSeconds must be a number of seconds from 1'],
  ['lambdaLogged', { logger: {} }, 'logger must be a Powertools Logger, which has the method info()'],
  ['lambdaLogged', { format: 'xml' }, 'format must be json or pretty'],
  ['lambdaLogged', { redact: ['a..b'] }, 'redact must be a list, each item a path'],
  ['lambdaLogged', { redact: [5] }, 'redact must be a list, each item a path'],
  ['readData', { ajson: {} }, 'ajson must be a registry, which has the method rebuildEvent()'],
  ['s3Sink', { lingerMillis: -1 }, 'lingerMillis must be a number of milliseconds from 0'],
  ['s3Sink', { bucket: 'a b' }, 'bucket must be'],
  ['storeData', { bucket: 'a b' }, 'bucket must be'],
  ['storeData', { timestamp: -1 }, 'timestamp must be a number of milliseconds from 0'],
  ['storeData', { ajson: {} }, 'ajson must be a registry, which has the method dumps()'],
  ['storeData', { signal: {} }, 'signal must be an AbortSignal, which has the method throwIfAborted()'],
  ['topicsByDisplayName', { maxAgeSeconds: -1 }, 'maxAgeSeconds must be'],
];

test.each(wrong)('%s refuses %j: %s', async (name, options, reason) => {
  const call = calls[name] as (options: never) => unknown;
  expect(await refusal(() => call(options as never))).toContain(`${name}: ${reason}`);
});

test.each(['a', 'a/b', 'a_b/!c.d-e/f'])('the folder of a sink may be %s', (folder) => {
  expect(() => index.s3Sink({ bucket: 'b', folder })).not.toThrow();
});
