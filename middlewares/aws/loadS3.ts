import { type LoadedSdk, lazySdk } from './lazySdk.ts';
import { missingPeer } from './missingPeer.ts';

type Sdk = typeof import('@aws-sdk/client-s3');
type Client = InstanceType<Sdk['S3Client']>;

/** Loads the SDK of S3 on first use. Without a client, one is made and shared. */
export const loadS3: (given?: Client) => Promise<LoadedSdk<Sdk, Client>> = lazySdk(
  () => import('@aws-sdk/client-s3').catch(missingPeer('@aws-sdk/client-s3', 'stored data')),
  ({ S3Client }) => new S3Client(),
);
