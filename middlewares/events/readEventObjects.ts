import type { S3Client } from '@aws-sdk/client-s3';
import type { ChainReader } from '../../core/chains/EventSink.ts';
import { limitConcurrency } from '../../core/storedData/limitConcurrency.ts';
import {
  StoredDataError,
  type StoredDataErrorCode,
  tooLarge,
} from '../../core/storedData/StoredDataError.ts';
import { loadS3 } from '../aws/loadS3.ts';
import { s3Error } from '../aws/s3Error.ts';
import { s3ObjectStore } from '../aws/s3ObjectStore.ts';

export interface EventObjects {
  s3: S3Client | undefined;
  bucket: string;
  /** The start of the keys. A time in milliseconds of 15 digits follows. */
  prefix: string;
}

const concurrentReads = 16;
/** The largest object to read, in bytes. A write has at most 1000 events. */
const maxBytes = 16_777_216;
/** How long after its time an object may appear, with clocks that differ and calls that are repeated, in milliseconds. */
const lateMillis = 60_000;

/** The codes of objects that are left out: removed by a lifecycle rule, or written by something else. */
const skipped: ReadonlySet<string> = /* @__PURE__ */ new Set<StoredDataErrorCode>([
  'STORED_DATA_MISSING',
  'STORED_DATA_BODY',
  'STORED_DATA_TOO_LARGE',
]);

/** The start of a key's name, so that keys are listed in order of time. */
export function keyTime(millis: number): string {
  return String(millis).padStart(15, '0');
}

/** Reads the objects with events under a prefix. An object that is not JSON, or is too large, is left out. */
export function readEventObjects({ s3, bucket, prefix }: EventObjects): ChainReader {
  const store = s3ObjectStore({ s3 });
  const limited = limitConcurrency(concurrentReads);
  const seen = new Set<string>();
  let latest = 0;

  const listNew = async (signal: AbortSignal | undefined): Promise<string[]> => {
    const { sdk, client } = await loadS3(s3);
    const keys: string[] = [];
    let from: { StartAfter?: string; ContinuationToken?: string } = {
      StartAfter: prefix + keyTime(Math.max(0, latest - lateMillis)),
    };
    for (;;) {
      const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...from });
      const page = await client.send(command, signal && { abortSignal: signal });
      for (const { Key } of page.Contents ?? []) if (Key !== undefined && !seen.has(Key)) keys.push(Key);
      if (!page.NextContinuationToken) return keys;
      from = { ContinuationToken: page.NextContinuationToken };
    }
  };

  const readObject = async (key: string, signal: AbortSignal | undefined): Promise<unknown[]> => {
    let bytesRead = 0;
    const admit = (bytes: number) => {
      bytesRead += bytes;
      if (bytesRead > maxBytes) throw tooLarge(key, bytesRead, maxBytes);
    };
    try {
      const events: unknown = JSON.parse(await store.get({ bucket, key }, { admit, signal }));
      return Array.isArray(events) ? events : [];
    } catch (error) {
      const isSkipped = error instanceof StoredDataError && skipped.has(error.code);
      if (!isSkipped && !(error instanceof SyntaxError)) throw error;
      return [];
    }
  };

  return {
    async read({ signal }) {
      let keys: string[];
      try {
        keys = await listNew(signal);
      } catch (error) {
        throw listError({ bucket, key: prefix }, error);
      }
      const read = await Promise.all(keys.map((key) => limited(() => readObject(key, signal))));
      for (const key of keys) {
        seen.add(key);
        latest = Math.max(latest, Number(key.slice(prefix.length, prefix.length + 15)) || 0);
      }
      return read.flat();
    },
  };
}

function listError(address: { bucket: string; key: string }, error: unknown): Error {
  const { $metadata } = Object(error) as { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== 403) return s3Error('read', address, error);
  return new StoredDataError(
    'STORED_DATA_ACCESS',
    `Cannot list s3://${address.bucket}/${address.key}: access is denied. Reading chain events needs s3:ListBucket for the bucket.`,
    { cause: error },
  );
}
