import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { ajson } from '../../core/index.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import { runNode } from '../local/tools.ts';

const address = { bucket: 'results', key: 'cache/x!1.5.json' };

interface Call {
  name: string;
  input: Record<string, unknown> & { Body?: Buffer; PartNumber?: number };
  signal: AbortSignal | undefined;
}

/** A client that records its calls. */
function clientOf(answer: (call: Call) => unknown) {
  const calls: Call[] = [];
  const send = async (
    command: { input: Call['input']; constructor: { name: string } },
    options?: { abortSignal?: AbortSignal },
  ) => {
    const { input } = command;
    const call = {
      name: command.constructor.name.replace('Command', ''),
      input,
      signal: options?.abortSignal,
    };
    calls.push(call);
    return (await answer(call)) ?? {};
  };
  const store = s3ObjectStore({ s3: { send } as unknown as S3Client });
  return { calls, store, names: () => calls.map(({ name }) => name) };
}

const objectOf = (bytes: Uint8Array, cut = bytes.length) => ({
  ContentLength: bytes.length,
  Body: (async function* () {
    for (let at = 0; at < cut; at += 7) yield bytes.subarray(at, Math.min(at + 7, cut));
  })(),
});
const admit = () => {};
const read = (answer: () => unknown) => clientOf(answer).store.get(address, { admit });
const fault =
  (name: string, httpStatusCode: number | undefined, message = name, more: object = {}) =>
  () => {
    throw Object.assign(new Error(message), { name, $metadata: { httpStatusCode }, ...more });
  };

