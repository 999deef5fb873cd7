import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BuildOptions, build } from 'esbuild';
import { codeBlocks } from './support/codeBlocks.ts';
import { runScript } from './support/runScript.ts';

const root = new URL('..', import.meta.url).pathname;
const { peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
// README's install line names this one.
const inReadme = '@middy/sqs-partial-batch-failure';
const optionalPeers = Object.keys(peerDependenciesMeta).filter((name) => name !== inReadme);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'algernon-bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ownEntries = {
  'algernon-middy/core': join(root, 'dist/modules/core/index.js'),
  'algernon-middy/middlewares/storedDataHydrate': join(root, 'dist/modules/middlewares/storedDataHydrate.js'),
  'algernon-middy/middlewares/readData': join(root, 'dist/modules/middlewares/readData.js'),
  'algernon-middy/middlewares/storeData': join(root, 'dist/modules/middlewares/storeData.js'),
  'algernon-middy': join(root, 'dist/modules/middlewares/index.js'),
};

/** Bundles the build as a project without the optional peers would. */
async function bundle(code: string, options: BuildOptions): Promise<string> {
  const outfile = join(folder, 'worker.cjs');
  await build({
    stdin: { contents: code, loader: 'ts', resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    alias: {
      ...ownEntries,
      ...Object.fromEntries(optionalPeers.map((name) => [name, './not-installed'])),
    },
    logLevel: 'silent',
    outfile,
    ...options,
  });
  return outfile;
}

const evaluate = (script: string) => runScript(script, 'commonjs').trim();

test("the README's worker can be bundled and loaded without the optional peers", async () => {
  expect(optionalPeers).toContain('@aws-sdk/client-ssm');
  const worker = await bundle(codeBlocks('README.md')[0]?.code ?? '', {});
  expect(evaluate(`console.log(typeof require(${JSON.stringify(worker)}).handler)`)).toBe('function');
});

test("a minifier keeps the wire name of the docs' class, and small integers", async () => {
  const sample = codeBlocks('docs/ajson.md').find(({ code }) => code.includes('class Order '))?.code;
  const small =
    'export const wire = ajson.dumps(new Order(42n, new Date(0))); export const { id } = ajson.loads(wire);';
  const file = await bundle(`${sample}\n${small}`, {});
  const seen = evaluate(`const { wire, id } = require(${JSON.stringify(file)}); console.log(wire, id)`);
  expect(seen).toBe(
    '{"_alg_class":"Order","_alg_module":"shop.models","value":{"id":42,"placedAt":{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":0}}}} 42n',
  );
});

describe('a StoredData is known to every registry, whatever is imported beside it', () => {
  const pointer = 'bucket#cache/image!1565012856.447.json';
  const wire = `{"_alg_class":"StoredData","_alg_module":"algernon.aws.snakes","value":{"pointer":"${pointer}"}}`;
  const client = (body: string) =>
    `{ send: async () => ({ ContentLength: ${body.length}, Body: [new TextEncoder().encode(${JSON.stringify(body)})] }) }`;
  const s3 = client('{"data_string":{"size":1},"full_unpack":false,"safe_mode":false}');

  const combinations: [name: string, code: string][] = [
    [
      'ajson alone reads and writes it',
      `import { ajson } from 'algernon-middy/core';
       export const written = async () => ajson.dumps(ajson.loads(${JSON.stringify(wire)}));`,
    ],
    [
      'StoredData and the shared ajson',
      `import { ajson, StoredData } from 'algernon-middy/core';
       export const written = async () => ajson.dumps(new StoredData({ pointer: '${pointer}' }));`,
    ],
    [
      'StoredData and a separate registry',
      `import { createAjson, StoredData } from 'algernon-middy/core';
       export const written = async () => createAjson().dumps(new StoredData({ pointer: '${pointer}' }));`,
    ],
    [
      'StoredData registered by hand, as separate registries needed once',
      `import { createAjson, StoredData } from 'algernon-middy/core';
       const shop = createAjson();
       shop.register(StoredData, { name: 'StoredData', module: 'algernon.aws.snakes' });
       export const written = async () => shop.dumps(new StoredData({ pointer: '${pointer}' }));`,
    ],
    [
      'one that storedDataHydrate read, written by the ajson of core',
      `import middy from '@middy/core';
       import { ajson } from 'algernon-middy/core';
       import { storedDataHydrate } from 'algernon-middy/middlewares/storedDataHydrate';
       const handler = middy(async ({ task_kwargs }) => ajson.dumps(task_kwargs.image))
         .use(storedDataHydrate({ s3: ${s3}, bucket: 'bucket' }));
       export const written = () => handler({ task_name: 'show', task_kwargs: { image: ${wire} } }, {});`,
    ],
    [
      'one that storeData made, written by the ajson of the whole package',
      `import { ajson } from 'algernon-middy';
       import { storeData } from 'algernon-middy/middlewares/storeData';
       const options = { s3: ${s3}, bucket: 'bucket', name: 'image', timestamp: 1565012856447 };
       export const written = async () => ajson.dumps(await storeData({ size: 1 }, options));`,
    ],
  ];

  test.each(combinations)('%s', async (_, code) => {
    const file = await bundle(code, {});
    expect(evaluate(`require(${JSON.stringify(file)}).written().then(console.log)`)).toBe(wire);
  });

  test('a worker that passes it on stores nothing, and sends its pointer', async () => {
    const worker = `
      import middy from '@middy/core';
      import { callbackPublisher, queued, sqsSnsUnwrap } from 'algernon-middy';
      import { storedDataHydrate } from 'algernon-middy/middlewares/storedDataHydrate';
      const calls = [];
      const sns = { send: async (command) => (calls.push(command), { Successful: [{ Id: '0', MessageId: 'm' }], Failed: [] }) };
      const handler = middy(queued(async ({ task_kwargs }) => ({ kept: [task_kwargs.image] })))
        .use(sqsSnsUnwrap())
        .use(storedDataHydrate({ s3: ${s3}, bucket: 'bucket' }))
        .use(callbackPublisher({ s3: ${s3}, sns, bucket: 'bucket', inlineUnder: 1000, topics: { b: 'arn:aws:sns:eu-west-1:1:b' } }));
      const task = { task_name: 'a', task_kwargs: { image: ${wire} }, callback: 'b' };
      const record = { messageId: 'm', eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:eu-west-1:1:a',
        receiptHandle: 'r', body: JSON.stringify({ Type: 'Notification', MessageId: 'm', TopicArn: 'arn:aws:sns:eu-west-1:1:a', Message: JSON.stringify(task) }),
        attributes: { SentTimestamp: '1' }, messageAttributes: {} };
      export const written = async () => {
        const [outcome] = await handler({ Records: [record] }, { getRemainingTimeInMillis: () => 30_000, invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:a', awsRequestId: 'r' });
        if (outcome.status !== 'fulfilled') throw outcome.reason;
        return calls[0].input.PublishBatchRequestEntries[0].Message;
      };`;
    const file = await bundle(worker, {});
    expect(evaluate(`require(${JSON.stringify(file)}).written().then(console.log)`)).toBe(
      `{"task_name":"b","task_kwargs":{"kept":[${wire}]}}`,
    );
  });
});

test('storedDataHydrate alone carries nothing that writes ajson', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'middlewares/storedDataHydrate.ts')],
    bundle: true,
    packages: 'external',
    format: 'esm',
    write: false,
  });
  const files = [...(outputFiles[0]?.text ?? '').matchAll(/^\/\/ .*?((?:core|middlewares)\/\S+)$/gm)].map(
    ([, file]) => file,
  );
  expect(files).toContain('core/storedData/hydrate.ts');
  for (const file of ['write', 'codecs', 'registry']) expect(files).not.toContain(`core/ajson/${file}.ts`);
});

