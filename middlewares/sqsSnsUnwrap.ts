import type { MiddlewareObj } from '@middy/core';
import { NotATaskError } from '../core/errors.ts';
import { eventKind, type SqsRecord, type TaskRecord } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { assertOutcome, declareStage, type Stage, stageRanks } from '../core/tasks/pipeline.ts';
import { isTask, type Task } from '../core/tasks/task.ts';
import { unwrapTask } from '../core/tasks/unwrapTask.ts';

/** An SQS batch whose records carry their task, for a loop of your own. */
export interface UnwrappedEvent {
  Records: (SqsRecord & {
    /** The task in the body. Parsed when it is first read: a bad one throws there. */
    readonly task?: Task;
  })[];
}

const stage: Stage = {
  name: 'sqsSnsUnwrap',
  rank: stageRanks.unwrap,
  around(run, next) {
    if (run.task === run.record) {
      const { content } = run.unwrap();
      if (!isTask(content)) throw new NotATaskError();
      run.task = content;
    }
    return next();
  },
};

/**
 * Takes each task out of its record: SQS with an SNS envelope in the body, SQS with raw message delivery, or SNS
 * straight to Lambda. A direct invocation is a task already.
 *
 * The handler in `queued` or `runTask` gets the task; in a loop of your own each record has it as `record.task`.
 * `body` and `event` stay as they came. A bad message fails its own record with a `MessageNotJsonError` or a
 * `NotATaskError`.
 *
 * @example
 * export const handler = middy(queued(async (task: Task) => resize(task.task_kwargs)))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function sqsSnsUnwrap(): MiddlewareObj<UnwrappedEvent> {
  return {
    before(request) {
      keepResponse(request);
      if (eventKind(request.event) === 'direct') return;
      declareStage(request, stage);
      for (const record of request.event.Records) giveTask(record);
    },
    after: assertOutcome,
    onError: keepResponse,
  };
}

/** One for all records: making functions for each would cost more than the rest of the work on it. */
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
