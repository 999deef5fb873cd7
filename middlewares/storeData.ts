import { randomUUID } from 'node:crypto';
import type { ObjectCannedACL, S3Client } from '@aws-sdk/client-s3';
import { ajson as sharedAjson } from '../core/ajson/ajson.ts';
import type { Ajson } from '../core/ajson/openAjson.ts';
import { writePieces } from '../core/ajson/writePieces.ts';
import { checkOptions, finite, flag, text, withMethod } from '../core/checkOptions.ts';
import { formatPointer, parsePointer } from '../core/storedData/pointer.ts';
import { markStored, StoredData } from '../core/storedData/StoredData.ts';
import { bucketToWrite, folderFromEnvironment } from './aws/environment.ts';
import { awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { storeValue, writeValue } from './aws/writeValue.ts';

/** Options of {@link storeData}. */
export interface StoreDataOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client;
  /** Default: `ALGERNON_BUCKET_NAME`. */
  bucket?: string;
  /** Default: `CACHE_FOLDER_NAME`, else `cache`. */
  folder?: string;
  /** The name of the object. With the same `name` and `timestamp` the same object is written again. Default: a UUID. */
  name?: string;
  /** Milliseconds since 1970. Default: now. */
  timestamp?: number;
  /** A canned ACL for the object. Default: none. */
  acl?: ObjectCannedACL;
  /** Whether a worker gets the value itself. If false, it gets a `StoredData` that holds the value. Default true. */
  fullUnpack?: boolean;
  /** Whether readers only parse the value, without rebuilding classes. Default false. */
  safeMode?: boolean;
  /** The registry that writes the value. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps'>;
  /** Aborts the upload. Default: none. */
  signal?: AbortSignal;
}

const optionChecks = {
  s3: awsClient('S3Client'),
  bucket: bucketName,
  folder: folderName,
  name: text('a string that is not empty'),
  timestamp: finite('milliseconds', 0),
  acl: text('a canned ACL'),
  fullUnpack: flag,
  safeMode: flag,
  ajson: withMethod('dumps', 'a registry'),
  signal: withMethod('throwIfAborted', 'an AbortSignal'),
};

/**
 * Puts a value in S3 and resolves to its {@link StoredData}, which may go into the arguments or the result of a task. In
 * the next worker `storedDataHydrate` reads it, and so does {@link readData}.
 *
 * @throws OptionError, NotConfiguredError, AjsonError, StoredDataError
 * @example
 * const image = await storeData(pixels, { bucket: 'results' });
 * await sendTask({ task_name: 'describe', task_kwargs: { image } });
 */
export async function storeData(value: unknown, options: StoreDataOptions = {}): Promise<StoredData> {
  const {
    s3,
    bucket,
    folder,
    name = randomUUID(),
    timestamp = Date.now(),
    acl,
    fullUnpack,
    safeMode,
    ajson = sharedAjson,
    signal,
  } = checkOptions('storeData', options, optionChecks);
  const store = s3ObjectStore({ s3, acl });
  const pointer = formatPointer({
    bucket: bucketToWrite(bucket, 'storeData'),
    folder: folder ?? folderFromEnvironment(),
    name,
    timestamp: Math.floor(timestamp),
  });
  const address = parsePointer(pointer);
  const pieces = (part: unknown) => writePieces(ajson, part);
  const storing = { store, bucket: address.bucket, pieces, signal };
  await storeValue(address, writeValue(value, storing), storing, { fullUnpack, safeMode });
  return markStored(new StoredData({ pointer, value }));
}
