import type { S3Client } from '@aws-sdk/client-s3';

/** Bytes that went to S3 and came from it. */
export interface ByteCount {
  up: number;
  down: number;
}

/** Counts the bytes of what a client puts and gets, from now on. */
export function countBytes(s3: S3Client): ByteCount {
  const count = { up: 0, down: 0 };
  s3.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      count.up += lengthOf(args.request);
      count.down += lengthOf(result.response);
      return result;
    },
    { step: 'deserialize', name: 'countBytes' },
  );
  return count;
}

function lengthOf(message: unknown): number {
  const { headers } = message as { headers: Record<string, string | undefined> };
  return Number(headers['content-length'] ?? 0);
}