describe('a worker that returns fanOut, with the groups in an import()', () => {
  const worker = `
    import middy from '@middy/core';
    import { callbackPublisher, fanOut, queued, sqsSnsUnwrap } from 'algernon-middy';
    const objects = new Map();
    const fault = (name) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 404 } });
    const s3 = {
      async send({ constructor, input: { Key, Body } }) {
        if (constructor.name.startsWith('Put')) return objects.set(Key, Body), { ETag: 'v' };
        throw fault('NoSuchKey');
      },
    };
    const sent = [];
    const sns = {
      async send({ input }) {
        const entries = input.PublishBatchRequestEntries;
        sent.push(...entries.map(({ Message }) => JSON.parse(Message).callback));
        return { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] };
      },
    };
    const topics = (task) => 'arn:aws:sns:eu-west-1:1:' + task;
    const split = () => fanOut([{ task_name: 'b' }, { task_name: 'b' }], { then: 'c' });
    const handler = middy(queued(split)).use(sqsSnsUnwrap()).use(callbackPublisher({ s3, sns, bucket: 'b', topics }));
    const record = { messageId: 'm', eventSource: 'aws:sqs', eventSourceARN: topics('a').replace('sns', 'sqs'),
      receiptHandle: 'r', body: JSON.stringify({ task_name: 'a' }), attributes: { SentTimestamp: '1' }, messageAttributes: {} };
    export const run = async () => {
      const [outcome] = await handler({ Records: [record] }, { getRemainingTimeInMillis: () => 30_000, invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:a', awsRequestId: 'r' });
      if (outcome.status !== 'fulfilled') throw outcome.reason;
      return sent.map((callback) => callback.replace(/[0-9A-Za-z]{21}/, 'ID')).join();
    };`;
  const expected = 'gather#g-ID-0-of-2,gather#g-ID-1-of-2';

  test('sends its branches from one file', async () => {
    const file = await bundle(worker, { minify: false });
    expect(evaluate(`require(${JSON.stringify(file)}).run().then(console.log)`)).toBe(expected);
  });

  test('sends its branches from split files, of which the first does not have the groups', async () => {
    const { entry, sources } = await split(worker);
    expect(sources).toContain('callbackPublisher');
    for (const name of ['plan', 'joinGroup', 'workerGroups', 'awsGroups', 'sqsQueues']) {
      expect(sources).not.toContain(name);
    }
    const script = `import(${JSON.stringify(entry)}).then(({ run }) => run()).then(console.log)`;
    expect(evaluate(script)).toBe(expected);
  });
});

