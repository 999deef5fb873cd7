import { checkOptions, finite, text } from '../core/checkOptions.ts';
import { lazySdk } from './aws/lazySdk.ts';
import { missingPeer } from './aws/missingPeer.ts';
import { type AwsClient, awsClient } from './aws/optionChecks.ts';
import { remember } from './aws/remember.ts';

/** Options of {@link topicsFromSsm}. */
export interface TopicsFromSsmOptions {
  /** Default: a client that is made on first use and shared. Needs `@aws-sdk/client-ssm`. */
  ssm?: AwsClient;
  /** The prefix of the parameters' names, before the task's name. Default: empty. */
  prefix?: string;
  /** How long an ARN is cached, in seconds. Default 300. */
  maxAgeSeconds?: number;
}

const topicArn = /^arn:[\w-]+:sns:/;

const loadSsm = lazySdk(
  () => import('@aws-sdk/client-ssm').catch(missingPeer('@aws-sdk/client-ssm', 'topicsFromSsm')),
  ({ SSMClient }) => new SSMClient(),
);

/**
 * Finds the topic of a task in the SSM parameter that has the task's name and holds the ARN, like Algernon's Python
 * workers of version 7. For the option `topics` of `callbackPublisher` and `sendTask`.
 *
 * Since a message determines the parameter, use a `prefix` that only the parameters of topics have. A parameter without
 * the ARN of a topic is ignored. A missing topic is cached for 30 seconds.
 *
 * The function's role needs `ssm:GetParameter`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @throws AlgernonError `MISSING_PACKAGE` from the look-up, when `@aws-sdk/client-ssm` is not installed
 * @example
 * middy(queued(worker)).use(sqsSnsUnwrap()).use(callbackPublisher({ topics: topicsFromSsm({ prefix: '/topics/' }) }));
 */
export function topicsFromSsm(
  options: TopicsFromSsmOptions = {},
): (taskName: string) => Promise<string | undefined> {
  const {
    ssm,
    prefix = '',
    maxAgeSeconds = 300,
  } = checkOptions('topicsFromSsm', options, {
    ssm: awsClient('SSMClient'),
    prefix: text('a string', /^/),
    maxAgeSeconds: finite('seconds', 0),
  });

  return remember(
    async (taskName) => {
      const { sdk, client } = await loadSsm(ssm);
      try {
        const command = new sdk.GetParameterCommand({ Name: prefix + taskName });
        const { Parameter } = await client.send(command);
        // The name comes from a message, and the parameter may hold a secret.
        return topicArn.test(Parameter?.Value ?? '') ? Parameter?.Value : undefined;
      } catch (error) {
        if (Object(error).name === 'ParameterNotFound') return undefined;
        throw error;
      }
    },
    { maxAgeSeconds },
  );
}
