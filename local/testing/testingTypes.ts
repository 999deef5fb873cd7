import type { SqsRecord } from '../../core/batch/events.ts';
import type { ChainState } from '../../core/chains/ChainState.ts';
import type { KwargsOf, ResultOf, TaskDefinitions } from '../../core/tasks/defineTasks.ts';
import type { Task } from '../../core/tasks/task.ts';
import type { SendableTask, SendTaskOptions, SentTask } from '../../middlewares/sendTask.ts';
import type { LocalAws } from '../startLocalAws.ts';
import type { QueueAddress } from '../taskQueues.ts';
import type { Attempt } from './observeTasks.ts';
import type { ContextParts } from './options.ts';

type Name<T> = keyof T & string;

type Runnable<T extends TaskDefinitions, N extends Name<T>> = string extends keyof T
  ? Task<object>
  : { task_name: N; task_kwargs: KwargsOf<T[N]>; callback?: string | null | undefined };

/** A line that lambdaLogged wrote. */
export interface LogLine {
  /** The level, such as `INFO`. */
  readonly level: string;
  /** The message. */
  readonly message: string;
  /** The name of the task; missing on a line about the whole batch. */
  readonly task_name?: string;
  readonly [key: string]: unknown;
}

/** Which runs of tasks to list. */
export interface AttemptFilter<Name extends string = string> {
  /** Only runs of this task. */
  readonly taskName?: Name;
  /** Only runs of this chain. */
  readonly chainId?: string;
}

/** A message that is in a queue. */
export interface QueuedMessage {
  /** The content: a task, unless the message is malformed. */
  readonly task: Task;
  /** The id that SNS gave the message. */
  readonly messageId: string;
  /** The message attributes, such as `chain_id`, and the `failure_reason` that failurePolicy adds. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The message as Lambda would give it to the handler. */
  readonly record: SqsRecord;
}

/** A handler at work on local queues, in a test. */
export interface TestWorker<
  T extends TaskDefinitions = TaskDefinitions,
  C extends object = Record<string, unknown>,
> extends AsyncDisposable {
  /** The local AWS, with its clients. */
  readonly aws: LocalAws;
  /** The ARN of each task's topic. */
  readonly topics: Readonly<Record<Name<T>, string>>;
  /** Each task's queue and dead-letter queue. */
  readonly queues: Readonly<Record<Name<T>, QueueAddress & { readonly deadLetter: QueueAddress }>>;
  /** The errors of invocations that failed as a whole, and of calls to SQS. */
  readonly errors: readonly unknown[];
  /** Sends a task to its topic, as `sendTask` does. */
  send<N extends Name<T>, const Chain extends string = never>(
    task: SendableTask<T, N, Chain>,
    options?: Pick<
      SendTaskOptions,
      'attributes' | 'chainId' | 'deduplicationId' | 'extendedPayload' | 'groupId'
    >,
  ): Promise<SentTask>;
  /**
   * Runs one task through the stack, without a queue and without retries. Its result is stored and its callback is sent as
   * usual. `context` replaces properties of the context, `receiveCount` (default 1) tells the task that it is a retry, and `record`
   * has fields of its message, such as `messageAttributes`.
   *
   * @returns the result of the task
   * @throws the error of the task
   */
  run<N extends Name<T>>(
    task: Runnable<T, N>,
    options?: { context?: ContextParts<C>; receiveCount?: number; record?: Partial<SqsRecord> },
  ): Promise<ResultOf<T[N]>>;
  /**
   * Resolves when no message is waiting, hidden or delayed in any of the queues. Delays pass at once, in their order.
   *
   * @throws AlgernonError `WORKER_NOT_IDLE` after `timeoutSeconds` (default: never), or when the worker is stopped
   */
  idle(options?: { timeoutSeconds?: number }): Promise<void>;
  /** The results of the tasks that succeeded, in the order in which they ended. */
  results<N extends Name<T>>(taskName: N): ResultOf<T[N]>[];
  results(): unknown[];
  /** Each run of a task so far, with its result or its error, in the order in which they ended. */
  attempts(only?: Name<T> | AttemptFilter<Name<T>>): readonly Attempt[];
  /** The state of a chain, from its events, as `getChain` reads it; undefined if nothing has happened. */
  chain(chainId: string): ChainState | undefined;
  /** The lines that lambdaLogged wrote: all of them, or those of one task. */
  logs(taskName?: Name<T>): readonly LogLine[];
  /** The messages in the dead-letter queues: of all tasks, or of one. They stay there. */
  deadLetters(taskName?: Name<T>): Promise<QueuedMessage[]>;
  /** The messages that wait for a task of `otherTasks`. They stay there. */
  sent(taskName: Name<T>): Promise<QueuedMessage[]>;
  /** Stops when the running batches are done, and stops the local AWS that was started for it. */
  stop(): Promise<void>;
}
