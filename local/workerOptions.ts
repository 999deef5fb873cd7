import {
  checkOption,
  checkOptions,
  flag,
  func,
  listOf,
  type OptionCheck,
  text,
  whole,
} from '../core/checkOptions.ts';
import { OptionError } from '../core/errors.ts';
import type { InvocationReport } from './invocationReport.ts';
import type { LambdaHandler } from './lambdaTypes.ts';
import type { LocalAws } from './startLocalAws.ts';

/** Options of `startWorker`. */
export interface WorkerOptions<Name extends string = string> {
  /** The value of `startLocalAws()`, or your own clients as `{ sns, sqs }`. */
  aws: Pick<LocalAws, 'sns' | 'sqs'> & Partial<Pick<LocalAws, 'onStop'>>;
  /** The handler that you export for Lambda. It must return a promise. */
  handler: LambdaHandler;
  /**
   * Names of 1 to 71 letters, digits, `-` and `_`. The task `load` has the topic and the queue `load` and the dead-letter
   * queue `load-dlq`; with `fifo` they are `load.fifo` and `load-dlq.fifo`.
   */
  tasks: readonly Name[];
  /** The function's name. Default `worker`. */
  name?: string;
  /** The maximum number of messages in a batch; 1 to 10,000, with `fifo` to 10. Default 10. Over 10 needs a window. */
  batchSize?: number;
  /** How long messages are gathered into a batch; 0 to 300, with `fifo` 0. Default 0. */
  batchWindowSeconds?: number;
  /** How many batches of one queue run at once; 1 to 1000. Default 5, as Lambda starts. */
  pollers?: number;
  /** How often a message is received before it goes to the dead-letter queue. Default 3. */
  maxReceiveCount?: number;
  /** How long a received message stays hidden, and so when a failed one is redelivered. 1 to 43,200. Default 30. */
  visibilityTimeoutSeconds?: number;
  /**
   * A failed message returns after this time. Lambda has no such option. Default: it returns when its visibility timeout
   * ends, as on Lambda.
   */
  retryDelaySeconds?: number;
  /**
   * The function's time-out; over 0, to 5,400 (Lambda's limit on managed instances, 900 elsewhere), and not more than the
   * visibility timeout. Default: the visibility timeout less the window, at most 900.
   */
  timeoutSeconds?: number;
  /**
   * How long a poll waits for a message; 1 to 20. Default 1. `stop` waits for polls of up to 2 seconds and aborts longer
   * ones; a message of an aborted poll stays hidden until its visibility timeout.
   */
  waitTimeSeconds?: number;
  /** Whether the response may name the messages that failed. Default true. */
  reportBatchItemFailures?: boolean;
  /** Whether SNS sends messages without its envelope. Default false. */
  rawMessageDelivery?: boolean;
  /** Whether topics and queues are FIFO. Default false. */
  fifo?: boolean;
  /**
   * Gets a report of each invocation. Default: `console.error` writes a line for each failed message, or the error of an
   * invocation that failed as a whole.
   */
  onInvocation?: (report: InvocationReport) => void;
  /**
   * Gets errors of SQS calls, and a notice of each message that AWS would not deliver. Default: `console.error`. The worker
   * tries again.
   */
  onError?: (error: unknown) => void;
}

/** The options of `startWorker`, with the defaults in place. */
export interface WorkerSettings extends Required<Omit<WorkerOptions, 'retryDelaySeconds'>> {
  retryDelaySeconds: number | undefined;
}

const owner = 'startWorker';

/** How often a message is received before it goes to the dead-letter queue. */
export const defaultMaxReceiveCount = 3;

const aws: OptionCheck = {
  expected: 'the value of startLocalAws(), or an object with the clients sns and sqs',
  test(value) {
    const { sns, sqs } = Object(value) as Partial<WorkerOptions['aws']>;
    return typeof sns?.send === 'function' && typeof sqs?.send === 'function';
  },
};

// SQS allows 80 characters, of which the dead-letter queue's name needs nine for "-dlq.fifo".
const taskName = text('a name of 1 to 71 letters, digits, "-" and "_"', /^[\w-]{1,71}$/);

/** The longest time-out of a function for a queue, in seconds: on managed instances. Otherwise it is 900. */
const maxTimeoutSeconds = 5_400;

