import { AlgernonError } from '../../core/errors.ts';
import { lookUp, neighbourArn } from './topics.ts';

/** The queues of tasks: a map from task names to ARNs or URLs, or a function that finds one. */
export type Queues =
  | Readonly<Record<string, string>>
  | ((taskName: string) => string | undefined | Promise<string | undefined>);

/**
 * Finds the queue of a task, as an ARN or a URL. Without `queues`, the queue has the name of the task, and the region and
 * account of its topic. This needs no call and no permission.
 *
 * @throws AlgernonError `QUEUE_NOT_FOUND` when the queue is unknown
 */
export async function queueOf(
  taskName: string,
  queues: Queues | undefined,
  topicArn: string,
): Promise<string> {
  const queue =
    queues === undefined ? neighbourArn('sqs', taskName, topicArn) : await lookUp(taskName, queues);
  if (typeof queue === 'string' && /^(arn:|https?:)/.test(queue)) return queue;
  throw new AlgernonError(
    'QUEUE_NOT_FOUND',
    `The queue of the task ${taskName} is unknown. A delayed task goes straight to its queue: pass its ARN or URL in the ` +
      'option queues. Without queues, the queue has the name of the task, and the region and account of the topic.',
  );
}
