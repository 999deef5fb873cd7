import type { Stage } from '../core/batch/stage.ts';
import { type CurrentTask, openBatchTasks, runAs } from '../middlewares/events/currentTask.ts';
import type { EventWriter } from '../middlewares/events/eventWriter.ts';
import { idsOf, observeTask, type TaskListener } from '../middlewares/events/observeTask.ts';

export interface EventStageOptions {
  readonly name: string;
  /** Makes the listener of the events of one task. */
  listen(task: CurrentTask, run: Parameters<NonNullable<Stage['around']>>[0]): TaskListener;
  /** The sinks of messages that a task sends. */
  readonly writers: readonly EventWriter[];
  /** On which receive SQS gives up a message. */
  readonly maxReceiveCount: number;
}

/**
 * Makes a stage that observes the tasks of one batch, outside of all others.
 *
 * @returns the stage, and a function to call at the end of the batch
 */
export function eventStage({ name, listen, writers, maxReceiveCount }: EventStageOptions): {
  stage: Stage;
  end(): void;
} {
  const tasks = openBatchTasks(writers);
  return {
    stage: {
      name,
      order: { before: 'observe' },
      passive: true,
      around(run, next) {
        const task = tasks.start(idsOf(run));
        return runAs(task, () => observeTask(run, next, listen(task, run), { maxReceiveCount }));
      },
    },
    end: tasks.end,
  };
}
