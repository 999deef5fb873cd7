import { LocalOptionError } from '../core/errors.ts';
import { checkKeys, checkText, checkWhole } from './checkOptions.ts';

/** What `startLocalAws` takes. */
export interface LocalAwsOptions {
  bucket?: string;
  endpoint?: string;
  region?: string;
  port?: number;
  accountId?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** The options of `startLocalAws`, with the defaults in place. */
export interface LocalAwsSettings extends Required<Omit<LocalAwsOptions, 'endpoint'>> {
  endpoint: string | undefined;
}

const CALLER = 'startLocalAws';

/** Checks the options of `startLocalAws` and puts in the defaults. Throws a LocalOptionError. */
export function readLocalAwsOptions(options: LocalAwsOptions): LocalAwsSettings {
  checkKeys(CALLER, options, ['bucket', 'endpoint', 'region', 'port', 'accountId', 'credentials']);
  const settings: LocalAwsSettings = {
    bucket: options.bucket ?? 'algernon-local',
    endpoint: options.endpoint,
    region: options.region ?? 'us-east-1',
    port: options.port ?? 0,
    accountId: options.accountId ?? '000000000000',
    credentials: options.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  checkText(
    CALLER,
    'bucket',
    settings.bucket,
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    '3 to 63 of the characters a-z, 0-9, "." and "-"',
  );
  checkText(CALLER, 'region', settings.region, /^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as "us-east-1"');
  checkWhole(CALLER, 'port', settings.port, 0, 65_535);
  checkText(CALLER, 'accountId', settings.accountId, /^\d{12}$/, 'twelve digits');
  checkEndpoint(options);
  return settings;
}

function checkEndpoint({ endpoint, port, accountId, credentials }: LocalAwsOptions): void {
  if (endpoint === undefined) {
    if (accountId === undefined && credentials === undefined) return;
    throw new LocalOptionError(
      `${CALLER}: accountId and credentials go with an endpoint; fauxqs has its own.`,
    );
  }
  if (port !== undefined) {
    throw new LocalOptionError(
      `${CALLER}: port is for the server that is started here; endpoint starts none.`,
    );
  }
  if (endpoint === 'aws') {
    if (credentials === undefined) return;
    throw new LocalOptionError(`${CALLER}: with the endpoint "aws", credentials come from the environment.`);
  }
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
    throw new LocalOptionError(
      `${CALLER}: endpoint must be a URL or "aws", not ${JSON.stringify(endpoint)}.`,
    );
  }
}
