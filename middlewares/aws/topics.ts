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
  const arn =
    topics === undefined ? neighbourArn('sns', taskName, functionArn) : await lookUp(taskName, topics);
  if (typeof arn === 'string' && arn !== '') return arn;
  throw new AlgernonError(
    'TOPIC_NOT_FOUND',
    `The topic of the task ${taskName} is unknown. Pass its ARN in the option topics. Without topics, ` +
      'sendTask needs the option functionArn, such as context.invokedFunctionArn: the topic then has the name of the ' +
      'task, and the region and account of the function.',
  );
}

/** Makes a function that finds topics, with one look-up per task name. */
export function topicFinder(
  topics: Topics | undefined,
  functionArn: string | undefined,
): (taskName: string) => Promise<string> {
  const found = new Map<string, Promise<string>>();
  return (taskName) => {
    const arn = found.get(taskName) ?? topicArn(taskName, topics, functionArn);
    found.set(taskName, arn);
    return arn;
  };
}

/** The entry of a task in a map, or from a function. */
export function lookUp(
  taskName: string,
  given: Topics,
): ReturnType<Extract<Topics, (name: string) => unknown>> {
  if (typeof given === 'function') return given(taskName);
  return Object.hasOwn(given, taskName) ? given[taskName] : undefined;
}

/** The ARN of the topic or queue that has the name of a task, in the region and account of another ARN. */
export function neighbourArn(
  service: 'sns' | 'sqs',
  taskName: string,
  arn: string | undefined,
): string | undefined {
  const [, partition, , region, account] = arn?.split(':') ?? [];
  return region && account && isTopicName(taskName)
    ? `arn:${partition}:${service}:${region}:${account}:${taskName}`
    : undefined;
}
