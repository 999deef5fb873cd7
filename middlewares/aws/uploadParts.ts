import type { CompletedPart, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';

export interface PartsUpload {
  sdk: typeof import('@aws-sdk/client-s3');
  client: S3Client;
  params: Omit<PutObjectCommandInput, 'Body'>;
  /** The text to upload. */
  pieces: readonly string[];
  partBytes: number;
  signal?: AbortSignal | undefined;
}

/** Three concurrent parts keep 1 vCPU busy, and take little memory beyond the text. */
const concurrentParts = 3;

/** How many characters are encoded at a time. */
const sliceLength = 1024 * 1024;

/**
 * Uploads a text in parts, so that its bytes are never in memory as a whole. After a failure the parts are removed. If
 * that fails too, the error is still that of the upload.
 */
export async function uploadParts(upload: PartsUpload): Promise<void> {
  const { sdk, client, params, signal } = upload;
  const { Bucket, Key } = params;
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand(params),
    signal && { abortSignal: signal },
  );
  const target = { Bucket, Key, UploadId };
  try {
    const Parts = await sendParts(upload, target);
    const command = new sdk.CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } });
    await client.send(command, signal && { abortSignal: signal });
  } catch (error) {
    await client.send(new sdk.AbortMultipartUploadCommand(target)).catch(() => {});
    throw error;
  }
}

type Target = { Bucket: string | undefined; Key: string | undefined; UploadId: string | undefined };

async function sendParts(upload: PartsUpload, target: Target): Promise<CompletedPart[]> {
  const { sdk, client, pieces, partBytes } = upload;
  const failed = new AbortController();
  const abortSignal = upload.signal ? AbortSignal.any([upload.signal, failed.signal]) : failed.signal;
  const parts = partsOf(pieces, partBytes);
  const completed: CompletedPart[] = [];

  const sendNext = async () => {
    for (let next = parts.next(); !next.done; next = parts.next()) {
      abortSignal.throwIfAborted();
      const { number, bytes } = next.value;
      const command = new sdk.UploadPartCommand({ ...target, PartNumber: number, Body: bytes });
      const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } =
        await client.send(command, { abortSignal });
      completed[number - 1] = {
        PartNumber: number,
        ETag,
        ChecksumCRC32,
        ChecksumCRC32C,
        ChecksumCRC64NVME,
        ChecksumSHA1,
        ChecksumSHA256,
      };
    }
  };
  const sending = Array.from({ length: concurrentParts }, () =>
    sendNext().catch((error) => {
      failed.abort(error);
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(sending);
  const rejected = outcomes.some(({ status }) => status === 'rejected');
  // The first failure aborted the others; if the task was stopped, its own reason is the first.
  if (rejected) throw failed.signal.reason;
  return completed;
}

/** Cuts a text into parts of equal size; the last may be smaller. */
function* partsOf(pieces: readonly string[], partBytes: number) {
  let part = Buffer.allocUnsafeSlow(partBytes);
  let number = 1;
  let filled = 0;
  for (const slice of slicesOf(pieces)) {
    for (let rest = Buffer.from(slice); rest.length > 0; ) {
      const copied = rest.copy(part, filled);
      rest = rest.subarray(copied);
      filled += copied;
      if (filled === partBytes) {
        yield { number, bytes: part };
        part = Buffer.allocUnsafeSlow(partBytes);
        number += 1;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield { number, bytes: part.subarray(0, filled) };
}

function* slicesOf(pieces: readonly string[]): Generator<string> {
  for (const piece of pieces) {
    for (let start = 0, end: number; start < piece.length; start = end) {
      end = Math.min(start + sliceLength, piece.length);
      // Do not cut a surrogate pair.
      if (isHighSurrogate(piece.charCodeAt(end - 1))) end += 1;
      yield piece.slice(start, end);
    }
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
