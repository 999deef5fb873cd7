import { describe, expect, test } from '@jest/globals';
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

/** Values of an option that are accepted, and values that are refused. */
type Values = readonly [accepted: readonly unknown[], refused: readonly unknown[]];

const ignore = () => {};
const client: Values = [[{ send: ignore }], [{}, 5, { send: 1 }]];
const bucket: Values = [['a.b-c_1'], ['', 'a b', 'arn:aws:s3:::b', 5]];
const folder: Values = [['a/b'], ['a!b', 'a#b', 5]];
const flag: Values = [
  [true, false],
  ['yes', 0, null],
];
const fromZero: Values = [
  [0, 7],
  [-1, 0.5, '7'],
];
const fromOne: Values = [
  [1, 7],
  [0, 1.5, '7'],
];
const millis: Values = [
  [0, 0.5],
  [-1, Number.NaN, Number.POSITIVE_INFINITY, '7'],
];
const duration: Values = [
  [0.5, Number.POSITIVE_INFINITY],
  [0, -1, Number.NaN, '7'],
];
const text: Values = [['a'], ['', 5]];
const texts: Values = [
  [[], ['a', 'b']],
  ['a', [''], [5], ['a', 5]],
];
const topics: Values = [
  [ignore, { a: 'arn' }],
  ['arn', 5, ['arn'], null],
];
const func: Values = [[ignore], ['x', {}]];
const object: Values = [[{}], ['x', ignore, [], null]];
const arn: Values = [['arn:aws:x'], ['', 'x', ' arn:', 5]];
const chainId: Values = [
  ['a', 'A_1.b:c-d', 'x'.repeat(128)],
  ['', 'a/b', 'x'.repeat(129), 5],
];
const fifoId: Values = [
  ['a', '!~', 'x'.repeat(128)],
  ['', 'a b', 'x'.repeat(129), 5],
];
const sinks: Values = [
  [ignore, { write: ignore }, [ignore, { write: ignore }]],
  [{}, [5], 'x'],
];
const having = (method: string): Values => [[{ [method]: ignore }], [{}, 5, { [method]: 1 }]];
const oneOf = (...values: string[]): Values => [values, ['', 'others', 5]];

const writing = { s3: client, bucket, folder, acl: text };
const reading = {
  s3: client,
  bucket,
  buckets: [
    [[], ['b']],
    ['b', ['a b'], [5]],
  ] as Values,
};
const limits = { maxBytes: fromOne, maxPointers: fromOne, concurrentReads: fromOne };
const sending = {
  topics,
  queues: topics,
  inlineUnder: fromZero,
  maxMessageBytes: fromOne,
  ajson: having('dumps'),
};
const ofTask = {
  functionArn: arn,
  chainId,
  attributes: object,
  groupId: fifoId,
  alsoCallbacks: texts,
  events: sinks,
  tasks: object,
};
const ofGroup = {
  then: text,
  failures: oneOf('wait', 'collect', 'fail'),
  onError: text,
  deadlineSeconds: [
    [1, 1_209_600],
    [0, 1_209_601, '7'],
  ] as Values,
  results: oneOf('values', 'pointers'),
  maxBytes: fromOne,
};
const later = {
  delaySeconds: [
    [0, 900],
    [-1, 901, 0.5, '7'],
  ] as Values,
  at: [
    [new Date(Date.UTC(9999, 11, 31))],
    [new Date(Date.UTC(10_000, 0)), new Date(Number.NaN), 5],
  ] as Values,
  schedule: object,
  scheduler: client,
};
const sendTask = {
  ...writing,
  ...sending,
  ...ofTask,
  ...later,
  sns: client,
  sqs: client,
  extendedPayload: flag,
  tracing: having('send'),
  onError: text,
};
const signal = having('addEventListener');

