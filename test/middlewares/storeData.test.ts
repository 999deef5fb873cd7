import { randomUUID } from 'node:crypto';
import type { SNSClient } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import type { SettledBatch } from '../../core/batch/settledBatch.ts';
import { AlgObject, ajson, queued, StoredData, type Task } from '../../core/index.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import {
  callbackPublisher,
  OptionError,
  readData,
  type StoreDataOptions,
  sqsSnsUnwrap,
  storeData,
  storedDataHydrate,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

let aws: LocalAws;
let options: { s3: LocalAws['s3']; bucket: string };
beforeAll(async () => {
  aws = await startLocalAws();
  options = { s3: aws.s3, bucket: aws.bucket };
});
afterAll(() => aws.stop());
afterEach(() => {
  delete process.env.ALGERNON_BUCKET_NAME;
  delete process.env.CACHE_FOLDER_NAME;
});

class Order extends AlgObject {
  readonly id: string;
  constructor(id: string) {
    super();
    this.id = id;
  }
  static parseJson({ id }: { id: string }) {
    return new Order(id);
  }
}
ajson.register(Order, { name: 'Order', module: 'shop.models' });

const textOf = (pointer: string) => s3ObjectStore(options).get(parsePointer(pointer), { admit: () => {} });

describe('storeData', () => {
  test('stores a large value in parts, with the values of each StoredData in it', async () => {
    const inner = new StoredData({ pointer: `${aws.bucket}#cache/inner!1.5.json`, value: { n: 2n ** 60n } });
    const rows = Array.from({ length: 150_000 }, (_, id) => ({ id, name: 'é'.repeat(40), at: new Date(id) }));
    const value = { rows, inner, order: new Order('A-1') };
    const stored = await storeData(value, options);
    const back = await readData<typeof value>(stored.pointer, { ...options, maxBytes: 2 ** 27 });
    expect(back.rows).toHaveLength(rows.length);
    expect(back.rows.at(-1)).toEqual(rows.at(-1));
    expect(back.inner).toEqual({ n: 2n ** 60n });
    expect(back.order).toBeInstanceOf(Order);
    expect((await textOf(stored.pointer)).length).toBeGreaterThan(15_000_000);
  });

  test('stores nothing of a large value that cannot be written', async () => {
    const sent: unknown[] = [];
    const s3 = { send: async (command: unknown) => sent.push(command) } as unknown as LocalAws['s3'];
    const value = [...Array.from({ length: 30 }, () => 'x'.repeat(100_000)), () => 1];
    await expect(storeData(value, { ...options, s3 })).rejects.toMatchObject({
      name: 'AjsonError',
      path: '$[30]',
    });
    expect(sent).toEqual([]);
  });

  test('stores a value that readData returns', async () => {
    const value = { order: new Order('A-1'), tags: new Set(['a']), n: 2n ** 60n };
    const stored = await storeData(value, options);
    expect(stored).toBeInstanceOf(StoredData);
    expect(stored.value).toBe(value);
    for (const from of [stored.pointer, new StoredData({ pointer: stored.pointer }), stored]) {
      const back = await readData<typeof value>(from, options);
      expect(back).toEqual(value);
      expect(back.order).toBeInstanceOf(Order);
    }
  });

  test('stores null, and undefined fields like ajson', async () => {
    expect(await readData(await storeData(null, options), options)).toBeNull();
    const { pointer } = await storeData([1], options);
    expect(await textOf(pointer)).toBe('{"data_string":[1],"full_unpack":true,"safe_mode":false}');
  });

  test('reads bucket and folder from the environment, and takes a name and a time', async () => {
    process.env.ALGERNON_BUCKET_NAME = aws.bucket;
    process.env.CACHE_FOLDER_NAME = 'prod/cache';
    const { s3 } = aws;
    const { pointer } = await storeData(1, { s3, name: 'value/!', timestamp: 1_565_012_856_447 });
    expect(pointer).toBe(`${aws.bucket}#prod/cache/value__!1565012856.447.json`);
    expect(await readData(pointer, { s3 })).toBe(1);
    const other = await storeData(1, { s3 });
    expect(other.pointer).toMatch(/#prod\/cache\/[\da-f-]{36}!\d+\.\d{3}\.json$/);
  });

  test('stores the values of nested, hand-made StoredData', async () => {
    const by = (name: string, value: unknown) =>
      new StoredData({ pointer: `${aws.bucket}#cache/${name}!1.5.json`, value });
    const inner = by(`inner${randomUUID()}`, { total: 41 });
    const stored = await storeData({ outer: by(`outer${randomUUID()}`, [inner, inner]) }, options);
    expect(await readData(stored.pointer, options)).toEqual({ outer: [{ total: 41 }, { total: 41 }] });
  });

  test('keeps fullUnpack and safeMode', async () => {
    const set = { _alg_class: 'set', value: [1] };
    const packed = await storeData(set, { ...options, fullUnpack: false, safeMode: true });
    expect(await textOf(packed.pointer)).toContain('"full_unpack":false,"safe_mode":true}');
    expect(await readData(packed.pointer, options)).toEqual(set);
    const open = await storeData(set, { ...options, fullUnpack: false });
    expect(await readData(open.pointer, options)).toEqual(new Set([1]));
  });

  test.each<[string, StoreDataOptions]>([
    ['bucket', { bucket: 'arn:aws:s3:us-east-1:123456789012:accesspoint/large' }],
    ['folder', { folder: 'a!b' }],
    ['timestamp', { timestamp: Number.NaN }],
    ['fullUnpack', { fullUnpack: 'no' as never }],
    ['fold', { fold: 'x' } as never],
  ])('refuses a bad %s', async (option, bad) => {
    const storing = storeData(1, { ...options, ...bad });
    await expect(storing).rejects.toThrow(OptionError);
    await expect(storeData(1, { ...options, ...bad })).rejects.toThrow(option);
  });

  test('refuses the ARN of an access point in the environment with advice', async () => {
    process.env.ALGERNON_BUCKET_NAME = 'arn:aws:s3:us-east-1:123456789012:accesspoint/large';
    await expect(storeData(1, { s3: aws.s3 })).rejects.toThrow(
      /bucket must be the name of a bucket, or the alias/,
    );
  });
});

describe('readData', () => {
  test('reads only allowed buckets, up to maxBytes and maxPointers', async () => {
    const { pointer } = await storeData([await storeData('x'.repeat(100), options)], options);
    const read = (more: object) => readData(pointer, { ...options, ...more });
    await expect(read({ bucket: 'another' })).rejects.toMatchObject({ code: 'BUCKET_NOT_ALLOWED' });
    expect(await read({ bucket: 'another', buckets: [aws.bucket] })).toEqual(['x'.repeat(100)]);
    await expect(read({ maxBytes: 100 })).rejects.toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
    await expect(read({ maxPointers: 1 })).rejects.toMatchObject({ code: 'TOO_MANY_POINTERS' });
    await expect(read({ signal: AbortSignal.abort() })).rejects.toMatchObject({ retryable: true });
    await expect(read({ maxbytes: 1 })).rejects.toThrow(OptionError);
    await expect(readData('nonsense', options)).rejects.toMatchObject({ code: 'BAD_POINTER', path: '$' });
  });
});

describe('a StoredData in the result of a task', () => {
  const run = async (work: (task: Task) => unknown, task_kwargs: unknown = {}) => {
    const sent: string[] = [];
    const puts: string[] = [];
    const s3 = {
      send: (command: { input: { Key: string }; constructor: { name: string } }) => {
        if (command.constructor.name === 'PutObjectCommand') puts.push(command.input.Key);
        return aws.s3.send(command as never);
      },
    } as unknown as LocalAws['s3'];
    const send = async ({ input }: { input: { PublishBatchRequestEntries: { Message: string }[] } }) => {
      sent.push(...input.PublishBatchRequestEntries.map(({ Message }) => Message));
      return { Successful: input.PublishBatchRequestEntries };
    };
    const handler = middy(queued(work as (task: Task) => object, { rebuild: ajson }))
      .use(sqsSnsUnwrap())
      .use(storedDataHydrate({ ...options, s3 }))
      .use(
        callbackPublisher({
          ...options,
          s3,
          sns: { send } as unknown as SNSClient,
          topics: { next: 'arn:next' },
        }),
      );
    const event = { Records: [sqsRecord({ task_name: 'work', task_kwargs, callback: 'next' })] };
    const [outcome] = (await handler(event, lambdaContext())) as SettledBatch<unknown>;
    return { outcome, puts, sent: sent.map((message) => JSON.parse(message).task_kwargs) };
  };
  const pointerTo = (name: string, bucket = aws.bucket) => `${bucket}#cache/${name}-${randomUUID()}!1.5.json`;

  test('with a value is stored at its pointer, alone or nested', async () => {
    for (const wrap of [(data: StoredData) => data, (data: StoredData) => ({ deep: [data] })]) {
      const data = new StoredData({ pointer: pointerTo('result'), value: { total: 41 } });
      const { sent, outcome } = await run(() => wrap(data));
      expect(outcome?.status).toBe('fulfilled');
      expect(await readData(data.pointer, options)).toEqual({ total: 41 });
      const next = ajson.rebuildEvent<StoredData>(sent[0]);
      const expected = wrap(data) === data ? { total: 41 } : { deep: [{ total: 41 }] };
      expect(await readData(next, options)).toEqual(expected);
    }
  });

  test('with a value in another bucket is refused, and nothing is sent', async () => {
    const data = new StoredData({ pointer: pointerTo('result', 'another'), value: 1 });
    for (const result of [data, [data]]) {
      const { sent, puts, outcome } = await run(() => result);
      expect(outcome).toMatchObject({ reason: { code: 'STORED_DATA_NOT_STORED', retryable: false } });
      expect({ sent, puts }).toEqual({ sent: [], puts: [] });
    }
  });

  test('that contains itself does not loop', async () => {
    const loop: unknown[] = [];
    const data = new StoredData({ pointer: pointerTo('loop'), value: loop });
    loop.push(data);
    const { puts, outcome } = await run(() => data);
    expect(outcome?.status).toBe('fulfilled');
    expect(puts).toHaveLength(1);
  });

  test('from storeData, or read and rebuilt, is not stored again', async () => {
    const made = await storeData([1], options);
    const first = await run(() => made);
    expect(first).toMatchObject({ puts: [], sent: [{ value: { pointer: made.pointer } }] });
    const kept = await storeData({ set: new Set([1]) }, { ...options, fullUnpack: false });
    const { puts, sent } = await run(
      ({ task_kwargs }) => {
        const { it } = task_kwargs as { it: StoredData };
        expect(it.value).toEqual({ set: new Set([1]) });
        return it;
      },
      { it: JSON.parse(ajson.dumps(kept)) },
    );
    expect(puts).toEqual([]);
    expect(sent).toMatchObject([{ value: { pointer: kept.pointer } }]);
  });

  test('with a bad pointer fails its task', async () => {
    const { sent, outcome } = await run(() => new StoredData({ pointer: 'nonsense' }));
    expect(outcome).toMatchObject({ reason: { code: 'BAD_POINTER' } });
    expect(sent).toEqual([]);
  });
});
