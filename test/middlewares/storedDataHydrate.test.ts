import { runInNewContext } from 'node:vm';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { OptionError } from '../../core/errors.ts';
import { ajson, queued, StoredData, type Task } from '../../core/index.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { NotConfiguredError } from '../../middlewares/aws/environment.ts';
import { sqsSnsUnwrap } from '../../middlewares/sqsSnsUnwrap.ts';
import { type StoredDataHydrateOptions, storedDataHydrate } from '../../middlewares/storedDataHydrate.ts';
import { runNode } from '../local/tools.ts';
import { type FaultyClients, faultyClients } from '../support/faultyClients.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
  delete process.env.ALGERNON_BUCKET_NAME;
});

const wrap = (value: object) => ({ _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value });
const pointerTo = (name: string) => `${aws.bucket}#cache/${name}!1.5.json`;
const tag = (name: string) => wrap({ pointer: pointerTo(name) });
const store = async (name: string, body: string) => {
  await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: `cache/${name}!1.5.json`, Body: body }));
};
const storeValue = (name: string, value: string) =>
  store(name, `{"data_string":${value},"full_unpack":true,"safe_mode":false}`);

/** The arguments that the task's function gets. */
async function hydrate(
  task_kwargs: unknown,
  options: StoredDataHydrateOptions = {},
  { direct = false } = {},
) {
  const clients = faultyClients(aws, () => undefined);
  opened.push(clients);
  const { s3, attempts } = clients;
  let task: Task | undefined;
  const handler = middy(
    queued((received: Task) => {
      task = received;
    }),
  )
    .use(storedDataHydrate({ s3, bucket: aws.bucket, ...options }))
    .use(sqsSnsUnwrap());
  const message = { task_name: 'work', task_kwargs };
  const event = direct ? message : { Records: [sqsRecord(message)] };
  const settled = (await handler(event as never, lambdaContext())) as SettledBatch<unknown>;
  const [outcome] = direct ? [] : settled;
  if (outcome?.status === 'rejected') throw outcome.reason;
  return { kwargs: task?.task_kwargs as unknown, reads: attempts.length, task };
}

describe('the search for a pointer', () => {
  const nest = (value: unknown, levels: number): unknown =>
    levels === 0 ? value : { in: nest(value, levels - 1) };
  const innermost = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'in' in value ? innermost(value.in) : value;

  test.each([1, 98, 99, 100, 101, 102, 300])('finds one %i levels deep', async (levels) => {
    await storeValue('deep', '"found"');
    const { kwargs, reads } = await hydrate(nest(tag('deep'), levels));
    expect([innermost(kwargs), reads]).toEqual(['found', 1]);
  });

  test('finds one after many values without, in lists too', async () => {
    await storeValue('last', '"found"');
    const { kwargs } = await hydrate({ a: [1, null, { b: 'x' }], c: [[], [tag('last')]] });
    expect(kwargs).toEqual({ a: [1, null, { b: 'x' }], c: [[], ['found']] });
  });

  test('passes on objects that are not JSON, with a pointer beside them', async () => {
    await storeValue('beside', '"found"');
    const at = new Date(0);
    const { kwargs } = await hydrate({ at, stored: tag('beside') }, {}, { direct: true });
    expect(kwargs).toEqual({ at, stored: 'found' });
    expect((await hydrate({ at }, {}, { direct: true })).kwargs).toEqual({ at });
  });

  test('loads the code that follows pointers for a value that may have some, and for no other', async () => {
    const loadsFor = async (values: string) => {
      const { output } = await runNode(`
        import { registerHooks } from 'node:module';
        let loaded = false;
        registerHooks({ resolve(name, context, next) { loaded ||= name.includes('openHydrate'); return next(name, context); } });
        const { default: middy } = await import('@middy/core');
        const { queued } = await import('./core/batch/queued.ts');
        const { storedDataHydrate } = await import('./middlewares/storedDataHydrate.ts');
        const handler = middy(queued(() => {})).use(storedDataHydrate({ bucket: 'b' }));
        const nest = (levels) => levels === 0 ? {} : { in: [nest(levels - 1)] };
        for (const task_kwargs of [${values}]) {
          await handler({ task_name: 'work', task_kwargs }, { awsRequestId: 'id' });
          console.log(loaded);
        }`);
      return output.trim().split('\n');
    };
    const without = [
      '{}',
      '{ a: [1, null, "x", [], [null, {}], { b: { c: "x" } }] }',
      '{ a: { _alg_class: "set", value: [] } }',
      '{ a: { b: "StoredData" } }',
      '{ a: [[{ _alg_class: { b: "StoredData" } }]] }',
      'Object.create(null)',
      'nest(50)',
    ];
    expect(await loadsFor(without.join())).toEqual(without.map(() => 'false'));
    expect(await loadsFor('{}, { in: nest(50) }')).toEqual(['false', 'true']);
    expect(await loadsFor('{}, { a: new Date() }')).toEqual(['false', 'true']);
  });
});

