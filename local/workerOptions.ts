import { LocalOptionError } from '../core/errors.ts';
import { checkFlag, checkFunction, checkKeys, checkText, checkWhole } from './checkOptions.ts';
import type { InvocationReport } from './invocationReport.ts';
import type { LambdaHandler } from './lambdaTypes.ts';
import type { LocalAws } from './startLocalAws.ts';

/** What `startWorker` takes; its own comment says what each option does. */
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

const CALLER = 'startWorker';

const KEYS: readonly (keyof WorkerOptions)[] = [
  'aws',
  'handler',
  'tasks',
  'name',
  'batchSize',
  'batchWindowSeconds',
  'pollers',
  'maxReceiveCount',
  'visibilityTimeoutSeconds',
  'retryDelaySeconds',
  'timeoutSeconds',
  'waitTimeSeconds',
  'reportBatchItemFailures',
  'rawMessageDelivery',
  'fifo',
  'onInvocation',
  'onError',
];

/** Checks the options of `startWorker` and puts in the defaults. Throws a LocalOptionError. */
export function readWorkerOptions(options: WorkerOptions): WorkerSettings {
  checkKeys(CALLER, options, KEYS);
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
    maxReceiveCount: options.maxReceiveCount ?? 3,
    visibilityTimeoutSeconds: visibility,
    retryDelaySeconds: options.retryDelaySeconds,
    // A message is hidden while its batch is gathered too.
    timeoutSeconds: options.timeoutSeconds ?? Math.min(900, Math.max(1, visibility - window)),
    waitTimeSeconds: options.waitTimeSeconds ?? 1,
    reportBatchItemFailures: options.reportBatchItemFailures ?? true,
    rawMessageDelivery: options.rawMessageDelivery ?? false,
    fifo: options.fifo ?? false,
    onInvocation: options.onInvocation ?? logFailure,
    onError: options.onError ?? logError,
  };
  checkAws(settings.aws);
  checkFunction(CALLER, 'handler', settings.handler);
  checkFunction(CALLER, 'onInvocation', settings.onInvocation);
  checkFunction(CALLER, 'onError', settings.onError);
  checkText(CALLER, 'name', settings.name, /^[\w-]{1,64}$/, 'the name of a Lambda function');
  for (const name of ['reportBatchItemFailures', 'rawMessageDelivery', 'fifo'] as const) {
    checkFlag(CALLER, name, settings[name]);
  }
  checkTasks(settings);
  checkNumbers(settings);
  return settings;
}

function checkAws(aws: WorkerOptions['aws'] | undefined): void {
  if (typeof aws?.sns?.send === 'function' && typeof aws.sqs?.send === 'function') return;
  throw new LocalOptionError(
    `${CALLER}: aws must be what startLocalAws gives, or have the clients sns and sqs.`,
  );
}

function checkTasks({ tasks }: WorkerSettings): void {
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw new LocalOptionError(`${CALLER}: tasks must be a list of at least one task's name.`);
  }
  for (const task of tasks) {
    // SQS allows 80 characters, of which the dead-letter queue's name takes nine for "-dlq.fifo".
    checkText(CALLER, 'a task', task, /^[\w-]{1,71}$/, 'a name of 1 to 71 letters, digits, "-" and "_"');
  }
  if (new Set(tasks).size < tasks.length) {
    throw new LocalOptionError(`${CALLER}: tasks has the same name twice: ${tasks.join(', ')}.`);
  }
}

function checkNumbers(settings: WorkerSettings): void {
  const { fifo, batchSize, batchWindowSeconds, timeoutSeconds, visibilityTimeoutSeconds } = settings;
  checkWhole(CALLER, fifo ? 'batchSize of a FIFO queue' : 'batchSize', batchSize, 1, fifo ? 10 : 10_000);
  checkWhole(CALLER, 'batchWindowSeconds', batchWindowSeconds, 0, 300);
  checkWhole(CALLER, 'pollers', settings.pollers, 1, 1000);
  checkWhole(CALLER, 'maxReceiveCount', settings.maxReceiveCount, 1, 1000);
  checkWhole(CALLER, 'visibilityTimeoutSeconds', visibilityTimeoutSeconds, 1, 43_200);
  checkWhole(CALLER, 'waitTimeSeconds', settings.waitTimeSeconds, 1, 20);
  if (settings.retryDelaySeconds !== undefined) {
    checkWhole(CALLER, 'retryDelaySeconds', settings.retryDelaySeconds, 0, 43_200);
  }
  if (fifo && batchWindowSeconds > 0) {
    throw new LocalOptionError(`${CALLER}: Lambda has no batch window on a FIFO queue; leave it at 0.`);
  }
  if (batchSize > 10 && batchWindowSeconds < 1) {
    throw new LocalOptionError(`${CALLER}: a batchSize over 10 needs a batchWindowSeconds of at least 1.`);
  }
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 900)) {
    throw new LocalOptionError(
      `${CALLER}: timeoutSeconds must be over 0 and at most 900, not ${timeoutSeconds}.`,
    );
  }
  if (timeoutSeconds > visibilityTimeoutSeconds) {
    throw new LocalOptionError(
      `${CALLER}: visibilityTimeoutSeconds (${visibilityTimeoutSeconds}) must not be less than timeoutSeconds (${timeoutSeconds}): a message would come back while it is worked on.`,
    );
  }
}

function logFailure({ functionName, task, requestId, error }: InvocationReport): void {
  if (error !== undefined) console.error(`${functionName} (${task}, request ${requestId}):`, error);
}

function logError(error: unknown): void {
  console.error('The queue cannot be polled, trying again:', error);
}
