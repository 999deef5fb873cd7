import { randomUUID } from 'node:crypto';
import { ajson } from '../../core/ajson/index.ts';
import type { SqsRecord } from '../../core/batch/events.ts';
import { AlgernonError } from '../../core/errors.ts';
import type { Task } from '../../core/tasks/task.ts';
import { invoke } from '../invoke.ts';
import { createLambdaContext } from '../lambdaContext.ts';
import type { LambdaHandler } from '../lambdaTypes.ts';
import { type Attempt, type Observer, observeTasks } from './observeTasks.ts';

/** What `runDirectly` needs of a worker. */
export interface DirectRun extends Pick<Observer, 'onLine' | 'context'> {
  readonly handler: LambdaHandler;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  readonly receiveCount: number;
  /** Fields of the message. The task in its body, if there is one, is the one that runs. */
  readonly record: Partial<SqsRecord>;
}

/**
 * Runs one task through the whole stack, as the only message of a batch that did not come from a queue.
 *
 * @returns the result of the handler
 * @throws the error that failed the task
 * @throws AlgernonError `TASK_NOT_RUN` when neither `queued` nor `runTask` ran it
 */
export async function runDirectly(task: Task<object>, direct: DirectRun): Promise<unknown> {
  let attempt: Attempt | undefined;
  const observed = observeTasks(direct.handler, {
    onLine: direct.onLine,
    context: direct.context,
    onEvents: () => {},
    maxReceiveCount: Number.POSITIVE_INFINITY,
    onAttempt(seen) {
      attempt = seen;
    },
  });
  const context = createLambdaContext(direct.functionArn, direct.timeoutSeconds);
  const outcome = await invoke(observed, { Records: [recordOf(task, direct)] }, context);
  if (attempt?.outcome === 'failed') throw attempt.error;
  if ('error' in outcome) throw outcome.error;
  if (attempt) return attempt.result;
  throw new AlgernonError(
    'TASK_NOT_RUN',
    `Neither queued() nor runTask() ran the task ${task.task_name}, so its result is unknown. Call the handler yourself.`,
  );
}

function recordOf(task: Task<object>, { queueArn, receiveCount, record }: DirectRun): SqsRecord {
  const now = String(Date.now());
  return {
    messageId: randomUUID(),
    body: ajson.dumps(task),
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: now,
      SenderId: 'testWorker',
      ApproximateFirstReceiveTimestamp: now,
    },
    messageAttributes: {},
    md5OfBody: '',
    ...record,
    // No queue has the message, so nothing can hide it.
    receiptHandle: '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
}
