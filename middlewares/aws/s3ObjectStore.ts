import { GetObjectCommand, type ObjectCannedACL, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  StoredDataAccessError,
  StoredDataError,
  StoredDataMissingError,
  StoredDataUnavailableError,
} from '../../core/errors.ts';
import type { ObjectAddress, ObjectStore } from '../../core/storedData.ts';

let shared: S3Client | undefined;

export interface S3ObjectStoreOptions {
  /** Default: one made at the first need, shared by all that give none. */
  s3?: S3Client | undefined;
  /** A canned ACL for what is written. Default: none, as buckets that own all their objects want it. */
  acl?: ObjectCannedACL | undefined;
}

/** Keeps stored values in S3. */
export function s3ObjectStore({ s3, acl }: S3ObjectStoreOptions = {}): ObjectStore {
  const client = () => {
    if (!s3) shared ??= new S3Client();
    return s3 ?? (shared as S3Client);
  };

  return {
    async get({ bucket, key }, { admit, signal }) {
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body, ContentLength } = await client().send(command, signal && { abortSignal: signal });
        try {
          admit(ContentLength ?? Number.POSITIVE_INFINITY);
        } catch (error) {
          // The rest of the answer is not wanted, and its connection is not to be kept for it.
          (Body as { destroy?(): void } | undefined)?.destroy?.();
          throw error;
        }
        return (await Body?.transformToString()) ?? '';
      } catch (error) {
        throw storedDataError({ bucket, key }, error);
      }
    },

    async put({ bucket, key }, text, { signal } = {}) {
      try {
        const command = new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: text,
          ContentType: 'application/json',
          ...(acl && { ACL: acl }),
        });
        await client().send(command, signal && { abortSignal: signal });
      } catch (error) {
        throw storedDataError({ bucket, key }, error);
      }
    },
  };
}

function storedDataError({ bucket, key }: ObjectAddress, error: unknown): StoredDataError {
  if (error instanceof StoredDataError) return error;
  const place = `s3://${bucket}/${key}`;
  const { name, $metadata } = Object(error) as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchKey' || name === 'NoSuchBucket') return new StoredDataMissingError(place, error);
  if ($metadata?.httpStatusCode === 403) return new StoredDataAccessError(place, error);
  return new StoredDataUnavailableError(place, error);
}
