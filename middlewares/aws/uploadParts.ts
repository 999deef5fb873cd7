import type { CompletedPart, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type { Parts } from './readParts.ts';

export interface PartsUpload {
  sdk: typeof import('@aws-sdk/client-s3');
  client: S3Client;
  params: Omit<PutObjectCommandInput, 'Body'>;
  parts: Parts;
  signal?: AbortSignal | undefined;
}

/** While one part is on its way, the other is encoded. More would only take memory. */
export const concurrentParts = 2;

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
  const { sdk, client, parts } = upload;
  const failed = new AbortController();
  const abortSignal = upload.signal ? AbortSignal.any([upload.signal, failed.signal]) : failed.signal;
  const completed: CompletedPart[] = [];

  const sendNext = async () => {
    for (let part = parts.next(); part; part = parts.next()) {
      abortSignal.throwIfAborted();
      const { number, bytes } = part;
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
      parts.release(part);
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
