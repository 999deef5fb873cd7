import { randomUUID } from 'node:crypto';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws } from '../../local/index.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import { keyTime, readEventObjects } from '../../middlewares/events/readEventObjects.ts';
import { type ChainEvent, getChain, type S3Sink, s3Sink, waitForChain } from '../../middlewares/index.ts';
import { type FaultOf, type FaultyClients, faultyClients } from '../support/faultyClients.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
const opened: FaultyClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.destroy();
});

/** A sink whose calls may fail. */
const sinkWith = (faultOf: FaultOf, maxAttempts = 1) => {
  const clients = faultyClients(aws, faultOf, { maxAttempts });
  opened.push(clients);
  return s3Sink({ s3: clients.s3, bucket: aws.bucket });
};
const healthy = () => s3Sink({ s3: aws.s3, bucket: aws.bucket });
const { signal } = new AbortController();
const write = (sink: S3Sink, events: readonly ChainEvent[]) => sink.write(events, { signal });

const received = (chainId: string, messageId = 'm'): ChainEvent => ({
  type: 'received',
  chainId,
  messageId,
  taskName: 'load',
  receiver: 'queue',
  attempt: 1,
  at: Date.now(),
});
const succeeded = (chainId: string): ChainEvent =>
  ({ ...received(chainId), type: 'succeeded' }) as ChainEvent;

const keysOf = async (chainId: string) => {
  const { Contents = [] } = await aws.s3.send(
    new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `chains/${chainId}/` }),
  );
  return Contents.map(({ Key }) => Key);
};
const put = (Key: string, Body: string) =>
  aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key, Body }));

describe('writing', () => {
  test('makes one object for each chain, and none for an id that is not valid', async () => {
    const [a, b] = [`${randomUUID()}:x.y_z`, randomUUID()];
    await write(healthy(), [
      received(a),
      received(b),
      succeeded(a),
      received('..'),
      received('x/y'),
      received(''),
    ]);
    expect(await keysOf(a)).toHaveLength(1);
    expect(await keysOf(b)).toHaveLength(1);
    for (const id of ['..', 'x/y', '']) expect(await keysOf(id)).toEqual([]);
    expect((await getChain(a, { from: healthy() }))?.status).toBe('succeeded');
    expect((await getChain(b, { from: healthy() }))?.status).toBe('open');
  });

  test('writes once when the answer is lost and the client repeats the call', async () => {
    const chainId = randomUUID();
    let losses = 1;
    const sink = sinkWith(({ operation }) => {
      if (operation !== 'PUT' || losses === 0) return undefined;
      losses -= 1;
      return { lost: Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) };
    }, 3);
    await write(sink, [received(chainId)]);
    expect(losses).toBe(0);
    expect(await keysOf(chainId)).toHaveLength(1);
  });

  test('stops with its signal', async () => {
    const chainId = randomUUID();
    const writing = healthy().write([received(chainId)], { signal: AbortSignal.abort() });
    await expect(writing).rejects.toMatchObject({ retryable: true });
    expect(await keysOf(chainId)).toEqual([]);
  });

  test('rejects with the fault of one object, after the others are written', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const sink = sinkWith(({ target }) =>
      target.includes(a) ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    await expect(write(sink, [received(a), received(b)])).rejects.toMatchObject({
      code: 'STORED_DATA_ACCESS',
    });
    expect(await keysOf(b)).toHaveLength(1);
  });
});