const values: Readonly<Record<string, Readonly<Record<string, Values>>>> = {
  callbackPublisher: {
    ...writing,
    ...sending,
    sns: client,
    sqs: client,
    groupExpiryDays: [[2], [1, 2.5, '7']],
    lingerMillis: millis,
    maxReceiveCount: fromOne,
  },
  cancelChain: {
    s3: client,
    bucket,
    folder,
    reason: [
      ['', 'x'.repeat(1000)],
      ['x'.repeat(1001), [], 5],
    ],
  },
  cancelTask: { scheduler: client },
  cancellable: { s3: client, bucket, folder, whenUnknown: oneOf('fail', 'run') },
  chainEvents: { to: sinks, waitMillis: millis, maxReceiveCount: fromOne, stacks: flag },
  extendedPayload: {
    ...reading,
    bucket: [
      ['b', 'arn:aws:s3:::b'],
      ['', 5],
    ],
    buckets: [
      [[], ['arn:aws:s3:::b']],
      ['b', ['']],
    ],
    keys: [[/x/], ['x', {}]],
    maxBytes: fromOne,
  },
  failurePolicy: {
    sqs: client,
    deadLetterQueue: [
      ['https://q', 'http://q', ignore],
      ['q', ' https://q', 5],
    ],
    backoff: [
      [false, {}, [5, 0.5, 42_000]],
      [true, 'x', null, [], [-1], [42_001], ['7']],
    ],
    isFinal: func,
    maxReceiveCount: fromOne,
  },
  fanOut: { ...ofGroup, tasks: object },
  getChain: { from: having('open'), signal },
  idempotent: {
    s3: client,
    bucket,
    folder,
    key: func,
    payload: func,
    ttlSeconds: duration,
    leaseSeconds: [
      [1, 1.5],
      [0.5, '7'],
    ],
    maxBytes: fromOne,
    ajson: having('loads'),
  },
  lambdaLogged: {
    logger: having('info'),
    captureConsole: flag,
    logEvent: flag,
    redact: [
      [[], ['a.b', 'task_kwargs.card']],
      ['a', ['a..b'], [''], [5], ['a', '.']],
    ],
    format: oneOf('json', 'pretty'),
    tracing: having('start'),
  },
  memorySink: { maxEvents: fromOne },
  openTelemetryTracing: { tracer: having('startSpan') },
  preloadClients: { s3: flag, sns: flag },
  queued: {
    concurrency: fromOne,
    reserveMillis: millis,
    rebuild: having('rebuildEvent'),
    throwOnFullBatchFailure: flag,
  },
  readData: { ...reading, ...limits, ajson: having('rebuildEvent'), signal: having('throwIfAborted') },
  s3Sink: {
    ...writing,
    folder: [
      ['a', 'a/b', 'a_b/!c.d-e/f'],
      ['', '/a', 'a/', '.a', 'a//b', 'a/.b', 'a b', 5],
    ],
    lingerMillis: millis,
  },
  sendGroup: { ...writing, ...sending, ...ofTask, ...ofGroup, sns: client, sqs: client },
  sendTask: { ...sendTask, deduplicationId: fifoId },
  sendTasks: sendTask,
  stageMiddleware: {
    name: text,
    order: [[{ at: 'observe' }], ['x', {}, { at: 'x' }]],
    around: func,
    open: func,
    passive: flag,
    anyEvent: flag,
    always: flag,
    twice: text,
  },
  stepFunctionsTask: { sfn: client, heartbeatSeconds: duration, ajson: having('dumps') },
  storeData: {
    ...writing,
    name: text,
    timestamp: millis,
    fullUnpack: flag,
    safeMode: flag,
    ajson: having('dumps'),
    signal: having('throwIfAborted'),
  },
  storedDataHydrate: { ...reading, ...limits },
  taskMetrics: { namespace: text, serviceName: text, tasks: texts, maxTasks: fromZero },
  topicsByDisplayName: { sns: client, maxAgeSeconds: millis },
  topicsFromSsm: { ssm: client, prefix: [['', '/a/'], [5]], maxAgeSeconds: millis },
  waitForChain: { from: having('open'), signal, pollSeconds: duration, timeoutSeconds: duration },
};

