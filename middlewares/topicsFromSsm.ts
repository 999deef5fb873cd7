import type { SSMClient } from '@aws-sdk/client-ssm';
import { assertOption } from '../core/assertOption.ts';
import { missingPeer } from './aws/missingPeer.ts';
import { remember } from './aws/remember.ts';

export interface TopicsFromSsmOptions {
  /** Default: one made at the first need. `@aws-sdk/client-ssm` is to be installed. */
  ssm?: SSMClient;
  /** What stands before the task's name in the name of its parameter. Default: nothing. */
  prefix?: string;
  /** How long an ARN is remembered, in seconds. Default 300. */
  maxAgeSeconds?: number;
}

const topicArn = /^arn:[\w-]+:sns:/;

let shared: SSMClient | undefined;

/**
 * Finds the topic of a task in an SSM parameter that is named as the task and holds the ARN, as Algernon's Python
 * workers of version 7 do. For the option `topics` of `callbackPublisher` and `sendTask`.
 *
 * A message names the parameter that is read: give the topics a `prefix` of their own where there are other parameters.
 * One that holds no ARN of a topic counts as not there.
 *
 * The function's role needs `ssm:GetParameter`.
 *
 * @throws OptionError when an option is not what it must be
 * @throws MissingPackageError from the look-up, when `@aws-sdk/client-ssm` is not installed
 * @example
 * middy(queued(worker)).use(sqsSnsUnwrap()).use(callbackPublisher({ topics: topicsFromSsm({ prefix: '/topics/' }) }));
 */
export function topicsFromSsm(
  options: TopicsFromSsmOptions = {},
): (taskName: string) => Promise<string | undefined> {
  const { ssm, prefix = '', maxAgeSeconds = 300 } = options;
  assertOption(maxAgeSeconds >= 0, 'topicsFromSsm', 'maxAgeSeconds', 'a number of seconds from 0');

  return remember(async (taskName) => {
    const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm').catch(
      missingPeer('@aws-sdk/client-ssm', 'topicsFromSsm'),
    );
    if (!ssm) shared ??= new SSMClient();
    const client = ssm ?? (shared as SSMClient);
    try {
      const { Parameter } = await client.send(new GetParameterCommand({ Name: prefix + taskName }));
      // A message names the parameter, and may name one that holds a secret.
      return topicArn.test(Parameter?.Value ?? '') ? Parameter?.Value : undefined;
    } catch (error) {
      if (Object(error).name === 'ParameterNotFound') return undefined;
      throw error;
    }
  }, maxAgeSeconds);
}
