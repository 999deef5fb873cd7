import { GetObjectCommand, type ObjectCannedACL, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  StoredDataAccessError,
  StoredDataError,
  StoredDataMissingError,
  StoredDataRefusedError,
  StoredDataUnavailableError,
} from '../../core/errors.ts';
import type { ObjectAddress, ObjectStore } from '../../core/storedData.ts';
import { captureClient } from '../tracing/carrying.ts';
import { isFinalFault } from './isFinalFault.ts';
import { uploadParts } from './uploadParts.ts';

let shared: S3Client | undefined;

export interface S3ObjectStoreOptions {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client | undefined;
  /** A canned ACL for what is written. Default: none, as buckets that own all their objects want it. */
  acl?: ObjectCannedACL | undefined;
}

/** What is larger than this goes up in parts of this size, in bytes. */
const partBytes = 8 * 1024 * 1024;

/** Keeps stored values in S3. Retries are those of the client. */
export function s3ObjectStore({ s3, acl }: S3ObjectStoreOptions = {}): ObjectStore {
  const client = () => {
    if (!s3) shared ??= new S3Client();
    return captureClient(s3 ?? (shared as S3Client));
  };

  return {
    async get({ bucket, key }, { admit, signal }) {
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body, ContentLength } = await client().send(command, signal && { abortSignal: signal });
        return await readText(Body as ObjectBody | undefined, ContentLength, admit);
      } catch (error) {
        throw storedDataError({ bucket, key }, error);
      }
    },

    async put({ bucket, key }, text, { signal } = {}) {
      const params = {
        Bucket: bucket,
        Key: key,
        Body: text,
        ContentType: 'application/json',
        ...(acl && { ACL: acl }),
      };
      try {
        if (Buffer.byteLength(text) > partBytes) await uploadParts(client(), params, partBytes, signal);
        else await client().send(new PutObjectCommand(params), signal && { abortSignal: signal });
      } catch (error) {
        throw storedDataError({ bucket, key }, error);
      }
    },
  };
}

type ObjectBody = AsyncIterable<Uint8Array> & { destroy?(): void };

/** Reads an object whose size was admitted; one of unknown size is admitted piece by piece. */
async function readText(
  body: ObjectBody | undefined,
  length: number | undefined,
  admit: (bytes: number) => void,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  try {
    if (length !== undefined) admit(length);
    for await (const piece of body ?? []) {
      if (length === undefined) admit(piece.byteLength);
      pieces.push(piece);
    }
  } catch (error) {
    // The rest of the answer is not wanted, and its connection is not to be kept for it.
    body?.destroy?.();
    throw error;
  }
  return Buffer.concat(pieces).toString();
}

function storedDataError({ bucket, key }: ObjectAddress, error: unknown): StoredDataError {
  if (error instanceof StoredDataError) return error;
  const place = `s3://${bucket}/${key}`;
  if (!isFinalFault(error)) return new StoredDataUnavailableError(place, error);
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchKey' || name === 'NoSuchBucket') return new StoredDataMissingError(place, error);
  if ($metadata?.httpStatusCode === 403) return new StoredDataAccessError(place, error);
  return new StoredDataRefusedError(place, error);
}
