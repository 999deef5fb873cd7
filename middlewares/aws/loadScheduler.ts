import { type LoadedSdk, lazySdk } from './lazySdk.ts';
import { missingPeer } from './missingPeer.ts';
import type { AwsClient } from './optionChecks.ts';

type Sdk = typeof import('@aws-sdk/client-scheduler');
type Client = InstanceType<Sdk['SchedulerClient']>;

/** Loads the SDK of EventBridge Scheduler on first use. Without a client, one is made and shared. */
export const loadScheduler: (given?: AwsClient) => Promise<LoadedSdk<Sdk, Client>> = lazySdk(
  () =>
    import('@aws-sdk/client-scheduler').catch(missingPeer('@aws-sdk/client-scheduler', 'a scheduled task')),
  ({ SchedulerClient }) => new SchedulerClient(),
);
