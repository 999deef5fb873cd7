import type { ObjectCannedACL, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { ConditionalOptions, ConditionalStore } from '../../core/storedData/ConditionalStore.ts';
import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { tooLarge } from '../../core/storedData/StoredDataError.ts';
import { captureClient } from '../tracing/carrying.ts';
import { decodeText } from './decodeText.ts';
import { loadS3 } from './loadS3.ts';
import { s3Error } from './s3Error.ts';
import { type ObjectBody, readBytes } from './s3Reader.ts';

export interface S3ConditionalStoreOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client | undefined;
  /** A canned ACL for objects that are written. Default: none. */
  acl?: ObjectCannedACL | undefined;
}

/** How often a write is tried while another one of the same object is under way. */
const conflictTries = 4;

/** Stores texts in S3 with `If-None-Match` and `If-Match`. */
export function s3ConditionalStore({ s3, acl }: S3ConditionalStoreOptions = {}): ConditionalStore {
  /** Resolves to the version that was written, or to undefined if the condition does not hold. */
  const put = async (
    address: ObjectAddress,
    text: string,
    condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>,
    { signal }: ConditionalOptions = {},
  ): Promise<string | undefined> => {
    const { sdk, client } = await loadS3(s3);
    const command = new sdk.PutObjectCommand({
      Bucket: address.bucket,
      Key: address.key,
      Body: text,
      ContentType: 'application/json',
      ...condition,
      ...(acl && { ACL: acl }),
    });
    for (let tries = 1; ; tries += 1) {
      try {
        const { ETag } = await captureClient(client).send(command, signal && { abortSignal: signal });
        return ETag as string;
      } catch (error) {
        const status = statusOf(error);
        // A replaced object can also be gone; a missing bucket is a fault.
        if (status === 412 || (condition.IfMatch && isMissingKey(error))) return undefined;
        if (status !== 409 || tries === conflictTries || signal?.aborted) {
          throw s3Error('write', address, error);
        }
      }
    }
  };

  return {
    async read(address, { maxBytes, signal }) {
      const { sdk, client } = await loadS3(s3);
      const command = new sdk.GetObjectCommand({ Bucket: address.bucket, Key: address.key });
      let bytesRead = 0;
      const admit = (bytes: number) => {
        bytesRead += bytes;
        if (bytesRead > maxBytes) throw tooLarge(address.key, bytesRead, maxBytes);
      };
      try {
        const sent = captureClient(client).send(command, signal && { abortSignal: signal });
        const { Body, ContentLength, ETag } = await sent;
        const bytes = await readBytes(Body as ObjectBody | undefined, ContentLength, admit);
        return {
          text: decodeText(bytes, `s3://${address.bucket}/${address.key}`),
          version: ETag as string,
        };
      } catch (error) {
        if (isMissingKey(error) || isDenied(error)) return undefined;
        throw s3Error('read', address, error);
      }
    },

    create: (address, text, options) => put(address, text, { IfNoneMatch: '*' }, options),
    replace: (address, text, version, options) => put(address, text, { IfMatch: version }, options),
  };
}

interface Fault {
  name?: string;
  $metadata?: { httpStatusCode?: number };
}

function statusOf(error: unknown): number | undefined {
  return (Object(error) as Fault).$metadata?.httpStatusCode;
}

function isMissingKey(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Fault).name !== 'NoSuchBucket';
}

/** Other answers with 403, such as those for expired credentials, are faults. */
function isDenied(error: unknown): boolean {
  return statusOf(error) === 403 && /^(AccessDenied|Forbidden|403)/.test(String((error as Fault).name));
}
