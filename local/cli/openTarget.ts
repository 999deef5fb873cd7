import { readFile } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { AlgernonError } from '../../core/errors.ts';
import { missingPeer } from '../../middlewares/aws/missingPeer.ts';
import { UsageError } from './command.ts';

/** The AWS that a command works with. */
export interface Target {
  /** For people: `AWS`, or the endpoint. */
  readonly name: string;
  readonly isLocal: boolean;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  /** The bucket for stored values, if it is known. */
  readonly bucket: string | undefined;
  close(): void;
}

export interface TargetValues {
  readonly endpoint?: string | undefined;
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
}

/** The file in which the dev server says where it listens, in the current folder. */
export const devFile = '.algernon/dev.json';

/** The content of the file. */
export interface DevServerFile {
  readonly endpoint: string;
  readonly region?: string;
  readonly bucket?: string;
  /** The page, with its token. */
  readonly url?: string;
  /** The file of the run. */
  readonly file?: string;
}

/**
 * Opens the AWS of the options: `--endpoint`, or AWS itself with `--profile` or `--region`. Without them it is the running
 * dev server, else AWS as the environment says.
 *
 * @throws UsageError when the options contradict each other
 */
export async function openTarget({ endpoint, profile, region }: TargetValues): Promise<Target> {
  if (endpoint !== undefined && profile !== undefined) {
    throw new UsageError('--endpoint and --profile exclude each other: a profile is for AWS itself.');
  }
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    throw new UsageError(`--endpoint must be a URL such as http://127.0.0.1:4566, not ${endpoint}.`);
  }
  const isAws = profile !== undefined || (endpoint === undefined && region !== undefined);
  const dev = isAws || endpoint !== undefined ? undefined : await readDevFile();
  const url = isAws ? undefined : (endpoint ?? dev?.endpoint ?? process.env.AWS_ENDPOINT_URL);
  const clients = await makeClients(url, { profile, region: region ?? dev?.region });
  return {
    name: url ?? 'AWS',
    isLocal: url !== undefined,
    bucket:
      process.env.ALGERNON_BUCKET_NAME ?? dev?.bucket ?? (url === undefined ? undefined : 'algernon-local'),
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/** Reads the file, if there is one. */
export async function readDevFile(): Promise<DevServerFile | undefined> {
  let text: string;
  try {
    text = await readFile(devFile, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const dev = JSON.parse(text) as DevServerFile;
    if (typeof dev.endpoint === 'string') return dev;
  } catch {
    // Not JSON: the error below says what to do.
  }
  throw new AlgernonError(
    'DEV_FILE',
    `${devFile} has no endpoint. Delete it, or start the dev server again.`,
  );
}

async function makeClients(url: string | undefined, { profile, region }: TargetValues) {
  const [{ S3Client }, { SNSClient }, { SQSClient }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/client-sns'),
    import('@aws-sdk/client-sqs').catch(missingPeer('@aws-sdk/client-sqs', 'algernon-middy')),
  ]);
  const { AWS_ACCESS_KEY_ID: accessKeyId = 'test', AWS_SECRET_ACCESS_KEY: secretAccessKey = 'test' } =
    process.env;
  const config = {
    ...(url !== undefined && {
      endpoint: url,
      credentials: { accessKeyId, secretAccessKey },
      region: region ?? process.env.AWS_REGION ?? 'us-east-1',
    }),
    ...(url === undefined && region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  };
  return {
    s3: new S3Client({ ...config, ...(url !== undefined && { forcePathStyle: true }) }),
    sns: new SNSClient(config),
    sqs: new SQSClient({ ...config, ...(url !== undefined && { useQueueUrlAsEndpoint: false }) }),
  };
}

/** An error as a person can act on it: missing credentials, no region, nothing listening. Other errors stay as they are. */
export function explainFault(error: unknown, target: Target | undefined): unknown {
  const { name, code, message = '' } = Object(error) as { name?: string; code?: string; message?: string };
  if (name === 'CredentialsProviderError' || /Could not load credentials/.test(message)) {
    return new AlgernonError(
      'NO_CREDENTIALS',
      `There are no credentials for AWS. Use --profile NAME, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use ` +
        `--endpoint URL for local AWS. (${message})`,
      { cause: error },
    );
  }
  if (/^Region is missing/.test(message)) {
    return new AlgernonError('NO_REGION', 'The region is unknown. Use --region NAME, or set AWS_REGION.', {
      cause: error,
    });
  }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || name === 'AggregateError') {
    const where = target?.name ?? 'AWS';
    return new AlgernonError(
      'NOT_REACHABLE',
      `Nothing answers at ${where}. Is local AWS running? See --endpoint and ${devFile}.`,
      {
        cause: error,
      },
    );
  }
  return error;
}
