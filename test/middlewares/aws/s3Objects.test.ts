import type { S3Client } from '@aws-sdk/client-s3';
import * as sdk from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { StoredDataError } from '../../../core/storedData/StoredDataError.ts';
import { decodeText } from '../../../middlewares/aws/decodeText.ts';
import {
  extendedPointer,
  extendedPointerIn,
  keyNotAllowed,
} from '../../../middlewares/aws/extendedPointer.ts';
import { readParts } from '../../../middlewares/aws/readParts.ts';
import { s3Error } from '../../../middlewares/aws/s3Error.ts';
import { readBytes } from '../../../middlewares/aws/s3Reader.ts';
import { uploadParts } from '../../../middlewares/aws/uploadParts.ts';

describe('the text of an object', () => {
  test('is decoded, without its byte order mark', () => {
    const text = 'Zürich';
    expect(decodeText(Buffer.from(text), 'o')).toBe(text);
    expect(decodeText(Buffer.from(`\uFEFF${text}`), 'o')).toBe(text);
    expect(decodeText(Buffer.from([]), 'o')).toBe('');
    expect(decodeText(Buffer.from('\uF000x'), 'o')).toBe('\uF000x');
    expect(decodeText(Buffer.from('\uFEC0x'), 'o')).toBe('\uFEC0x');
  });

  test.each<[string, number[]]>([
    ['compressed with gzip', [0x1f, 0x8b]],
    ['compressed with zstd', [0x28, 0xb5, 0x2f, 0xfd]],
    ['compressed with bzip2', [0x42, 0x5a, 0x68]],
    ['compressed with xz', [0xfd, 0x37, 0x7a, 0x58]],
    ['compressed with zlib', [0x78, 0x01]],
    ['compressed with zlib', [0x78, 0x9c]],
    ['compressed with zlib', [0x78, 0xda]],
    ['a zip archive', [0x50, 0x4b, 0x03, 0x04]],
    ['UTF-16 or UTF-32', [0xff, 0xfe]],
    ['UTF-16 or UTF-32', [0xfe, 0xff]],
    ['UTF-16 or UTF-32', [0x00, 0x41]],
    ['UTF-16 or UTF-32', [0x41, 0x00]],
    ['in another encoding', [0x41, 0xe9, 0x41]],
  ])('is refused if it is %s', (format, bytes) => {
    const decode = () => decodeText(Buffer.from([...bytes, 0x41]), 'object');
    expect(decode).toThrow(expect.objectContaining({ code: 'STORED_DATA_BODY' }));
    expect(decode).toThrow(format);
  });

  test.each(['BZ', 'PK', 'x', '(', 'Bzip', 'x-y'])('may begin like a format: %s', (text) => {
    expect(decodeText(Buffer.from(text), 'o')).toBe(text);
  });
});

