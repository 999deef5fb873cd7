import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws } from '../../local/startLocalAws.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

let count = 0;
/** An object that does not exist, with a name that must be escaped in a URL. */
const newObject = () => {
  count += 1;
  return { Bucket: aws.bucket, Key: `groups/a b!${count}#é.json` };
};

type Conditions = { IfNoneMatch?: string; IfMatch?: string };
const put = (object: { Bucket: string; Key: string }, Body: string, conditions: Conditions = {}) =>
  aws.s3.send(new PutObjectCommand({ ...object, Body, ...conditions }));

const textOf = async (object: { Bucket: string; Key: string }) => {
  const { Body } = await aws.s3.send(new GetObjectCommand(object));
  return Body?.transformToString();
};

/** The name and the status of a failed call. */
const faultOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no fault',
    ({ name, $metadata }) => `${$metadata?.httpStatusCode} ${name}`,
  );

describe('If-None-Match: *', () => {
  test('creates an object that does not exist', async () => {
    const object = newObject();
    const { ETag } = await put(object, 'first', { IfNoneMatch: '*' });
    expect(ETag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await textOf(object)).toBe('first');
  });

  test('refuses to replace an object with 412, and leaves it as it is', async () => {
    const object = newObject();
    await put(object, 'first');
    expect(await faultOf(put(object, 'second', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await textOf(object)).toBe('first');
  });

  test('lets one of many simultaneous writes pass', async () => {
    for (let round = 0; round < 5; round += 1) {
      const object = newObject();
      const writes = Array.from({ length: 20 }, (_, index) =>
        put(object, String(index), { IfNoneMatch: '*' }).then(
          () => index,
          () => undefined,
        ),
      );
      const winners = (await Promise.all(writes)).filter((index) => index !== undefined);
      expect(winners).toHaveLength(1);
      expect(await textOf(object)).toBe(String(winners[0]));
    }
  });

  test('creates an object again after it was deleted', async () => {
    const object = newObject();
    await put(object, 'first', { IfNoneMatch: '*' });
    await aws.s3.send(new DeleteObjectCommand(object));
    await put(object, 'second', { IfNoneMatch: '*' });
    expect(await textOf(object)).toBe('second');
  });

  test('takes no value but *', async () => {
    expect(await faultOf(put(newObject(), 'first', { IfNoneMatch: '"abc"' }))).toBe('501 NotImplemented');
  });

  test('applies to the end of an upload in parts', async () => {
    const object = newObject();
    const upload = await aws.s3.send(new CreateMultipartUploadCommand(object));
    const parts = { ...object, UploadId: upload.UploadId };
    const { ETag } = await aws.s3.send(new UploadPartCommand({ ...parts, PartNumber: 1, Body: 'parts' }));
    await put(object, 'first');
    const complete = new CompleteMultipartUploadCommand({
      ...parts,
      MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] },
      IfNoneMatch: '*',
    });
    expect(await faultOf(aws.s3.send(complete))).toBe('412 PreconditionFailed');
    expect(await textOf(object)).toBe('first');
  });
});

describe('If-Match', () => {
  test('replaces the version that it names', async () => {
    const object = newObject();
    const { ETag } = await put(object, 'first');
    await put(object, 'second', { IfMatch: ETag as string });
    expect(await textOf(object)).toBe('second');
  });

  test('refuses another version with 412, and a missing object with 404', async () => {
    const object = newObject();
    const { ETag } = await put(object, 'first');
    await put(object, 'second');
    expect(await faultOf(put(object, 'third', { IfMatch: ETag as string }))).toBe('412 PreconditionFailed');
    expect(await faultOf(put(newObject(), 'third', { IfMatch: ETag as string }))).toBe('404 NoSuchKey');
    expect(await textOf(object)).toBe('second');
  });

  test('lets one of many simultaneous replacements pass', async () => {
    const object = newObject();
    const { ETag } = await put(object, 'first');
    const writes = Array.from({ length: 20 }, (_, index) =>
      faultOf(put(object, String(index), { IfMatch: ETag as string })),
    );
    const outcomes = await Promise.all(writes);
    expect(outcomes.filter((outcome) => outcome === 'no fault')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['no fault', '412 PreconditionFailed']));
  });

  test('guards a delete', async () => {
    const object = newObject();
    const { ETag } = await put(object, 'first');
    const stale = new DeleteObjectCommand({ ...object, IfMatch: '"0123456789abcdef0123456789abcdef"' });
    expect(await faultOf(aws.s3.send(stale))).toBe('412 PreconditionFailed');
    await aws.s3.send(new DeleteObjectCommand({ ...object, IfMatch: ETag as string }));
    expect(await faultOf(aws.s3.send(new GetObjectCommand(object)))).toBe('404 NoSuchKey');
  });
});

test('a delete during a conditional write is a conflict with 409', async () => {
  const object = newObject();
  await put(object, 'first');
  const url = new URL(`${aws.endpoint}/${object.Bucket}/${encodeURIComponent(object.Key)}`);
  const { promise: isDeleted, resolve: goOn } = Promise.withResolvers<void>();
  async function* body() {
    yield Buffer.from('sec');
    await isDeleted;
    yield Buffer.from('ond');
  }
  const writing = fetch(url, {
    method: 'PUT',
    headers: { 'if-none-match': '*', 'content-type': 'application/octet-stream' },
    body: body(),
    duplex: 'half',
  } as RequestInit);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await aws.s3.send(new DeleteObjectCommand(object));
  goOn();
  const answer = await writing;
  expect([answer.status, await answer.text()]).toEqual([
    409,
    expect.stringContaining('ConditionalRequestConflict'),
  ]);
});

test('plain writes pass as before, also many at once', async () => {
  const object = newObject();
  await Promise.all(Array.from({ length: 20 }, (_, index) => put(object, String(index))));
  expect(Number(await textOf(object))).toBeLessThan(20);
});