describe('reading', () => {
  test('returns each object once, also one that appears late with an earlier time', async () => {
    const chainId = randomUUID();
    const reader = healthy().open(chainId);
    await write(healthy(), [received(chainId, 'first')]);
    expect(await reader.read({})).toHaveLength(1);
    expect(await reader.read({})).toEqual([]);
    const time = String(Date.now() - 30_000).padStart(15, '0');
    await put(`chains/${chainId}/${time}-${randomUUID()}.json`, JSON.stringify([received(chainId, 'late')]));
    expect(await reader.read({})).toMatchObject([{ messageId: 'late' }]);
  });

  test('leaves out what is not a list of events, and what belongs to another chain', async () => {
    const chainId = randomUUID();
    await write(healthy(), [received(chainId)]);
    const other = JSON.stringify([received(`${chainId}-2`, 'other')]);
    for (const body of [' ', '{', '{}', 'null', '[1, null, "x"]', '\u0000', other]) {
      await put(`chains/${chainId}/${String(Date.now()).padStart(15, '0')}-${randomUUID()}.json`, body);
    }
    await put(`chains/${chainId}/notes.txt`, 'hello');
    await put(`chains/${chainId}-2/${String(Date.now()).padStart(15, '0')}-x.json`, other);
    expect((await getChain(chainId, { from: healthy() }))?.tasks).toHaveLength(1);
  });

  test('reads more objects than S3 lists at once', async () => {
    const chainId = randomUUID();
    const { s3 } = faultyClients(aws, () => undefined);
    s3.middlewareStack.add(
      (send) => (call) => {
        if ('Prefix' in (call.input as object)) Object.assign(call.input, { MaxKeys: 2 });
        return send(call);
      },
      { step: 'initialize' },
    );
    for (let index = 0; index < 5; index += 1) await write(healthy(), [received(chainId, `m${index}`)]);
    const state = await getChain(chainId, { from: s3Sink({ s3, bucket: aws.bucket }) });
    expect(state?.tasks).toHaveLength(5);
    s3.destroy();
  });

  test('lists only what is new, and what may still appear', async () => {
    const chainId = randomUUID();
    const { s3 } = faultyClients(aws, () => undefined);
    const starts: unknown[] = [];
    s3.middlewareStack.add(
      (send) => (call) => {
        if ('Prefix' in (call.input as object))
          starts.push((call.input as { StartAfter?: string }).StartAfter);
        return send(call);
      },
      { step: 'initialize' },
    );
    const prefix = `chains/${chainId}/`;
    const reader = readEventObjects({ s3, bucket: aws.bucket, prefix });
    const at = 1_790_000_000_000;
    for (const millis of [at, at - 5]) await put(`${prefix}${keyTime(millis)}-x.json`, '[]');
    for (let read = 0; read < 2; read += 1) expect(await reader.read({})).toEqual([]);
    expect(starts).toEqual([prefix + keyTime(0), prefix + keyTime(at - 60_000)]);
    s3.destroy();
  });

  test('leaves out an object above 16 MiB, and any that is not a list', async () => {
    const prefix = `chains/${randomUUID()}/`;
    const list = (bytes: number) => `[1${' '.repeat(bytes - 3)}]`;
    const bodies = [list(16_777_216), list(16_777_217), '{"length":1}', '"text"', '{'];
    // In parts, since the local S3 limits a body.
    const store = s3ObjectStore({ s3: aws.s3 });
    for (const [index, body] of bodies.entries())
      await store.put({ bucket: aws.bucket, key: `${prefix}${keyTime(index)}-x.json` }, body);
    const reader = readEventObjects({ s3: aws.s3, bucket: aws.bucket, prefix });
    expect(await reader.read({})).toEqual([1]);
  });

  test('says which permission is missing', async () => {
    const sink = sinkWith(() => ({ status: 403, code: 'AccessDenied' }));
    await expect(getChain('c', { from: sink })).rejects.toMatchObject({
      code: 'STORED_DATA_ACCESS',
      message: expect.stringContaining(`s3://${aws.bucket}/chains/c/: access is denied`),
    });
    await expect(getChain('c', { from: sink })).rejects.toThrow('s3:ListBucket');
    const chainId = randomUUID();
    await write(healthy(), [received(chainId)]);
    const listing = sinkWith(({ target }) =>
      target.endsWith('.json') ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    await expect(getChain(chainId, { from: listing })).rejects.toMatchObject({
      code: 'STORED_DATA_ACCESS',
      message: expect.stringContaining('s3:GetObject'),
    });
  });

  test('goes on after S3 was busy', async () => {
    const chainId = randomUUID();
    await write(healthy(), [received(chainId), succeeded(chainId)]);
    let faults = 3;
    const sink = sinkWith(() => {
      faults -= 1;
      return faults < 0 ? undefined : { status: 503, code: 'SlowDown' };
    });
    expect((await waitForChain(chainId, { from: sink, pollSeconds: 0.01 })).status).toBe('succeeded');
    expect(faults).toBeLessThan(0);
  });

  test('stops with its signal', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(getChain('c', { from: healthy(), signal: stop.signal })).rejects.toThrow();
  });
});