describe.each(Object.entries(calls))('%s', (name, call) => {
  const options = Object.entries(values[name] ?? {});

  test('has values here for each of its options', async () => {
    const [, listed = ''] = (await refusal(() => call({ unknwon: 1 } as never))).split('The options are: ');
    expect(options.map(([option]) => option).sort()).toEqual(listed.slice(0, -1).split(', ').sort());
  });

  test.each(options)('checks %s', async (option, [accepted, refused]) => {
    for (const value of accepted) {
      // The options are checked in their order, so that the second is only reached if the first is accepted.
      const message = await refusal(() => call({ [option]: value, unknwon: 1 } as never));
      expect(message).toContain('there is no option "unknwon"');
    }
    const [, unit] = /(millis|seconds)$/i.exec(option) ?? [];
    for (const value of refused) {
      const message = await refusal(() => call({ [option]: value } as never));
      expect(message).toMatch(new RegExp(`^${name}: ${option} must be .+, not `));
      if (unit) expect(message).toMatch(new RegExp(`must be a (number of ${unit}|whole number)`, 'i'));
    }
  });
});

test('a bucket of the environment is checked when it is needed, by the function that needs it', async () => {
  const needing: Readonly<Record<string, () => unknown>> = {
    cancelChain: () => index.cancelChain('c'),
    s3Sink: () => index.s3Sink().open('c'),
    storeData: () => index.storeData(1),
  };
  process.env.ALGERNON_BUCKET_NAME = 'arn:aws:s3:::b';
  try {
    for (const [name, call] of Object.entries(needing)) {
      expect(await refusal(call)).toContain(`${name}: bucket must be the name of a bucket`);
    }
    const write = () => index.s3Sink().write([{ chainId: 'c' }] as never, {} as never);
    expect(await refusal(write)).toContain('s3Sink: bucket must be');
  } finally {
    delete process.env.ALGERNON_BUCKET_NAME;
  }
});

test.each(['', 'a/b', 'x'.repeat(129), 5, undefined])('%j is not the id of a chain', async (id) => {
  const chainId = id as string;
  const calls = {
    cancelChain: () => index.cancelChain(chainId, { bucket: 'b' }),
    getChain: () => getChain(chainId, where),
    waitForChain: () => waitForChain(chainId, where),
    watchChain: () => watchChain(chainId, where).next(),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(await refusal(call)).toMatch(new RegExp(`^${name}: (chainId|the chain id) must be `));
  }
});

test('an error of an option says what the option needs', async () => {
  const required: readonly [keyof typeof calls, Options, string][] = [
    ['callbackPublisher', { ajson: {} }, 'a registry such as ajson, which has the method dumps()'],
    ['callbackPublisher', { lingerMillis: -1 }, 'a number of milliseconds from 0'],
    ['callbackPublisher', { groupExpiryDays: 1 }, 'a whole number from 2'],
    ['chainEvents', { waitMillis: -1 }, 'a number of milliseconds from 0'],
    ['idempotent', { ttlSeconds: 0 }, 'a number of seconds above 0'],
    ['idempotent', { leaseSeconds: 0 }, 'a number of seconds from 1'],
    ['lambdaLogged', { logger: {} }, 'a Powertools Logger, which has the method info()'],
    ['lambdaLogged', { format: 'xml' }, 'json or pretty'],
    ['lambdaLogged', { redact: ['a..b'] }, 'a list, each item a path'],
    ['lambdaLogged', { redact: [5] }, 'a list, each item a path'],
    ['readData', { ajson: {} }, 'a registry, which has the method rebuildEvent()'],
    ['s3Sink', { lingerMillis: -1 }, 'a number of milliseconds from 0'],
    ['storeData', { timestamp: -1 }, 'a number of milliseconds from 0'],
    ['storeData', { ajson: {} }, 'a registry, which has the method dumps()'],
    ['storeData', { signal: {} }, 'an AbortSignal, which has the method throwIfAborted()'],
  ];
  for (const [name, options, requirement] of required) {
    const [option] = Object.keys(options);
    const call = calls[name] as (options: Options) => unknown;
    expect(await refusal(() => call(options))).toContain(`${name}: ${option} must be ${requirement}`);
  }
  expect(await refusal(() => index.chainEvents({ to: undefined } as never))).toContain('to is missing');
});
