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

/** Options of `startWorker`, where they are documented. */
export interface WorkerOptions<Name extends string = string> {
  aws: Pick<LocalAws, 'sns' | 'sqs'> & Partial<Pick<LocalAws, 'onStop'>>;
  handler: LambdaHandler;
  tasks: readonly Name[];
  name?: string;
  batchSize?: number;
  batchWindowSeconds?: number;
  pollers?: number;
  maxReceiveCount?: number;
  visibilityTimeoutSeconds?: number;
  retryDelaySeconds?: number;
  timeoutSeconds?: number;
  waitTimeSeconds?: number;
  reportBatchItemFailures?: boolean;
  rawMessageDelivery?: boolean;
  fifo?: boolean;
  onInvocation?: (report: InvocationReport) => void;
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