describe('pointers', () => {
  test('in objects of another realm are replaced too, since ajson treats those as plain', async () => {
    await storeValue('first', '{"a":1}');
    const foreign = runInNewContext('JSON.parse(text)', { text: JSON.stringify({ deep: [tag('first')] }) });
    expect(Object.getPrototypeOf(foreign)).not.toBe(Object.prototype);
    expect((await hydrate(foreign, {}, { direct: true })).kwargs).toEqual({ deep: [{ a: 1 }] });
  });

  test('are replaced by their values at any depth of arrays and objects', async () => {
    await storeValue('first', '{"a":1}');
    await storeValue('two', '"text"');
    await storeValue('empty', 'null');
    const { kwargs } = await hydrate({
      list: [tag('first'), [tag('two')], 3],
      deep: { deeper: { deepest: tag('empty') } },
      plain: { b: 2 },
    });
    expect(kwargs).toEqual({
      list: [{ a: 1 }, ['text'], 3],
      deep: { deeper: { deepest: null } },
      plain: { b: 2 },
    });
  });

  test('may be all of the arguments', async () => {
    await storeValue('all', '{"a":1}');
    expect((await hydrate(tag('all'))).kwargs).toEqual({ a: 1 });
  });

  test('to the same object read it once', async () => {
    await storeValue('shared', '{"a":1}');
    const { kwargs, reads } = await hydrate({ x: tag('shared'), y: [tag('shared')] });
    expect({ kwargs, reads }).toEqual({ kwargs: { x: { a: 1 }, y: [{ a: 1 }] }, reads: 1 });
  });

  test('over maxPointers fail the record', async () => {
    await storeValue('many', '1');
    const both = { first: tag('many'), second: tag('many') };
    await expect(hydrate(both, { maxPointers: 1 })).rejects.toMatchObject({
      code: 'TOO_MANY_POINTERS',
      path: '$.task_kwargs.second',
    });
    const { kwargs } = await hydrate(both, { maxPointers: 2, concurrentReads: 1 });
    expect(kwargs).toEqual({ first: 1, second: 1 });
  });

  test('in a stored value are followed', async () => {
    await storeValue('inner', '[1,2]');
    await storeValue('outer', JSON.stringify({ inner: tag('inner') }));
    expect((await hydrate({ outer: tag('outer') })).kwargs).toEqual({ outer: { inner: [1, 2] } });
  });

  test('in the form of Python’s object fields are recognised', async () => {
    await storeValue('python', '7');
    expect((await hydrate({ n: wrap({ _pointer: pointerTo('python') }) })).kwargs).toEqual({ n: 7 });
  });

  test('inside other tags are replaced too', async () => {
    await storeValue('inTag', '1');
    expect((await hydrate({ tuple: { _alg_class: 'tuple', value: [tag('inTag')] } })).kwargs).toEqual({
      tuple: { _alg_class: 'tuple', value: [1] },
    });
  });

  test('that are missing leave the arguments unchanged', async () => {
    const kwargs = { a: [1, { b: null }], StoredData: { pointer: 'x' } };
    expect(await hydrate(kwargs)).toMatchObject({ kwargs, reads: 0 });
    expect(await hydrate(undefined)).toMatchObject({ kwargs: undefined, reads: 0 });
    expect(await hydrate(null)).toMatchObject({ kwargs: null, reads: 0 });
  });
});

describe('a value', () => {
  test('keeps its tags and every digit', async () => {
    await storeValue('tags', '{"set":{"_alg_class":"set","value":[1]},"n":12345678901234567890}');
    const { kwargs } = await hydrate({ it: tag('tags') });
    expect(kwargs).toEqual({ it: { set: { _alg_class: 'set', value: [1] }, n: 12345678901234567890n } });
    expect(ajson.rebuildEvent(kwargs)).toEqual({ it: { set: new Set([1]), n: 12345678901234567890n } });
  });

  test('with safe_mode is not rebuilt', async () => {
    const value = { _alg_class: 'Unheard', _alg_module: 'of', value: {} };
    await store('safe', JSON.stringify({ data_string: { value }, full_unpack: true, safe_mode: true }));
    const { kwargs } = await hydrate({ it: tag('safe'), set: { _alg_class: 'set', value: [1] } });
    expect(ajson.rebuildEvent(kwargs)).toEqual({ it: { value }, set: new Set([1]) });
  });

  test('without full_unpack stays in its StoredData', async () => {
    await store('packed', '{"data_string":{"a":1},"full_unpack":false,"safe_mode":false}');
    const { kwargs } = await hydrate({ it: tag('packed') });
    const { it } = kwargs as { it: StoredData };
    expect(it).toBeInstanceOf(StoredData);
    expect(it).toMatchObject({ pointer: pointerTo('packed'), value: { a: 1 } });
  });

  test('may be of version 2, without safe_mode', async () => {
    await store('two', '{"data_string":[1],"full_unpack":true}');
    expect((await hydrate({ it: tag('two') })).kwargs).toEqual({ it: [1] });
  });
});

