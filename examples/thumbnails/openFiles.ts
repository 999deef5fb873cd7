import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** The files in the worker's bucket. */
export interface Files {
  get(key: string): Promise<Uint8Array>;
  put(key: string, content: string | Uint8Array): Promise<void>;
}

export function openFiles(): Files {
  // Path style, since the name of a bucket is not a host on this machine.
  const s3 = new S3Client({ forcePathStyle: true });
  const Bucket = process.env.ALGERNON_BUCKET_NAME;
  return {
    async get(Key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      if (!Body) throw new Error(`${Key} is empty`);
      return Body.transformToByteArray();
    },
    async put(Key, Body) {
      const ContentType = typeof Body === 'string' ? 'text/html' : 'image/png';
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType }));
    },
  };
}
