import { GetTopicAttributesCommand, paginateListTopics, type SNSClient } from '@aws-sdk/client-sns';
import { assertOption } from '../core/assertOption.ts';
import { remember } from './aws/remember.ts';
import { snsClient } from './aws/snsClient.ts';

export interface TopicsByDisplayNameOptions {
  /** Default: one made at the first need, shared by all that give none. */
  sns?: SNSClient;
  /** How long an ARN is remembered, in seconds. Default 300. */
  maxAgeSeconds?: number;
}

/**
 * Finds the topic of a task by its DisplayName, as Algernon's Python workers of version 2 do. For the option `topics`
 * of `callbackPublisher` and `sendTask`. It asks SNS about every topic there is until it has found the one:
 * where there are many, name them in a map, or use `topicsFromSsm`.
 *
 * The function's role needs `sns:ListTopics` and `sns:GetTopicAttributes`.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * middy(queued(worker)).use(sqsSnsUnwrap()).use(callbackPublisher({ topics: topicsByDisplayName() }));
 */
export function topicsByDisplayName(
  options: TopicsByDisplayNameOptions = {},
): (taskName: string) => Promise<string | undefined> {
  const { sns, maxAgeSeconds = 300 } = options;
  assertOption(maxAgeSeconds >= 0, 'topicsByDisplayName', 'maxAgeSeconds', 'a number of seconds from 0');

  return remember(async (taskName) => {
    const client = snsClient(sns);
    for await (const { Topics = [] } of paginateListTopics({ client }, {})) {
      for (const { TopicArn } of Topics) {
        const { Attributes } = await client.send(new GetTopicAttributesCommand({ TopicArn }));
        if (Attributes?.DisplayName === taskName) return TopicArn;
      }
    }
    return undefined;
  }, maxAgeSeconds);
}
