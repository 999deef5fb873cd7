import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws } from '../../local/startLocalAws.ts';
import { s3ConditionalStore } from '../../middlewares/aws/s3ConditionalStore.ts';
import { type Fault, type FaultyClients, faultyClients } from '../support/faultyClients.ts';

let aws: LocalAws;
let clients: FaultyClients | undefined;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterEach(() => clients?.destroy());
afterAll(() => aws.stop());

let count = 0;
const newAddress = () => {
  count += 1;
  return { bucket: aws.bucket, key: `groups/${count}/plan` };
};

/** A store whose calls meet the faults in turn; an undefined fault lets a call pass. */
const storeWith = (faults: (Fault | undefined)[], maxAttempts = 1) => {
  clients = faultyClients(aws, () => faults.shift(), { maxAttempts });
  return s3ConditionalStore({ s3: clients.s3 });
};
const maxBytes = 1000;

describe('create and replace', () => {
  test('one creation passes, and the others learn that an object exists', async () => {
    const store = s3ConditionalStore({ s3: aws.s3 });
    const address = newAddress();
    const versions = await Promise.all(['a', 'b', 'c'].map((text) => store.create(address, text)));
    expect(versions.filter((version) => version !== undefined)).toHaveLength(1);
    const winner = versions.findIndex((version) => version !== undefined);
    expect(await store.read(address, { maxBytes })).toEqual({
      text: 'abc'[winner],
      version: versions[winner],
    });
  });

  test('a version is replaced once', async () => {
    const store = s3ConditionalStore({ s3: aws.s3 });
    const address = newAddress();
    const first = (await store.create(address, 'first')) as string;
    const second = await store.replace(address, 'second', first);
    expect(second).toBeDefined();
    expect(await store.replace(address, 'third', first)).toBeUndefined();
    expect(await store.read(address, { maxBytes })).toEqual({ text: 'second', version: second });
    expect(await store.replace(newAddress(), 'third', first)).toBeUndefined();
  });

  test('a conflict is tried again three times', async () => {
    const conflict = { status: 409, code: 'ConditionalRequestConflict' };
    expect(await storeWith([conflict, conflict, conflict]).create(newAddress(), 'x')).toBeDefined();
    const failing = storeWith([conflict, conflict, conflict, conflict]).create(newAddress(), 'x');
    await expect(failing).rejects.toMatchObject({ code: 'STORED_DATA_UNAVAILABLE', retryable: true });
  });

  test('a lost answer that the SDK repeats looks like an object that exists', async () => {
    const lost = { lost: Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) };
    const address = newAddress();
    const store = storeWith([lost], 2);
    expect(await store.create(address, 'mine')).toBeUndefined();
    expect(await store.read(address, { maxBytes })).toMatchObject({ text: 'mine' });
  });

  test('faults are StoredDataErrors', async () => {
    const missing = { bucket: 'no-such-bucket', key: 'x' };
    const store = s3ConditionalStore({ s3: aws.s3 });
    await expect(store.create(missing, 'x')).rejects.toMatchObject({ code: 'STORED_DATA_MISSING' });
    await expect(store.replace(missing, 'x', '"v"')).rejects.toMatchObject({ code: 'STORED_DATA_MISSING' });
    const denied = storeWith([{ status: 403, code: 'AccessDenied' }]);
    await expect(denied.create(newAddress(), 'x')).rejects.toMatchObject({ code: 'STORED_DATA_ACCESS' });
    const busy = storeWith([{ status: 503, code: 'SlowDown' }]);
    await expect(busy.create(newAddress(), 'x')).rejects.toMatchObject({ retryable: true });
  });
});

describe('read', () => {
  test('a missing object and a denied one are undefined', async () => {
    expect(await s3ConditionalStore({ s3: aws.s3 }).read(newAddress(), { maxBytes })).toBeUndefined();
    const denied = storeWith([{ status: 403, code: 'AccessDenied' }]);
    expect(await denied.read(newAddress(), { maxBytes })).toBeUndefined();
  });

  test('expired credentials and a missing bucket are faults', async () => {
    const expired = storeWith([{ status: 403, code: 'ExpiredToken' }]);
    await expect(expired.read(newAddress(), { maxBytes })).rejects.toMatchObject({ retryable: true });
    const store = s3ConditionalStore({ s3: aws.s3 });
    await expect(store.read({ bucket: 'no-such-bucket', key: 'x' }, { maxBytes })).rejects.toMatchObject({
      code: 'STORED_DATA_MISSING',
    });
  });

  test('an object that is too large is refused', async () => {
    const store = s3ConditionalStore({ s3: aws.s3 });
    const address = newAddress();
    await store.create(address, 'x'.repeat(1001));
    await expect(store.read(address, { maxBytes })).rejects.toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
  });
});
