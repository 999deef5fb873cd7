import type { MiddlewareObj } from '@middy/core';
import type { SqsRecord, TaskRecord } from '../core/batch/events.ts';
import type { Around } from '../core/batch/stage.ts';
import { checkTask, unwrapTask } from '../core/batch/unwrapTask.ts';
import type { Task } from '../core/tasks/task.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** An SQS batch whose records carry their task, for a loop of your own. */
export interface UnwrappedEvent {
  /** The messages. */
  Records: (SqsRecord & {
    /** The task in the body, parsed on first access. A bad message throws there. */
    readonly task?: Task;
  })[];
}

/**
 * Takes each task out of its record: SQS with an SNS envelope in the body, SQS with raw message delivery, or SNS without a
 * queue. A direct invocation is a task already.
 *
 * The handler in `queued` or `runTask` gets the task; in a loop of your own each record has it as `record.task`. `body` and
 * `event` are not changed. A bad message fails its own record with a `MessageNotJsonError` or a `NotATaskError`.
 *
 * @example
 * export const handler = middy(queued(async (task: Task) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function sqsSnsUnwrap(): MiddlewareObj<Partial<UnwrappedEvent>> {
  return stageMiddleware({
    name: 'sqsSnsUnwrap',
    order: { at: 'unwrap' },
    passive: true,
    open({ records }) {
      for (const record of records) giveTask(record);
      return { around };
    },
  }) as MiddlewareObj<Partial<UnwrappedEvent>>;
}

const around: Around = (run, next) => {
  if (run.record && run.task === run.record) run.task = checkTask(run.unwrap().content);
  return next();
};

/** One descriptor for all records: functions for each would cost more than the rest of the work on it. */
const lazyTask: PropertyDescriptor & ThisType<TaskRecord> = {
  configurable: true,
  enumerable: false,
  get() {
    const value = unwrapTask(this);
    Object.defineProperty(this, 'task', { value, configurable: true, enumerable: false });
    return value;
  },
};

function giveTask(record: TaskRecord): void {
  if (Object.isExtensible(record)) Object.defineProperty(record, 'task', lazyTask);
}