describe('the allowed bucket', () => {
  test('is that of the environment, read when a pointer needs it', async () => {
    await storeValue('env', '1');
    const { s3 } = aws;
    const handler = middy(queued(({ task_kwargs }: Task) => task_kwargs))
      .use(storedDataHydrate({ s3 }))
      .use(sqsSnsUnwrap());
    const run = () =>
      handler(
        { Records: [sqsRecord({ task_name: 'work', task_kwargs: { it: tag('env') } })] },
        lambdaContext(),
      ) as Promise<SettledBatch<unknown>>;
    expect(await run()).toMatchObject([{ reason: expect.any(NotConfiguredError) }]);
    process.env.ALGERNON_BUCKET_NAME = aws.bucket;
    expect(await run()).toMatchObject([{ value: { it: 1 } }]);
  });

  test('may be any in the option', async () => {
    await storeValue('listed', '1');
    expect(
      (await hydrate({ it: tag('listed') }, { bucket: 'another', buckets: [aws.bucket] })).kwargs,
    ).toEqual({ it: 1 });
    await expect(hydrate({ it: tag('listed') }, { bucket: 'another' })).rejects.toMatchObject({
      code: 'BUCKET_NOT_ALLOWED',
      path: '$.task_kwargs.it',
      message: expect.stringContaining('buckets'),
    });
  });
});

describe('hydrating', () => {
  test('works in a direct invocation', async () => {
    await storeValue('direct', '1');
    expect((await hydrate({ it: tag('direct') }, {}, { direct: true })).kwargs).toEqual({ it: 1 });
    await expect(hydrate({ it: tag('absent') }, {}, { direct: true })).rejects.toMatchObject({
      code: 'STORED_DATA_MISSING',
    });
  });

  test('needs sqsSnsUnwrap: the record fails with an error that says so', async () => {
    const handler = middy(queued(() => {})).use(storedDataHydrate({ bucket: aws.bucket }));
    const settled = (await handler(
      { Records: [sqsRecord({ task_name: 'work' })] },
      lambdaContext(),
    )) as SettledBatch<unknown>;
    expect(settled).toMatchObject([{ reason: expect.objectContaining({ code: 'NOT_UNWRAPPED' }) }]);
  });

  test('deletes nothing, so a redelivery reads the same value', async () => {
    await storeValue('twice', '1');
    for (let i = 0; i < 2; i += 1) expect((await hydrate({ it: tag('twice') })).kwargs).toEqual({ it: 1 });
  });
});

test.each<[string, StoredDataHydrateOptions]>([
  ['maxBytes', { maxBytes: 0 }],
  ['bucket', { bucket: '' }],
  ['bucket', { bucket: 'arn:aws:s3:us-east-1:123456789012:accesspoint/large' }],
  ['buckets', { buckets: 'a' as never }],
  ['buckets', { buckets: [''] }],
  ['maxPointers', { maxPointers: 0 }],
  ['concurrentReads', { concurrentReads: 1.5 }],
  ['maxbytes', { maxbytes: 1 } as never],
])('refuses a bad %s at the call', (option, options) => {
  expect(() => storedDataHydrate(options)).toThrow(OptionError);
  expect(() => storedDataHydrate(options)).toThrow(option);
});

test('fails with DEADLINE if the deadline stops a read: the stored value is not at fault', async () => {
  const send = (_: unknown, { abortSignal }: { abortSignal: AbortSignal }) =>
    new Promise((_resolve, reject) => {
      abortSignal.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')));
    });
  const end = performance.now() + 600;
  const handler = middy(queued(() => 'done'))
    .use(storedDataHydrate({ s3: { send, config: {} } as never, bucket: aws.bucket }))
    .use(sqsSnsUnwrap());
  const event = { Records: [sqsRecord({ task_name: 'work', task_kwargs: { first: tag('first') } })] };
  const context = lambdaContext({ getRemainingTimeInMillis: () => end - performance.now() });
  const settled = await handler(event as never, context);
  expect(settled).toMatchObject([{ status: 'rejected', reason: { code: 'DEADLINE' } }]);
});