const timeout: OptionCheck = {
  expected: `a number of seconds over 0 and at most ${maxTimeoutSeconds}`,
  test: (value) => typeof value === 'number' && value > 0 && value <= maxTimeoutSeconds,
};

/**
 * Checks the options of `startWorker` and adds the defaults.
 *
 * @throws OptionError
 */
export function readWorkerOptions(options: WorkerOptions): WorkerSettings {
  const fifo = options?.fifo === true;
  checkOptions(owner, options, {
    aws,
    handler: func,
    tasks: listOf(taskName),
    name: text('the name of a Lambda function', /^[\w-]{1,64}$/),
    batchSize: whole(1, fifo ? 10 : 10_000),
    batchWindowSeconds: whole(0, 300),
    pollers: whole(1, 1000),
    maxReceiveCount: whole(1, 1000),
    visibilityTimeoutSeconds: whole(1, 43_200),
    retryDelaySeconds: whole(0, 43_200),
    timeoutSeconds: timeout,
    waitTimeSeconds: whole(1, 20),
    reportBatchItemFailures: flag,
    rawMessageDelivery: flag,
    fifo: flag,
    onInvocation: func,
    onError: func,
  });
  checkOption(owner, 'aws', options.aws, aws);
  checkOption(owner, 'handler', options.handler, func);
  checkTasks(options.tasks);

  const visibility = options.visibilityTimeoutSeconds ?? 30;
  const window = options.batchWindowSeconds ?? 0;
  const settings: WorkerSettings = {
    aws: options.aws,
    handler: options.handler,
    tasks: options.tasks,
    name: options.name ?? 'worker',
    batchSize: options.batchSize ?? 10,
    batchWindowSeconds: window,
    pollers: options.pollers ?? 5,
    maxReceiveCount: options.maxReceiveCount ?? defaultMaxReceiveCount,
    visibilityTimeoutSeconds: visibility,
    retryDelaySeconds: options.retryDelaySeconds,
    // A message is hidden while its batch is gathered too.
    timeoutSeconds: options.timeoutSeconds ?? Math.min(900, Math.max(1, visibility - window)),
    waitTimeSeconds: options.waitTimeSeconds ?? 1,
    reportBatchItemFailures: options.reportBatchItemFailures ?? true,
    rawMessageDelivery: options.rawMessageDelivery ?? false,
    fifo,
    onInvocation: options.onInvocation ?? logFailure,
    onError: options.onError ?? logError,
  };
  checkTogether(settings);
  return settings;
}

function checkTasks(tasks: readonly string[]): void {
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw new OptionError(`${owner}: tasks must be a list with the name of at least one task.`);
  }
  if (new Set(tasks).size < tasks.length) {
    throw new OptionError(`${owner}: tasks has the same name twice: ${tasks.join(', ')}.`);
  }
}

function checkTogether(settings: WorkerSettings): void {
  const { fifo, batchSize, batchWindowSeconds, timeoutSeconds, visibilityTimeoutSeconds } = settings;
  if (fifo && batchWindowSeconds > 0) {
    throw new OptionError(
      `${owner}: batchWindowSeconds must be 0 with fifo, since Lambda has no batch window on a FIFO queue.`,
    );
  }
  if (batchSize > 10 && batchWindowSeconds < 1) {
    throw new OptionError(`${owner}: a batchSize over 10 needs a batchWindowSeconds of at least 1.`);
  }
  if (timeoutSeconds > visibilityTimeoutSeconds) {
    throw new OptionError(
      `${owner}: visibilityTimeoutSeconds (${visibilityTimeoutSeconds}) must not be less than timeoutSeconds ` +
        `(${timeoutSeconds}): otherwise a message is redelivered while its task runs.`,
    );
  }
}

/** One line for each failed record, and one for an invocation that failed as a whole. */
function logFailure({ functionName, task, requestId, failedIds, error }: InvocationReport): void {
  const where = `${functionName} (${task}, request ${requestId})`;
  if (error !== undefined) console.error(`${where} failed:`, error);
  else for (const id of failedIds) console.error(`${where}: message ${id} failed and returns to its queue.`);
}

function logError(error: unknown): void {
  console.error('The call to SQS failed and is tried again:', error);
}
