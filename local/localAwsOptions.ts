import { checkOptions, type OptionCheck, text, whole } from '../core/checkOptions.ts';
import { OptionError } from '../core/errors.ts';

/** Options of `startLocalAws`. */
export interface LocalAwsOptions {
  /** The name of the bucket, which is created. Default `algernon-local`. */
  bucket?: string;
  /**
   * The URL of running services (LocalStack, a fauxqs in another process), or `aws` for AWS itself. Default: fauxqs is
   * started.
   */
  endpoint?: string;
  /** Default `us-east-1`. */
  region?: string;
  /** The port of fauxqs. Default 0, a free one. */
  port?: number;
  /** Only with `endpoint`. Default `000000000000`, which fauxqs, LocalStack and ElasticMQ use. */
  accountId?: string;
  /** Only with an `endpoint` other than `aws`. Default `test` and `test`. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** The options of `startLocalAws`, with the defaults in place. */
export interface LocalAwsSettings extends Required<Omit<LocalAwsOptions, 'endpoint'>> {
  endpoint: string | undefined;
}

const owner = 'startLocalAws';

const credentials: OptionCheck = {
  expected: 'an object with accessKeyId and secretAccessKey, strings that are not empty',
  test(value) {
    const { accessKeyId, secretAccessKey } = Object(value) as Record<string, unknown>;
    return [accessKeyId, secretAccessKey].every((key) => typeof key === 'string' && key !== '');
  },
};

const endpoint: OptionCheck = {
  expected: 'a URL or "aws"',
  test: (value) =>
    typeof value === 'string' && (value === 'aws' || (/^https?:/.test(value) && URL.canParse(value))),
};

/**
 * Checks the options of `startLocalAws` and adds the defaults.
 *
 * @throws OptionError
 */
export function readLocalAwsOptions(options: LocalAwsOptions): LocalAwsSettings {
  checkOptions(owner, options, {
    bucket: text('3 to 63 of the characters a-z, 0-9, "." and "-"', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    region: text('a region such as "us-east-1"', /^[a-z]{2}(-[a-z]+)+-\d$/),
    port: whole(0, 65_535),
    accountId: text('twelve digits', /^\d{12}$/),
    endpoint,
    credentials,
  });
  checkEndpoint(options);
  return {
    bucket: options.bucket ?? 'algernon-local',
    endpoint: options.endpoint,
    region: options.region ?? 'us-east-1',
    port: options.port ?? 0,
    accountId: options.accountId ?? '000000000000',
    credentials: options.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' },
  };
}

function checkEndpoint({ endpoint, port, accountId, credentials }: LocalAwsOptions): void {
  if (endpoint === undefined && (accountId ?? credentials) !== undefined) {
    throw new OptionError(
      `${owner}: accountId and credentials need an endpoint, since those of fauxqs are fixed.`,
    );
  }
  if (endpoint !== undefined && port !== undefined) {
    throw new OptionError(`${owner}: port has no effect with an endpoint, since no server is started.`);
  }
  if (endpoint === 'aws' && credentials !== undefined) {
    throw new OptionError(`${owner}: with the endpoint "aws", credentials come from the environment.`);
  }
}
