import { type OptionCheck, text, withMethod } from '../../core/checkOptions.ts';
import { isFolderName } from '../../core/storedData/pointer.ts';

/**
 * A client of the AWS SDK whose package is optional. It is described by its shape: the declarations cannot import a package
 * that is not installed.
 */
export interface AwsClient {
  /** Sends a command. */
  send(command: never, options?: never): Promise<unknown>;
}

/** A client of the AWS SDK, such as an `SQSClient`: not that of another service. */
export function awsClient(name: string): OptionCheck {
  const { expected, test } = withMethod('send', `an ${name}`);
  return {
    expected,
    test(value) {
      // Fakes and wrappers may have no configuration.
      const { serviceId = name } = Object((value as { config?: unknown } | null)?.config) as {
        serviceId?: string;
      };
      return test(value) && name.startsWith(serviceId);
    },
  };
}

/** The name of a bucket. An ARN does not fit into a pointer; the alias of an access point does. */
export const bucketName: OptionCheck = /* @__PURE__ */ text(
  'the name of a bucket, or the alias of an access point',
  /^[\w.-]+$/,
);

/** The name of a folder in a pointer. */
export const folderName: OptionCheck = {
  expected: 'the name of a folder, without # and !',
  test: (value: unknown) => typeof value === 'string' && isFolderName(value),
};