describe('the bytes of an object', () => {
  const text = '{"name":"café 😀 \uFFFD"}';

  test('are UTF-8 text, with or without a byte order mark', async () => {
    for (const mark of ['', '\uFEFF']) {
      expect(await read(() => objectOf(Buffer.from(mark + text)))).toBe(text);
    }
    expect(await read(() => ({ ...objectOf(Buffer.from(text)), ContentLength: undefined }))).toBe(text);
    expect(await read(() => ({ ContentLength: 0 }))).toBe('');
  });

  test.each<[string, Buffer, RegExp]>([
    ['Latin-1', Buffer.from('{"name":"café"}', 'latin1'), /not UTF-8.*encoding/],
    ['a character that is cut', Buffer.from(text).subarray(0, 13), /not UTF-8/],
    ['half a surrogate pair', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not UTF-8/],
    ['gzip', gzipSync(text), /gzip/],
    ['zlib', deflateSync(text), /zlib/],
    ['zstd', zstdCompressSync(text), /zstd/],
    ['brotli', brotliCompressSync(text.repeat(9)), /compressed/],
    ['UTF-16', Buffer.from(`\uFEFF${text}`, 'utf16le'), /UTF-16/],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), /UTF-16/],
    ['big-endian UTF-16', Buffer.from(text, 'utf16le').swap16(), /UTF-16/],
  ])('in %s are an error that says so', async (_, bytes, message) => {
    await expect(read(() => objectOf(bytes))).rejects.toMatchObject({
      code: 'STORED_DATA_BODY',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  test('that are too few or too many are retryable', async () => {
    const bytes = Buffer.from(text);
    for (const object of [objectOf(bytes, 9), { ...objectOf(bytes), ContentLength: 5 }]) {
      await expect(read(() => object)).rejects.toMatchObject({
        code: 'STORED_DATA_UNAVAILABLE',
        retryable: true,
      });
    }
  });
});

describe('an S3 error', () => {
  const denied = (permission: string) =>
    `User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: ${permission} on resource: "x"`;
  const cases: [string, () => never, string, RegExp][] = [
    ['no object', fault('NoSuchKey', 404), 'STORED_DATA_MISSING', /no such object.*lifecycle/],
    ['no object, without a code', fault('UnknownError', 404), 'STORED_DATA_MISSING', /no such object/],
    [
      'no bucket',
      fault('NoSuchBucket', 404),
      'STORED_DATA_MISSING',
      /no bucket results.*ALGERNON_BUCKET_NAME/,
    ],
    [
      'no permission',
      fault('AccessDenied', 403, denied('s3:GetObject')),
      'STORED_DATA_ACCESS',
      /s3:ListBucket.*assumed-role/,
    ],
    ['no permission, without a code', fault('403', 403), 'STORED_DATA_ACCESS', /s3:GetObject/],
    [
      'no permission for the key',
      fault('AccessDenied', 403, denied('kms:Decrypt')),
      'STORED_DATA_ACCESS',
      /KMS key.*kms:Decrypt/,
    ],
    ['a key that is disabled', fault('KMS.DisabledException', 400), 'STORED_DATA_ACCESS', /KMS key.*enabled/],
    ['a key to be deleted', fault('KMS.KMSInvalidStateException', 400), 'STORED_DATA_ACCESS', /KMS key/],
    [
      'an archived object',
      fault('InvalidObjectState', 403, 'x', { StorageClass: 'DEEP_ARCHIVE' }),
      'STORED_DATA_ARCHIVED',
      /DEEP_ARCHIVE.*[Rr]estore/,
    ],
    ['another region', fault('PermanentRedirect', 301), 'STORED_DATA_REFUSED', /another region.*option s3/],
    ['no ACLs', fault('AccessControlListNotSupported', 400), 'STORED_DATA_REFUSED', /ACL.*option acl/],
    [
      'a long key',
      fault('KeyTooLongError', 400, 'Your key is too long'),
      'STORED_DATA_REFUSED',
      /Your key is too long/,
    ],
  ];

  test.each(cases)('%s: says what is wrong', async (_, answer, code, message) => {
    const error = await read(answer).catch((reason) => reason);
    expect(error).toMatchObject({ code, retryable: false, message: expect.stringMatching(message) });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('does not blame a KMS key if only a name contains kms', async () => {
    const answer = fault(
      'AccessDenied',
      403,
      denied('s3:GetObject').replace('"x"', '"arn:aws:s3:::kms-reports/kms"'),
    );
    await expect(read(answer)).rejects.toMatchObject({ message: expect.stringMatching(/s3:ListBucket/) });
  });

  test('on writing names the permissions for writing', async () => {
    const put = (answer: () => never) => clientOf(answer).store.put(address, 'x');
    await expect(put(fault('AccessDenied', 403))).rejects.toThrow(/s3:PutObject/);
    await expect(put(fault('AccessDenied', 403, denied('kms:GenerateDataKey')))).rejects.toThrow(
      /kms:GenerateDataKey and kms:Decrypt/,
    );
  });

  test.each<[string, () => never]>([
    ['a temporary redirect', fault('TemporaryRedirect', 307)],
    ['a digest', fault('BadDigest', 400)],
    ['a body', fault('IncompleteBody', 400)],
    ['a token', fault('TokenRefreshRequired', 400)],
    ['credentials', fault('CredentialsProviderError', undefined)],
    ['the network', fault('TimeoutError', undefined)],
  ])('of %s is retryable', async (_, answer) => {
    await expect(read(answer)).rejects.toMatchObject({
      code: 'STORED_DATA_UNAVAILABLE',
      retryable: true,
    });
  });

  test('logs nothing', async () => {
    const { store } = clientOf(fault('NoSuchKey', 404, 'a\nb'));
    const error = await store.get({ bucket: 'b', key: 'a\nERROR b' }, { admit }).catch((reason) => reason);
    expect(error.message).not.toContain('\n');
  });
});

test("reads and writes use the task's signal", async () => {
  const { signal } = new AbortController();
  const { store, calls } = clientOf(({ name }) => (name === 'GetObject' ? objectOf(Buffer.from('1')) : {}));
  await store.get(address, { admit, signal });
  await store.put(address, 'small', { signal });
  expect(calls.map((call) => call.signal)).toEqual([signal, signal]);
});

describe('a multipart upload', () => {
  const partBytes = 5 * 1024 * 1024;
  const maxPutBytes = 8 * 1024 * 1024;
  const created = ({ name, input }: Call) =>
    name === 'CreateMultipartUpload'
      ? { UploadId: 'u' }
      : name === 'UploadPart'
        ? { ETag: `e${input.PartNumber}`, ChecksumCRC32: `c${input.PartNumber}` }
        : {};

  test('has parts of equal size, in order', async () => {
    const bytes: Buffer[] = [];
    const { store, calls, names } = clientOf((call) => {
      // A copy, since the memory is used again.
      if (call.name === 'UploadPart') bytes.push(Buffer.from(call.input.Body ?? ''));
      return created(call);
    });
    const pieces = ['{"a":', '"ü😀'.repeat(2_500_000), '}'];
    await store.put(address, pieces);
    expect(Buffer.concat(bytes).equals(Buffer.from(pieces.join('')))).toBe(true);
    expect(bytes.slice(0, -1).map(({ length }) => length)).toEqual([partBytes, partBytes, partBytes]);
    expect(names().at(0)).toBe('CreateMultipartUpload');
    expect(calls.at(-1)).toMatchObject({
      name: 'CompleteMultipartUpload',
      input: {
        UploadId: 'u',
        MultipartUpload: {
          Parts: [1, 2, 3, 4].map((n) => ({ PartNumber: n, ETag: `e${n}`, ChecksumCRC32: `c${n}` })),
        },
      },
    });
  });

  test('takes the pieces as they are needed, and uses the memory of a part again', async () => {
    const hashes: [number, string][] = [];
    const memory = new Set<unknown>();
    let taken = 0;
    let takenAtFirstCall: number | undefined;
    const { store } = clientOf(async (call) => {
      takenAtFirstCall ??= taken;
      const { Body, PartNumber } = call.input;
      if (Body) hashes.push([PartNumber as number, createHash('sha256').update(Body).digest('hex')]);
      if (Body) memory.add((Body as Buffer).byteOffset);
      await setImmediate();
      return created(call);
    });
    const piece = '"ü😀\ud83d'.repeat(50_000);
    const pieces = function* () {
      for (; taken < 120; taken++) yield `${taken}${piece}`;
    };
    await store.put(address, pieces());
    // As much as two parts, before anything else can change the value.
    expect(takenAtFirstCall).toBeLessThan(30);
    expect(memory).toEqual(new Set([0, partBytes]));
    const whole = Buffer.from(Array.from({ length: 120 }, (_, index) => `${index}${piece}`).join(''));
    const expected = Array.from({ length: Math.ceil(whole.length / partBytes) }, (_, index) => [
      index + 1,
      createHash('sha256')
        .update(whole.subarray(index * partBytes, (index + 1) * partBytes))
        .digest('hex'),
    ]);
    expect(hashes.sort(([a], [b]) => a - b)).toEqual(expected);
  });

  test.each(['😀', '\ud83d😀'])('does not cut the surrogate pair in %j', async (characters) => {
    const { store, calls } = clientOf(created);
    const text = `${'x'.repeat(1024 * 1024 - 1)}${characters}${'y'.repeat(maxPutBytes)}`;
    await store.put(address, text);
    const parts = calls.filter(({ name }) => name === 'UploadPart').map(({ input }) => input.Body as Buffer);
    expect(Buffer.concat(parts).equals(Buffer.from(text))).toBe(true);
  });

  test('of pieces that are few is one object', async () => {
    for (const count of [0, 1, 5, 7, 8]) {
      const { store, calls, names } = clientOf(created);
      const pieces = function* () {
        for (let index = 0; index < count; index++) yield 'x'.repeat(1024 * 1024);
      };
      await store.put(address, pieces());
      expect(names()).toEqual(['PutObject']);
      expect(Buffer.from(calls[0]?.input.Body ?? '')).toHaveLength(count * 1024 * 1024);
    }
  });

  test.each([
    ['before anything is sent', 1, []],
    ['in a later part', 40, ['CreateMultipartUpload', 'AbortMultipartUpload']],
  ])('whose value cannot be written %s fails as that does', async (_, after, expected) => {
    const { store, names } = clientOf(created);
    const pieces = function* () {
      for (let index = 0; index < after; index++) yield 'x'.repeat(1024 * 1024);
      ajson.dumps(() => 1);
    };
    await expect(store.put(address, pieces())).rejects.toMatchObject({ name: 'AjsonError' });
    expect(names().filter((name) => name !== 'UploadPart')).toEqual(expected);
  });

  test('starts above 8 MiB', async () => {
    const { store, names } = clientOf(created);
    await store.put(address, 'x'.repeat(maxPutBytes));
    await store.put(address, ['x'.repeat(maxPutBytes - 1), 'x'].values());
    expect(names()).toEqual(['PutObject', 'PutObject']);
    await store.put(address, ['x'.repeat(maxPutBytes), 'x']);
    expect(names().slice(2).toSorted()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPart',
    ]);
  });

  test.each([
    ['UploadPart', 'TimeoutError', undefined],
    ['UploadPart', 'BadDigest', 400],
    ['CompleteMultipartUpload', 'NoSuchUpload', 404],
  ])(
    'reports the failure of %s with %s, even if the parts cannot be removed',
    async (which, name, status) => {
      const { store, calls } = clientOf((call) => {
        if (call.name === which && (call.input.PartNumber ?? 2) === 2) fault(name, status)();
        if (call.name === 'AbortMultipartUpload') fault('AccessDenied', 403)();
        return created(call);
      });
      await expect(store.put(address, 'x'.repeat(9 * partBytes))).rejects.toMatchObject({
        code: 'STORED_DATA_UNAVAILABLE',
        retryable: true,
        message: expect.stringContaining(name),
      });
      expect(calls.at(-1)).toMatchObject({ name: 'AbortMultipartUpload', input: { UploadId: 'u' } });
    },
  );

  test('that is refused is final and starts no more parts', async () => {
    const { store, names } = clientOf((call) =>
      call.name === 'UploadPart' ? fault('AccessDenied', 403)() : created(call),
    );
    await expect(store.put(address, 'x'.repeat(9 * partBytes))).rejects.toMatchObject({
      code: 'STORED_DATA_ACCESS',
      retryable: false,
    });
    expect(names().filter((name) => name === 'UploadPart').length).toBeLessThanOrEqual(2);
  });

  test('sends at most two parts at a time', async () => {
    let underWay = 0;
    let most = 0;
    const { store } = clientOf(async (call) => {
      if (call.name !== 'UploadPart') return created(call);
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 2));
      underWay -= 1;
      return created(call);
    });
    await store.put(address, 'x'.repeat(9 * partBytes));
    expect(most).toBe(2);
  });
});

test('loads the SDK on first use', async () => {
  const { output } = await runNode(
    `import { registerHooks } from 'node:module';
     let loaded = false;
     registerHooks({ resolve(name, context, next) {
       loaded ||= name === '@aws-sdk/client-s3';
       return next(name, context);
     } });
     const { s3ObjectStore } = await import('./middlewares/aws/s3ObjectStore.ts');
     const store = s3ObjectStore({ s3: { send: async () => ({}) } });
     console.log(loaded);
     await store.put({ bucket: 'b', key: 'k' }, 'x');
     console.log(loaded);`,
  );
  expect(output).toBe('false\ntrue\n');
});

test('an error says that the SDK is not installed', async () => {
  const { output } = await runNode(
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(name, context, next) {
       if (name !== '@aws-sdk/client-s3') return next(name, context);
       throw Object.assign(new Error("Cannot find package '@aws-sdk/client-s3'"), { code: 'ERR_MODULE_NOT_FOUND' });
     } });
     const { s3ObjectStore } = await import('./middlewares/aws/s3ObjectStore.ts');
     await s3ObjectStore().put({ bucket: 'b', key: 'k' }, 'x').catch(({ code, message }) => console.log(code, message));`,
  );
  expect(output).toMatch(/^MISSING_PACKAGE .*npm install @aws-sdk\/client-s3/);
});
