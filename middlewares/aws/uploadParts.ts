import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';

/** What a text is cut into, in characters: small beside a part, so that little more than the parts is held. */
const sliceLength = 1024 * 1024;

/**
 * Uploads a text in parts of `partBytes`, a few at once. The text is never held a second time as bytes. What was uploaded
 * of a text that could not be finished is taken away again.
 */
export async function uploadParts(
  client: S3Client,
  params: PutObjectCommandInput & { Body: string },
  partBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const upload = new Upload({
    client,
    params: { ...params, Body: Readable.from(slicesOf(params.Body)) },
    partSize: partBytes,
  });
  const abort = () => upload.abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    await upload.done();
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function* slicesOf(text: string): Generator<Uint8Array> {
  for (let start = 0, end: number; start < text.length; start = end) {
    end = Math.min(start + sliceLength, text.length);
    if (isHighSurrogate(text.charCodeAt(end - 1))) end += 1;
    yield Buffer.from(text.slice(start, end));
  }
}

/** Its other half must not be cut off. */
function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
