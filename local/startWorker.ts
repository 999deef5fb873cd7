import type { SqsRecord } from '../core/batch/events.ts';
import { checkOptions, duration } from '../core/checkOptions.ts';
import { OptionError } from '../core/errors.ts';
import type { WorkerStats } from './invocationReport.ts';
import { pollQueue } from './pollQueue.ts';
import { createBatchWorker } from './processBatch.ts';
import { bindQueue, type QueueCalls } from './queueCalls.ts';
import { readDeadLetters } from './readDeadLetters.ts';
import { createTaskQueue, type QueueAddress, type TaskQueue } from './taskQueues.ts';
import { waitUntilIdle } from './waitUntilIdle.ts';
import { readWorkerOptions, type WorkerOptions } from './workerOptions.ts';
import { setSettings } from './workerSettings.ts';

/** A function and the queues it works on. */
export interface Worker<Name extends string = string> extends AsyncDisposable {
  /** ARN of each task's topic. */
  readonly topics: Readonly<Record<Name, string>>;
  /** Each task's queue and dead-letter queue. */
  readonly queues: Readonly<Record<Name, QueueAddress & { readonly deadLetter: QueueAddress }>>;
  /** Live counters. */
  readonly stats: WorkerStats;
  /**
   * Resolves when nothing is waiting, hidden or delayed in any of the queues. Rejects with the code `WORKER_NOT_IDLE`
   * after `timeoutSeconds` (default: never), or when the worker is stopped before that.
   */
  idle(options?: { timeoutSeconds?: number }): Promise<void>;
  /**
   * The messages in a task's dead-letter queue, which stay there. While they are read (at most 30 seconds) they are
   * hidden from others, and each reading raises their ApproximateReceiveCount.
   */
  deadLetters(task: Name): Promise<SqsRecord[]>;
  /** Stops polling, and resolves when the running batches are finished and acknowledged. */
  stop(): Promise<void>;
}

/**
 * Works like Lambda's event source mapping: polls queues and invokes a handler with batches of messages. For each task it
 * first creates a topic, a queue, a dead-letter queue and the subscription, unless they exist.
 *
 * @throws OptionError when an option is unknown, has a bad value, or conflicts with another
 * @example
 * const worker = await startWorker({ aws, handler, tasks: ['load', 'analyse'] });
 * await aws.sns.send(new PublishCommand({ TopicArn: worker.topics.load, Message: '{"task_name":"load"}' }));
 * await worker.idle();
 * await worker.stop();
 */
export async function startWorker<const Name extends string>(
  options: WorkerOptions<Name>,
): Promise<Worker<Name>> {
  const settings = readWorkerOptions(options);
  const { aws } = settings;
  const taskQueues = await Promise.all(settings.tasks.map((task) => createTaskQueue(task, settings)));
  const stats = { invocations: 0, failedInvocations: 0, received: 0, deleted: 0, failed: 0, inFlight: 0 };
  const workers = await Promise.all(taskQueues.map((queue) => createBatchWorker(queue, settings, stats)));

  const stopping = new AbortController();
  const polling = Promise.all(workers.map((worker) => pollQueue(worker, stopping.signal)));
  const stop = async (): Promise<void> => {
    stopping.abort();
    await polling;
    unregister?.();
  };
  const unregister = aws.onStop?.(stop);

  const calls = new Map<string, QueueCalls>(workers.map(({ queue, calls }) => [queue.task, calls]));
  const worker: Worker<Name> = {
    topics: byTask(taskQueues, ({ topicArn }) => topicArn) as Record<Name, string>,
    queues: byTask(taskQueues, ({ url, arn, deadLetter }) => ({
      url,
      arn,
      deadLetter,
    })) as Worker<Name>['queues'],
    stats,
    async idle(options = {}) {
      const { timeoutSeconds = Number.POSITIVE_INFINITY } = checkOptions('idle', options, {
        timeoutSeconds: duration('seconds'),
      });
      await waitUntilIdle(calls, stats, stopping.signal, timeoutSeconds);
    },
    async deadLetters(task) {
      const queue = taskQueues.find((candidate) => candidate.task === task);
      if (queue === undefined) throw new OptionError(`deadLetters: this worker has no task ${task}.`);
      return readDeadLetters(await bindQueue(aws.sqs, queue.deadLetter.url), queue.deadLetter.arn);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  setSettings(worker, settings);
  return worker;
}

function byTask<T>(queues: readonly TaskQueue[], read: (queue: TaskQueue) => T): Record<string, T> {
  return Object.fromEntries(queues.map((queue) => [queue.task, read(queue)]));
}
