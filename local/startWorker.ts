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
 * Options:
 * - `aws`: the value of `startLocalAws()`, or your own clients as `{ sns, sqs }`.
 * - `handler`: the handler that you export for Lambda. It must return a promise.
 * - `tasks`: names of 1 to 71 letters, digits, "-" and "_". The task `load` has the topic and the queue `load` and
 *   the dead-letter queue `load-dlq`; with `fifo` they are `load.fifo` and `load-dlq.fifo`.
 * - `name`: the function's name. Default `worker`.
 * - `batchSize`: the maximum number of messages in a batch; 1 to 10,000, with `fifo` to 10. Default 10. Over 10 needs a window.
 * - `batchWindowSeconds`: how long messages are gathered into a batch; 0 to 300, with `fifo` 0. Default 0.
 * - `pollers`: how many batches of one queue run at once; 1 to 1000. Default 5, as Lambda starts.
 * - `maxReceiveCount`: how often a message is received before it goes to the dead-letter queue. Default 3.
 * - `visibilityTimeoutSeconds`: how long a received message stays hidden, and so when a failed one is
 *   redelivered. 1 to 43,200. Default 30.
 * - `retryDelaySeconds`: a failed message returns after this time. Lambda has no such option. Default: it returns when its
 *   visibility timeout ends, as on Lambda.
 * - `timeoutSeconds`: the function's time-out; over 0, to 5,400 (Lambda's limit on managed instances, 900 elsewhere), and
 *   not more than the visibility timeout. Default: the visibility timeout less the window, at most 900.
 * - `waitTimeSeconds`: how long a poll waits for a message; 1 to 20. Default 1. `stop` waits for polls of up to 2
 *   seconds and aborts longer ones; a message of an aborted poll stays hidden until its visibility timeout.
 * - `reportBatchItemFailures`: whether the response may name the messages that failed. Default true.
 * - `rawMessageDelivery`: whether SNS sends messages without its envelope. Default false.
 * - `fifo`: FIFO topics and queues. Default false.
 * - `onInvocation`: gets a report of each invocation. Default: `console.error` writes a line for each failed message, or
 *   the error of an invocation that failed as a whole.
 * - `onError`: gets errors of SQS calls, and a notice of each message that AWS would not deliver. Default:
 *   `console.error`. The worker tries again.
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