test("the README's worker, split, starts without the code that sends callbacks or follows pointers", async () => {
  const { sources } = await split(codeBlocks('README.md')[0]?.code ?? '');
  expect(sources).toContain('callbackPublisher');
  expect(sources).toContain('storedDataHydrate');
  const late = ['openSender', 'snsPublisher', 'snsMessage', 'sharedAjson', 'write', 'openHydrate', 'hydrate'];
  late.push('s3Reader', 'plan');
  // These are exported beside the middlewares, and late code uses them.
  late.push('Decimal', 'StoredData', 'PublishError');
  for (const name of late) expect(sources).not.toContain(name);
});

describe('a direct invocation', () => {
  const worker = `
    import middy from '@middy/core';
    import { endChain, queued, sqsSnsUnwrap, stageMiddleware } from 'algernon-middy';
    const doubled = stageMiddleware({
      name: 'doubled',
      async around(run, next) { await next(); run.result = run.result * 2; },
    });
    const handler = middy(queued(({ task_kwargs: { n } }) => { if (n > 9) throw endChain(n); return n; }))
      .use(sqsSnsUnwrap())
      .use(doubled);
    export const run = () => Promise.all([1, 10].map((n) => handler({ task_name: 'a', task_kwargs: { n } }, {})));`;

  test('runs from one file, minified or not', async () => {
    for (const minify of [true, false]) {
      const file = await bundle(worker, { minify });
      expect(evaluate(`require(${JSON.stringify(file)}).run().then(String).then(console.log)`)).toBe('2,20');
    }
  });

  test('runs from split files', async () => {
    const { entry } = await split(worker);
    const script = `import(${JSON.stringify(entry)}).then(({ run }) => run()).then(String).then(console.log)`;
    expect(evaluate(script)).toBe('2,20');
  });
});

/** Bundles code into split files. Returns the first file, and the names of the sources in what its import loads. */
async function split(contents: string): Promise<{ entry: string; sources: string[] }> {
  const {
    metafile: { outputs },
  } = await build({
    stdin: { contents, loader: 'ts', resolveDir: root },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    alias: {
      ...ownEntries,
      ...Object.fromEntries(optionalPeers.map((name) => [name, './not-installed'])),
    },
    logLevel: 'silent',
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    outExtension: { '.js': '.mjs' },
    outdir: mkdtempSync(join(folder, 'split-')),
    metafile: true,
  });
  const entry = Object.keys(outputs).find((path) => path.endsWith('stdin.mjs')) ?? '';
  const files = new Set([entry]);
  for (const file of files) {
    for (const { kind, path } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && path in outputs) files.add(path);
    }
  }
  const inputs = [...files].flatMap((file) => Object.entries(outputs[file]?.inputs ?? {}));
  const sources = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => basename(path).replace(/\.[jt]s$/, ''));
  return { entry: join(process.cwd(), entry), sources };
}
