import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventWriter } from './eventWriter.ts';

/** The task that is running, as messages that it sends need to know it. */
export interface CurrentTask {
  readonly chainId: string;
  readonly messageId: string;
  /** The sinks of the events about it. */
  writers: readonly EventWriter[];
  hasEnded: boolean;
}

const tasks = new AsyncLocalStorage<CurrentTask>();

/** Runs a part of a task. If an outer stage observes the same task, messages that it sends go to the sinks of both. */
export function runAs<T>(task: CurrentTask, work: () => T): T {
  const outer = currentTask();
  if (outer?.messageId === task.messageId) task.writers = [...new Set([...outer.writers, ...task.writers])];
  return tasks.run(task, work);
}

/** Marks everything that is called from here on as a part of a task: Middy calls the handler of a direct invocation. */
export function enterTask(task: CurrentTask): void {
  tasks.enterWith(task);
}

/** The task that calls; undefined outside of tasks, and in a stack without `chainEvents`. */
export function currentTask(): CurrentTask | undefined {
  const task = tasks.getStore();
  return task?.hasEnded ? undefined : task;
}

/** The tasks of one batch. They are current until the batch ends. */
export interface BatchTasks {
  start(ids: Pick<CurrentTask, 'chainId' | 'messageId'>): CurrentTask;
  end(): void;
}

/** Opens a batch whose tasks send to these sinks. */
export function openBatchTasks(writers: readonly EventWriter[]): BatchTasks {
  const started: CurrentTask[] = [];
  return {
    start({ chainId, messageId }) {
      const task = { chainId, messageId, writers, hasEnded: false };
      started.push(task);
      return task;
    },
    end() {
      for (const task of started) task.hasEnded = true;
    },
  };
}
