import { type LoadedSdk, lazySdk } from './lazySdk.ts';
import { missingPeer } from './missingPeer.ts';
import type { AwsClient } from './optionChecks.ts';

type Sdk = typeof import('@aws-sdk/client-sqs');
type Client = InstanceType<Sdk['SQSClient']>;

/** Loads the SDK of SQS on first use. Without a client, one is made and shared. */
export const loadSqs: (given?: AwsClient) => Promise<LoadedSdk<Sdk, Client>> = lazySdk(
  () =>
    import('@aws-sdk/client-sqs').catch(
      missingPeer('@aws-sdk/client-sqs', 'a delayed task or failurePolicy'),
    ),
  // The host in a queue's URL may differ from the endpoint in the environment.
  ({ SQSClient }) => new SQSClient({ useQueueUrlAsEndpoint: false }),
);
