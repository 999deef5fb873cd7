import type { ObjectCannedACL } from '@aws-sdk/client-s3';
import { AjsonError } from '../../core/ajson/AjsonError.ts';
import type { ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { captureClient } from '../tracing/carrying.ts';
import { loadS3 } from './loadS3.ts';
import { readParts } from './readParts.ts';
import { s3Error } from './s3Error.ts';
import { type S3ReaderOptions, s3Reader } from './s3Reader.ts';
import { concurrentParts, uploadParts } from './uploadParts.ts';

export interface S3ObjectStoreOptions extends S3ReaderOptions {
  /** A canned ACL for objects that are written. Default: none, as buckets with ACLs disabled require. */
  acl?: ObjectCannedACL | undefined;
}

/** Texts with more bytes are uploaded in parts. */
const maxPutBytes = 8 * 1024 * 1024;

/** The size of a part: the smallest that S3 allows, since parts are held in memory. */
const partBytes = 5 * 1024 * 1024;

/** Stores values in S3. The client retries failed calls. */
export function s3ObjectStore({ s3, acl }: S3ObjectStoreOptions = {}): ObjectStore {
  return {
    ...s3Reader({ s3 }),

    async put(address, text, { signal } = {}) {
      const short = shortText(text);
      const parts = short === undefined ? readParts(piecesOf(text), partBytes, concurrentParts) : undefined;
      // Before anything else runs, so that a value of up to this size is written as it is now.
      const whole = short ?? parts?.readAhead(maxPutBytes);
      const { sdk, client } = await loadS3(s3);
      captureClient(client);
      const params = {
        Bucket: address.bucket,
        Key: address.key,
        ContentType: 'application/json',
        ...(acl && { ACL: acl }),
      };
      try {
        if (whole !== undefined) {
          const command = new sdk.PutObjectCommand({ ...params, Body: whole });
          await client.send(command, signal && { abortSignal: signal });
        } else if (parts) await uploadParts({ sdk, client, params, parts, signal });
      } catch (error) {
        // The text is written as it is uploaded, so the error may be of the value.
        throw error instanceof AjsonError ? error : s3Error('write', address, error);
      }
    },
  };
}

function piecesOf(text: string | Iterable<string>): Iterable<string> {
  return typeof text === 'string' ? [text] : text;
}

/** A text whose size is known, and that needs no parts. */
function shortText(text: string | Iterable<string>): string | undefined {
  const pieces = typeof text === 'string' ? [text] : text;
  if (!Array.isArray(pieces)) return undefined;
  const bytes = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  return bytes <= maxPutBytes ? pieces.join('') : undefined;
}
