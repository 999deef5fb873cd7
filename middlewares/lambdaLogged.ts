import { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import { eventKind, isSnsRecord, messageIdOf, type TaskRecord } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { declareStage, stageRanks, type TaskRun } from '../core/tasks/pipeline.ts';
import { isTask } from '../core/tasks/task.ts';
import { addTaskKeys, addToTaskKeys, withTaskKeys } from './taskKeys.ts';

export interface LambdaLoggedOptions {
  /** A Powertools logger. Default: one is made, with its settings from the environment. */
  logger?: Logger;
}

const name = 'lambdaLogged';

/**
 * Sets logging up afresh for each invocation: every line has the function and the request, and every line logged
 * while a task runs has `task_name`, `message_id`, `receive_count` and `callback`, also when ten run at once. A failed
 * task is one error line, and a batch ends with a summary. `DEBUG=true` switches DEBUG on, where no log level is set.
 *
 * @example
 * const logger = new Logger({ serviceName: 'images' });
 * export const handler = middy(queued(async (task: Task) => logger.info('resizing')))
 *   .use(lambdaLogged({ logger }))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function lambdaLogged({ logger = new Logger() }: LambdaLoggedOptions = {}): MiddlewareObj {
  addTaskKeys(logger);
  const batches = new WeakMap<object, { startedAt: number; done: number }>();

  return {
    before(request) {
      keepResponse(request);
      logger.resetKeys();
      logger.addContext(request.context);
      if (wantsDebug()) logger.setLogLevel('DEBUG');
      const batch = { startedAt: Date.now(), done: 0 };
      batches.set(request, batch);
      declareStage(request, {
        name,
        rank: stageRanks.log,
        ready: ({ task }) => addTask(task),
        around: (run, next) =>
          withTaskKeys(keysOf(run.record), async () => {
            try {
              await next();
              batch.done += 1;
            } catch (error) {
              logger.error('task failed', { error: asError(error) });
              throw error;
            }
          }),
      });
      if (eventKind(request.event) === 'direct') addTask(request.event);
    },

    after(request) {
      const batch = batches.get(request);
      const { Records } = request.event as { Records?: TaskRecord[] };
      if (!batch || !Records || eventKind(request.event) === 'direct') return;
      const { startedAt, done } = batch;
      logger.info('batch done', {
        records: Records.length,
        failed: Records.length - done,
        milliseconds: Date.now() - startedAt,
      });
    },

    onError(request) {
      keepResponse(request);
      logger.error('invocation failed', { error: asError(request.error) });
    },
  };
}

function keysOf(record: TaskRecord) {
  const receiveCount = isSnsRecord(record) ? undefined : record.attributes?.ApproximateReceiveCount;
  return { message_id: messageIdOf(record), receive_count: receiveCount && Number(receiveCount) };
}

function addTask(task: TaskRun['task']): void {
  if (isTask(task)) addToTaskKeys({ task_name: task.task_name, callback: task.callback ?? undefined });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}

function wantsDebug(): boolean {
  const { DEBUG = '', POWERTOOLS_LOG_LEVEL, LOG_LEVEL, AWS_LAMBDA_LOG_LEVEL } = process.env;
  return /^(true|1)$/i.test(DEBUG) && !(POWERTOOLS_LOG_LEVEL || LOG_LEVEL || AWS_LAMBDA_LOG_LEVEL);
}
