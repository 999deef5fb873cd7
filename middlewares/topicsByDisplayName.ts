import type { SNSClient } from '@aws-sdk/client-sns';
import { checkOptions, finite } from '../core/checkOptions.ts';
import { loadSns } from './aws/loadSns.ts';
import { awsClient } from './aws/optionChecks.ts';
import { remember } from './aws/remember.ts';

/** Options of {@link topicsByDisplayName}. */
export interface TopicsByDisplayNameOptions {
  /** Default: a client that is made on first use and shared. */
  sns?: SNSClient;
  /** How long an ARN is cached, in seconds. Default 300. */
  maxAgeSeconds?: number;
}

/**
 * Finds the topic of a task by its DisplayName, like Algernon's Python workers of version 2. For the option `topics`
 * of `callbackPublisher` and `sendTask`. It asks SNS about each topic in turn. With
 * many topics, use a map or `topicsFromSsm` instead.
 *
 * A missing topic is cached for 30 seconds. The function's role needs `sns:ListTopics` and
 * `sns:GetTopicAttributes`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * middy(queued(worker)).use(sqsSnsUnwrap()).use(callbackPublisher({ topics: topicsByDisplayName() }));
 */
export function topicsByDisplayName(
  options: TopicsByDisplayNameOptions = {},
): (taskName: string) => Promise<string | undefined> {
  const { sns, maxAgeSeconds = 300 } = checkOptions('topicsByDisplayName', options, {
    sns: awsClient('SNSClient'),
    maxAgeSeconds: finite('seconds', 0),
  });
  // Cached by topic, so that a second look-up lists the topics but does not read them again.
  const displayNameOf = remember(
    async (TopicArn) => {
      const { sdk, client } = await loadSns(sns);
      const { Attributes } = await client.send(new sdk.GetTopicAttributesCommand({ TopicArn }));
      return Attributes?.DisplayName;
    },
    { maxAgeSeconds },
  );

  return remember(
    async (taskName) => {
      const { sdk, client } = await loadSns(sns);
      for await (const { Topics = [] } of sdk.paginateListTopics({ client }, {})) {
        for (const { TopicArn } of Topics) {
          if (TopicArn && (await displayNameOf(TopicArn)) === taskName) return TopicArn;
        }
      }
      return undefined;
    },
    { maxAgeSeconds },
  );
}
