import { isSnsRecord, type LambdaContext, messageIdOf, type TaskRecord } from '../../core/batch/events.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { readMessage } from '../../core/batch/unwrapTask.ts';
import { chainIdOf } from '../../core/tasks/chainId.ts';
import { isTask, type Task } from '../../core/tasks/task.ts';
import type { TaskFacts } from '../tracing/tracing.ts';
import { cut } from './errorText.ts';
import type { Keys } from './scope.ts';

/** The facts of a message, as far as it can be parsed. The stages report its errors. */
export function factsOf(
  { record, unwrap }: { record: TaskRecord; unwrap: TaskRun['unwrap'] },
  coldStart: boolean,
): TaskFacts {
  const messageId = messageIdOf(record);
  const { content, attributes, notification } = readMessage({ unwrap });
  const sns = isSnsRecord(record);
  return {
    ...partsOf(content, attributes, notification?.messageId ?? messageId),
    messageId,
    receiveCount: sns ? undefined : Number(record.attributes?.ApproximateReceiveCount) || undefined,
    source: sns ? record.Sns.TopicArn : record.eventSourceARN,
    attributes,
    coldStart,
  };
}

/** The facts of a task in a direct invocation. */
export function factsOfInvocation(event: unknown, context: LambdaContext, coldStart: boolean): TaskFacts {
  const messageId = context?.awsRequestId;
  return {
    ...partsOf(event, {}, messageId),
    messageId,
    receiveCount: undefined,
    source: undefined,
    attributes: {},
    coldStart,
  };
}

/** The maximum length of a name and of a chain on every line and span. */
const maxTaskName = 128;
const maxChain = 256;

/** The facts from the task itself. A chain without an id starts with this message. */
function partsOf(task: unknown, attributes: Readonly<Record<string, string>>, messageId: string) {
  const { task_name, callback } = isTask(task) ? task : ({} as Partial<Task>);
  return {
    taskName: task_name === undefined ? undefined : cut(task_name, maxTaskName),
    chainId: chainIdOf(attributes, messageId),
    chain: typeof callback === 'string' && callback !== '' ? cut(callback, maxChain) : undefined,
  };
}

/** The keys on every line of a task. */
export function keysOf(
  { taskName, messageId, receiveCount, chainId, chain, source }: TaskFacts,
  functionVersion: string | undefined,
): Keys {
  return {
    function_version: functionVersion,
    task_name: taskName,
    message_id: source === undefined ? undefined : messageId,
    receive_count: receiveCount,
    chain_id: taskName === undefined ? undefined : chainId,
    chain,
  };
}