describe('the pointer of an extended client', () => {
  const content = JSON.parse(extendedPointer('b', 'k'));
  const attributes = { ExtendedPayloadSize: '5' };

  test('is read back, with either class and either attribute', () => {
    const pointer = { s3BucketName: 'b', s3Key: 'k' };
    expect(extendedPointerIn({ content, attributes })).toEqual(pointer);
    expect(
      extendedPointerIn({
        content: ['com.amazon.sqs.javamessaging.MessageS3Pointer', content[1]],
        attributes: { SQSLargePayloadSize: '5' },
      }),
    ).toEqual(pointer);
    expect(content[0]).toBe('software.amazon.payloadoffloading.PayloadS3Pointer');
  });

  test.each([[{ task_name: 'a' }], [['other', content[1]]], [[]], [null]])('is not %j', (other) => {
    expect(extendedPointerIn({ content: other, attributes: {} })).toBeUndefined();
  });

  test.each<[string, unknown, object, string]>([
    ['an attribute', content, {}, '$[0]'],
    ['a bucket', [content[0], { s3Key: 'k' }], attributes, '$[1]'],
    ['a key', [content[0], { s3BucketName: 'b' }], attributes, '$[1]'],
    ['both', [content[0]], attributes, '$[1]'],
  ])('is an error without %s', (_, broken, given, path) => {
    expect(() => extendedPointerIn({ content: broken, attributes: given as never })).toThrow(
      expect.objectContaining({ code: 'BAD_POINTER', path }),
    );
  });

  test('to a key that may not be read is an error with the pattern', () => {
    const error = keyNotAllowed('secret', /^cache/);
    expect(error).toMatchObject({ code: 'BAD_POINTER', path: '$[1].s3Key' });
    expect(error.message).toMatch(/"secret".*\/\^cache\//);
  });
});

describe('an error of S3', () => {
  const address = { bucket: 'the-bucket', key: 'the-key' };
  const fault = (name: string, httpStatusCode: number, more: object = {}) =>
    Object.assign(new Error('the detail'), { name, $metadata: { httpStatusCode }, ...more });

  test.each<['read' | 'write', Error, string, string]>([
    ['read', fault('NoSuchBucket', 404), 'STORED_DATA_MISSING', 'there is no bucket the-bucket'],
    ['read', fault('NoSuchKey', 404), 'STORED_DATA_MISSING', 'no such object'],
    ['read', fault('KMS.DisabledException', 400), 'STORED_DATA_ACCESS', 'must allow kms:Decrypt,'],
    [
      'write',
      fault('KMS.DisabledException', 400),
      'STORED_DATA_ACCESS',
      'kms:GenerateDataKey and kms:Decrypt',
    ],
    [
      'read',
      fault('AccessDenied', 403, { message: 'not allowed: kms:Decrypt' }),
      'STORED_DATA_ACCESS',
      'KMS key',
    ],
    ['read', fault('AccessDenied', 403, { message: 'the KMS key is gone' }), 'STORED_DATA_ACCESS', 'KMS key'],
    ['read', fault('AccessDenied', 403, { message: 'KMS master' }), 'STORED_DATA_ACCESS', 'KMS key'],
    ['read', fault('AccessDenied', 403, { message: 'The ciphertext' }), 'STORED_DATA_ACCESS', 'KMS key'],
    ['read', fault('InvalidObjectState', 403), 'STORED_DATA_ARCHIVED', 'GLACIER or DEEP_ARCHIVE'],
    [
      'read',
      fault('InvalidObjectState', 403, { StorageClass: 'GLACIER' }),
      'STORED_DATA_ARCHIVED',
      'class GLACIER.',
    ],
    ['read', fault('AccessDenied', 403), 'STORED_DATA_ACCESS', 's3:GetObject. Without s3:ListBucket'],
    ['write', fault('AccessDenied', 403), 'STORED_DATA_ACCESS', 's3:PutObject, and s3:PutObjectAcl'],
    ['read', fault('PermanentRedirect', 400), 'STORED_DATA_REFUSED', 'another region'],
    ['read', fault('AuthorizationHeaderMalformed', 400), 'STORED_DATA_REFUSED', 'another region'],
    ['read', fault('IllegalLocationConstraint', 400), 'STORED_DATA_REFUSED', 'another region'],
    ['read', fault('', 301), 'STORED_DATA_REFUSED', 'another region'],
    ['write', fault('AccessControlListNotSupported', 400), 'STORED_DATA_REFUSED', 'Remove the option acl'],
    ['write', fault('MalformedACLError', 400), 'STORED_DATA_REFUSED', 'Remove the option acl'],
    ['write', fault('InvalidRequest', 400), 'STORED_DATA_REFUSED', 'S3 rejected the request'],
  ])('to %s is final, with its code and advice: %s', (action, error, code, advice) => {
    const converted = s3Error(action, address, error);
    expect(converted).toMatchObject({ code, retryable: false, cause: error });
    expect(converted.message).toContain(advice);
    expect(converted.message).toMatch(
      new RegExp(`^Cannot ${action} s3://the-bucket/the-key: .*${error.name}: ${error.message}`),
    );
  });

  test.each<[unknown, string]>([
    [fault('SlowDown', 503), 'SlowDown: the detail'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
  ])('that may pass is retryable: %s', (error, detail) => {
    const converted = s3Error('write', address, error);
    expect(converted).toMatchObject({ code: 'STORED_DATA_UNAVAILABLE', retryable: true });
    expect(converted.cause).toBe(error);
    expect(converted.message).toContain(`Could not write s3://the-bucket/the-key this time: ${detail}`);
  });

  test('that is converted already is kept', () => {
    const error = new StoredDataError('STORED_DATA_BODY', 'no');
    expect(s3Error('read', address, error)).toBe(error);
  });
});

describe('the bytes of an object', () => {
  const bodyOf = (pieces: readonly number[][], fault?: Error) => {
    const body = {
      isDestroyed: false,
      destroy: () => {
        body.isDestroyed = true;
      },
      async *[Symbol.asyncIterator]() {
        for (const piece of pieces) yield Uint8Array.from(piece);
        if (fault) throw fault;
      },
    };
    return body;
  };
  const admitted: number[] = [];
  const admit = (bytes: number) => void admitted.push(bytes);

  test.each([
    [4, [4]],
    [undefined, [1, 3]],
  ])('of the size %p are read after they are admitted: %j', async (length, expected) => {
    admitted.length = 0;
    const body = bodyOf([[1], [2, 3, 4]]);
    expect([...(await readBytes(body, length, admit))]).toEqual([1, 2, 3, 4]);
    expect([admitted, body.isDestroyed]).toEqual([expected, false]);
  });

  test('may be none', async () => {
    expect(await readBytes(undefined, 0, admit)).toHaveLength(0);
    expect(await readBytes(undefined, undefined, admit)).toHaveLength(0);
  });

  test.each([3, 5])('that are not as many as the size says, %i, are refused', async (length) => {
    const body = bodyOf([
      [1, 2],
      [3, 4],
    ]);
    await expect(readBytes(body, length, admit)).rejects.toThrow(`got 4 of ${length} bytes`);
    expect(body.isDestroyed).toBe(true);
    const { destroy, ...plain } = bodyOf([
      [1, 2],
      [3, 4],
    ]);
    await expect(readBytes(plain, length, admit)).rejects.toThrow(`got 4 of ${length} bytes`);
    await expect(readBytes(undefined, length, admit)).rejects.toThrow(`got 0 of ${length} bytes`);
  });

  test('that are too many are not read', async () => {
    const refuse = () => {
      throw new Error('too large');
    };
    for (const length of [2, undefined]) {
      const body = bodyOf([[1, 2]], new Error('read on'));
      await expect(readBytes(body, length, refuse)).rejects.toThrow('too large');
      expect(body.isDestroyed).toBe(true);
    }
  });
});

test('each call of an upload in parts can be aborted', async () => {
  const given: [string, AbortSignal | undefined][] = [];
  const client = {
    async send(command: object, options?: { abortSignal?: AbortSignal }) {
      given.push([command.constructor.name, options?.abortSignal]);
      return { UploadId: 'id' };
    },
  } as unknown as S3Client;
  const params = { Bucket: 'b', Key: 'k' };
  const stop = new AbortController();
  const { signal } = stop;
  await uploadParts({ sdk, client, params, parts: readParts(['text'], 1024, 2), signal });
  expect(given).toEqual([
    ['CreateMultipartUploadCommand', signal],
    ['UploadPartCommand', expect.any(AbortSignal)],
    ['CompleteMultipartUploadCommand', signal],
  ]);
  stop.abort();
  expect(given[1]?.[1]?.aborted).toBe(true);
});
