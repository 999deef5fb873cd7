import { checkOptions, flag } from '../core/checkOptions.ts';
import { loadS3 } from './aws/loadS3.ts';
import { loadSns } from './aws/loadSns.ts';

/** Options of {@link preloadClients}. */
export interface PreloadClientsOptions {
  /** Whether to load S3. Default true. */
  s3?: boolean;
  /** Whether to load SNS. Default true. */
  sns?: boolean;
}

/**
 * Loads the AWS SDK, makes the shared clients of S3 and SNS, and loads the code that reads pointers and sends callbacks, which
 * otherwise happens in the first invocation that needs them. Await it at the top of a worker: Lambda's init phase has a full
 * CPU at every memory size.
 *
 * No request leaves the process, and no permission is needed. Clients that are passed to middlewares are not affected.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @throws AlgernonError `MISSING_PACKAGE` when a client's package is not installed
 * @example
 * await preloadClients();
 * export const handler = middy(queued(worker)).use(sqsSnsUnwrap()).use(callbackPublisher());
 */
export async function preloadClients(options: PreloadClientsOptions = {}): Promise<void> {
  const { s3 = true, sns = true } = checkOptions('preloadClients', options, { s3: flag, sns: flag });
  await Promise.all([s3 && preloadS3(), sns && preloadSns()]);
}

async function preloadS3(): Promise<void> {
  const [{ sdk, client }] = await Promise.all([loadS3(), import('./storedData/openHydrate.ts')]);
  const command = new sdk.PutObjectCommand({ Bucket: 'preload', Key: 'preload', Body: 'x' });
  await prepare((abortSignal) => client.send(command, { abortSignal }));
}

async function preloadSns(): Promise<void> {
  const [{ sdk, client }] = await Promise.all([loadSns(), import('./callbacks/openSender.ts')]);
  const command = new sdk.PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:0:preload', Message: 'x' });
  await prepare((abortSignal) => client.send(command, { abortSignal }));
}

/** Prepares a request that is aborted before it is sent: that loads the credentials, the endpoint rules and the signer. */
async function prepare(send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  // Missing credentials and the like are reported by the first real call.
  await send(AbortSignal.abort()).catch(() => {});
}
