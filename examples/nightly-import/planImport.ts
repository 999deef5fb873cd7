import { type SendTaskOptions, type SentTask, sendTask } from 'algernon-middy';
import { tasks } from './worker.ts';

/**
 * Plans the import of a file. Up to 15 minutes ahead the message waits in its queue; for later times EventBridge Scheduler
 * holds it back, and needs a role that may send to the queue.
 */
export function planImport(file: string, at: Date, options: SendTaskOptions): Promise<SentTask> {
  const roleArn = process.env.SCHEDULE_ROLE_ARN;
  return sendTask(
    { task_name: 'load', task_kwargs: { file }, callback: 'save' },
    { ...options, tasks, at, ...(roleArn && { schedule: { roleArn } }) },
  );
}
