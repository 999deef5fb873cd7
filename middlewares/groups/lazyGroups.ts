import type { TaskRun } from '../../core/batch/stage.ts';
import { readMessage, unwrap } from '../../core/batch/unwrapTask.ts';
import type { FanOut } from '../../core/groups/FanOutResult.ts';
import { deadlineIn, gatherName, type Ticket, ticketIn } from '../../core/groups/ticket.ts';
import { isTask, type Task } from '../../core/tasks/task.ts';
import { loadOnce } from '../aws/loadOnce.ts';
import type { AwsGroupsOptions } from './awsGroups.ts';
import type { WorkerSurroundings } from './workerGroups.ts';

/** The part of a worker in groups. */
export interface LazyGroups {
  /**
   * Serves a message of the task `gather`: a branch that ends in a worker without groups, or a deadline.
   *
   * @returns false for other messages
   */
  serve(run: TaskRun): Promise<boolean>;
  /** The ticket of a task, checked against its group; undefined if the task is not part of a branch. */
  check(run: TaskRun, task: Task): Promise<Ticket | undefined>;
  /** Records the result of a branch. */
  join(run: TaskRun, ticket: Ticket, result: unknown): Promise<void>;
  /** Records that the task of a branch has failed for good, if its group asks for that. */
  fail(run: TaskRun, error: unknown): Promise<void>;
  /** Sends a group. The result of the run becomes its ids. */
  split(run: TaskRun, fan: FanOut, splitter: Pick<Task, 'task_name' | 'callback'>): Promise<void>;
}

/** Opens the groups of a worker. Their code is imported by the first message that belongs to one. */
export function lazyGroups(aws: AwsGroupsOptions, surroundings: WorkerSurroundings): LazyGroups {
  const load = loadOnce(async () => {
    const { openWorkerGroups } = await import('./workerGroups.ts');
    return openWorkerGroups(aws, surroundings);
  });

  return {
    async serve(run) {
      const task = taskIn(run);
      if (task?.task_name !== gatherName) return false;
      const group = deadlineIn(task.callback);
      const ticket = ticketIn(task.callback);
      if (group !== undefined) await (await load()).close(run, group);
      else if (ticket) await (await load()).gather(run, ticket, task);
      else return false;
      return true;
    },

    async check(run, { callback }) {
      const ticket = ticketIn(callback);
      if (ticket) await (await load()).check(run, ticket);
      return ticket;
    },

    async join(run, ticket, result) {
      await (await load()).join(run, ticket, result);
    },

    async fail(run, error) {
      // The handler may have changed its task. A task in an extended payload is not in the record.
      const task = run.record && taskIn({ unwrap: () => unwrap(run.record as never) });
      const ticket = ticketIn((task ?? taskIn(run))?.callback);
      if (ticket) await (await load()).fail(run, ticket, error, task);
    },

    async split(run, fan, splitter) {
      await (await load()).split(run, fan, splitter);
    },
  };
}

/** The task of a run. A message that cannot be read has none. */
function taskIn(run: Pick<TaskRun, 'unwrap'>): Task | undefined {
  const { content } = readMessage(run);
  return isTask(content) ? content : undefined;
}
