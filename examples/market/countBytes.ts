import type { S3Client } from '@aws-sdk/client-s3';

/** The bytes sent to and received from S3. */
export interface ByteCount {
  up: number;
  down: number;
}

/** Counts the bytes that a client puts and gets from now on. */
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
