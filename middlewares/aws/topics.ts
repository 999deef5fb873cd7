import { AlgernonError } from '../../core/errors.ts';
import { isTopicName } from '../../core/tasks/nextTask.ts';

/** The topics of tasks: a map from task names to ARNs, or a function that finds the ARN. */
export type Topics =
  | Readonly<Record<string, string>>
  | ((taskName: string) => string | undefined | Promise<string | undefined>);

/**
 * Finds the ARN of a task's topic. Without `topics`, the topic has the name of the task, and the region and account of
 * the function. This needs no call and no permission.
 *
 * @param functionArn the ARN of the Lambda function, or of anything else in the same region and account
 * @throws AlgernonError `TOPIC_NOT_FOUND` when the topic is unknown
 */
export async function topicArn(
  taskName: string,
  topics: Topics | undefined,
  functionArn: string | undefined,
): Promise<string> {
  const arn = topics === undefined ? neighbourArn(taskName, functionArn) : await lookUp(taskName, topics);
  if (typeof arn === 'string' && arn !== '') return arn;
  throw new AlgernonError(
    'TOPIC_NOT_FOUND',
    `The topic of the task ${taskName} is unknown. Pass its ARN in the option topics. Without topics, ` +
      'sendTask needs the option functionArn, such as context.invokedFunctionArn: the topic then has the name of the ' +
      'task, and the region and account of the function.',
  );
}

function lookUp(taskName: string, topics: Topics) {
  if (typeof topics === 'function') return topics(taskName);
  return Object.hasOwn(topics, taskName) ? topics[taskName] : undefined;
}

function neighbourArn(taskName: string, arn: string | undefined): string | undefined {
  const [, partition, , region, account] = arn?.split(':') ?? [];
  return region && account && isTopicName(taskName)
    ? `arn:${partition}:sns:${region}:${account}:${taskName}`
    : undefined;
}
