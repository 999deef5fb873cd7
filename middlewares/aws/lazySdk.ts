import { loadOnce } from './loadOnce.ts';
import type { AwsClient } from './optionChecks.ts';

/** An AWS SDK package and a client of it. */
export interface LoadedSdk<Sdk, Client> {
  readonly sdk: Sdk;
  readonly client: Client;
}

/**
 * Loads an SDK package on first use, since importing it takes longer in a cold start than all of this library. The default
 * client is made once per process, and shared by all functions without a client of their caller.
 *
 * @param load a literal `import()`, so that bundlers see it; a failed import is tried again on the next use
 * @example
 * const loadS3 = lazySdk(() => import('@aws-sdk/client-s3'), ({ S3Client }) => new S3Client());
 * const { sdk, client } = await loadS3(options.s3);
 * await client.send(new sdk.GetObjectCommand({ Bucket, Key }));
 */
export function lazySdk<Sdk, Client>(
  load: () => Promise<Sdk>,
  makeClient: (sdk: Sdk) => Client,
): (given?: AwsClient) => Promise<LoadedSdk<Sdk, Client>> {
  const loadSdk = loadOnce(load);
  let shared: Client | undefined;

  return async (given) => {
    const sdk = await loadSdk();
    if (!given) shared ??= makeClient(sdk);
    return { sdk, client: (given ?? shared) as Client };
  };
}
