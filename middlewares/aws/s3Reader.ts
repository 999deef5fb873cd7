import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { captureClient } from '../tracing/carrying.ts';
import { decodeText } from './decodeText.ts';
import { loadS3 } from './loadS3.ts';
import { s3Error } from './s3Error.ts';

export interface S3ReaderOptions {
  /** Default: a shared client, made on first use. */
  s3?: S3Client | undefined;
}

/** Reads values from S3. The client retries failed calls. */
export function s3Reader({ s3 }: S3ReaderOptions = {}): Pick<ObjectStore, 'get'> {
  return {
    async get(address, { admit, signal }) {
      const { sdk, client } = await loadS3(s3);
      try {
        const command = new sdk.GetObjectCommand({ Bucket: address.bucket, Key: address.key });
        const sent = captureClient(client).send(command, signal && { abortSignal: signal });
        const { Body, ContentLength } = await sent;
        const bytes = await readBytes(Body as ObjectBody | undefined, ContentLength, admit);
        return decodeText(bytes, `s3://${address.bucket}/${address.key}`);
      } catch (error) {
        throw s3Error('read', address, error);
      }
    },
  };
}

export type ObjectBody = AsyncIterable<Uint8Array> & { destroy?(): void };

/** Reads an object. Its size, or each piece if the size is unknown, is passed to `admit` first. */
export async function readBytes(
  body: ObjectBody | undefined,
  length: number | undefined,
  admit: (bytes: number) => void,
): Promise<Buffer> {
  try {
    if (length !== undefined) admit(length);
    const pieces: Uint8Array[] = [];
    // A known size is allocated once. Joining pieces would take twice the memory.
    const whole = length === undefined ? undefined : Buffer.allocUnsafeSlow(length);
    let filled = 0;
    for await (const piece of body ?? []) {
      if (!whole) {
        admit(piece.byteLength);
        pieces.push(piece);
      } else if (filled + piece.byteLength <= whole.byteLength) whole.set(piece, filled);
      filled += piece.byteLength;
    }
    if (whole && filled !== length) throw new Error(`got ${filled} of ${length} bytes`);
    return whole ?? Buffer.concat(pieces);
  } catch (error) {
    // Closes the connection, since the rest of the body is not read.
    body?.destroy?.();
    throw error;
  }
}
