import { type LoadedSdk, lazySdk } from './lazySdk.ts';

type Sdk = typeof import('@aws-sdk/client-sns');
type Client = InstanceType<Sdk['SNSClient']>;

/** Loads the SDK of SNS on first use. Without a client, one is made and shared. */
export const loadSns: (given?: Client) => Promise<LoadedSdk<Sdk, Client>> = lazySdk(
  () => import('@aws-sdk/client-sns'),
  ({ SNSClient }) => new SNSClient(),
);
