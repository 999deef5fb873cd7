import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { missingPeer } from '../middlewares/aws/missingPeer.ts';
import { addConditionalWrites } from './addConditionalWrites.ts';
import { createBucket } from './createBucket.ts';
import { type LocalAwsOptions, type LocalAwsSettings, readLocalAwsOptions } from './localAwsOptions.ts';
import { controlAnswers, controlServer, type ServerControl, setControl } from './serverControl.ts';

/** Local SNS, SQS and S3, or clients for another endpoint. */
export interface LocalAws extends AsyncDisposable {
  /** The endpoint of the services; `aws` for AWS itself. */
  readonly endpoint: string;
  /** The region of the topics and queues. */
  readonly region: string;
  /** The account of the topics and queues. */
  readonly accountId: string;
  /** The name of the bucket, which was created if it did not exist. */
  readonly bucket: string;
  /** A client of SNS. */
  readonly sns: SNSClient;
  /** A client of SQS. */
  readonly sqs: SQSClient;
  /** A client of S3. */
  readonly s3: S3Client;
  /** The environment variables with which a child process uses the same services. */
  readonly env: Readonly<Record<string, string>>;
  /** Registers a function that `stop` calls before it closes the clients. Returns a function that unregisters it. */
  onStop(close: () => Promise<void>): () => void;
  /** Stops the running workers, closes the clients, and stops the server if it was started here. */
  stop(): Promise<void>;
}

/**
 * Starts SNS, SQS and S3 in this process, and makes clients and a bucket for them. fauxqs provides them, on a free port
 * that only this machine can reach. With `endpoint` nothing is started, and the clients use that.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @throws AlgernonError `MISSING_PACKAGE` when `fauxqs` (needed without `endpoint`) or `@aws-sdk/client-sqs` is not
 *   installed
 * @example
 * await using aws = await startLocalAws();
 * await aws.sns.send(new CreateTopicCommand({ Name: 'load' }));
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const settings = readLocalAwsOptions(options);
  const server = settings.endpoint === undefined ? await startServer(settings) : undefined;
  const endpoint = server?.endpoint ?? settings.endpoint ?? 'aws';
  let clients: Awaited<ReturnType<typeof createClients>> | undefined;
  try {
    clients = await createClients(endpoint, settings);
    await createBucket(clients.s3, settings.bucket, settings.region);
  } catch (error) {
    closeClients(clients);
    await server?.stop();
    throw error;
  }

  const closers = new Set<() => Promise<void>>();
  const stopAll = async (): Promise<void> => {
    await Promise.allSettled([...closers].map((close) => close()));
    closeClients(clients);
    await server?.stop();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stopAll();
    return stopped;
  };
  const aws: LocalAws = {
    endpoint,
    region: settings.region,
    accountId: settings.accountId,
    bucket: settings.bucket,
    ...clients,
    env: createEnv(endpoint, settings),
    onStop(close) {
      closers.add(close);
      return () => void closers.delete(close);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  if (server) setControl(aws, server.control);
  return aws;
}

async function startServer({ port, region }: LocalAwsSettings): Promise<{
  endpoint: string;
  control: ServerControl;
  stop(): Promise<void>;
}> {
  const { buildApp } = await import('fauxqs').catch(missingPeer('fauxqs', 'algernon-middy/local'));
  const app = buildApp({ logger: false, defaultRegion: region });
  const control = controlServer(app);
  addConditionalWrites(app);
  controlAnswers(app);
  // Not with startFauxqs(), which listens on all interfaces of the machine.
  const endpoint = await app.listen({ port, host: '127.0.0.1' });
  return { endpoint, control, stop: () => app.close() };
}

async function createClients(
  endpoint: string,
  { region, credentials }: LocalAwsSettings,
): Promise<{ sns: SNSClient; sqs: SQSClient; s3: S3Client }> {
  const [{ SNSClient }, { SQSClient }, { S3Client }] = await Promise.all([
    import('@aws-sdk/client-sns'),
    import('@aws-sdk/client-sqs').catch(missingPeer('@aws-sdk/client-sqs', 'algernon-middy/local')),
    import('@aws-sdk/client-s3'),
  ]);
  const common = { region, ...(endpoint === 'aws' ? {} : { endpoint, credentials }) };
  // Each long poll holds a socket: with the SDK's limit of 50, deletes would wait behind the polls of many queues.
  const requestHandler = { httpAgent: { maxSockets: 1000 }, httpsAgent: { maxSockets: 1000 } };
  return {
    sns: new SNSClient(common),
    // This machine may not resolve the host in a queue's URL, such as sqs.us-east-1.localhost.
    sqs: new SQSClient({ ...common, requestHandler, useQueueUrlAsEndpoint: false }),
    s3: new S3Client({ ...common, forcePathStyle: true }),
  };
}

function closeClients(clients: { sns: SNSClient; sqs: SQSClient; s3: S3Client } | undefined): void {
  clients?.sns.destroy();
  clients?.sqs.destroy();
  clients?.s3.destroy();
}

function createEnv(
  endpoint: string,
  { region, bucket, credentials }: LocalAwsSettings,
): Record<string, string> {
  const env = { AWS_REGION: region, ALGERNON_BUCKET_NAME: bucket };
  if (endpoint === 'aws') return env;
  return {
    ...env,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
