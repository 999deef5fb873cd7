/** Where an error happened, and what it means for the message it happened to. */
export interface ErrorDetails {
  /** The place in the message, such as `$.task_kwargs.x[3]`. */
  path?: string | undefined;
  /** The id of the message. */
  messageId?: string | undefined;
  /** Whether the same message may succeed when it is delivered again. Default false. */
  retryable?: boolean | undefined;
  /** The error behind this one. */
  cause?: unknown;
}

/** The brand of our errors, the same in every copy of this package. */
const BRAND: unique symbol = /* @__PURE__ */ Symbol.for('algernon-middy.error');

const BrandedError: ErrorConstructor = class extends Error {
  get [BRAND](): true {
    return true;
  }
} as unknown as ErrorConstructor;

/** Whether an error is one of ours, also of another copy of this package. */
export function isAlgernonError(error: unknown): error is AlgernonError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/**
 * The base class of every error this project throws.
 *
 * `code` is stable across versions, for programs to compare. `retryable` tells whether the same message may
 * succeed when it is delivered again.
 */
export class AlgernonError extends BrandedError {
  override readonly name: string = 'AlgernonError';
  readonly code: string;
  readonly path: string | undefined;
  readonly retryable: boolean;
  messageId: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.retryable = details.retryable ?? false;
    this.messageId = details.messageId;
  }
}

/** An option is not what it must be. Thrown where the function is called, not when the first message comes. */
export class OptionError extends AlgernonError {
  override readonly name = 'OptionError';

  constructor(owner: string, option: string, expected: string) {
    super('BAD_OPTION', `${owner}: ${option} must be ${expected}.`);
  }
}

/** The text of a message is not JSON. */
export class MessageNotJsonError extends AlgernonError {
  override readonly name = 'MessageNotJsonError';

  constructor(messageId: string, cause: Error) {
    super('MESSAGE_NOT_JSON', `The message is not JSON: ${cause.message}`, { messageId, cause, path: '$' });
  }
}

/** A message is JSON, but not a task. */
export class NotATaskError extends AlgernonError {
  override readonly name = 'NotATaskError';

  constructor(messageId?: string) {
    super('NOT_A_TASK', 'The message is no task: it has no task_name that is a string.', {
      messageId,
      path: '$',
    });
  }
}

/** A stage needs a task, and nothing has taken it out of the record. */
export class NotUnwrappedError extends AlgernonError {
  override readonly name = 'NotUnwrappedError';

  constructor(stage: string) {
    super(
      'NOT_UNWRAPPED',
      `${stage} needs a task, and the record is not unwrapped: add sqsSnsUnwrap() to the stack.`,
    );
  }
}

/** A task came for which the worker has no function. */
export class UnknownTaskError extends AlgernonError {
  override readonly name = 'UnknownTaskError';

  constructor(taskName: string, known: readonly string[]) {
    super(
      'UNKNOWN_TASK',
      `task: ${taskName} is not registered with the system; registered are: ${known.join(', ') || 'none'}`,
      { path: '$.task_name' },
    );
  }
}

/** The arguments of a task are not what its schema wants. */
export class TaskArgumentsError extends AlgernonError {
  override readonly name = 'TaskArgumentsError';

  constructor(taskName: string, problems: string, path: string) {
    super('BAD_ARGUMENTS', `The arguments of ${taskName} are not what it takes: ${problems}`, { path });
  }
}

/** A task must not be delivered again: it will never succeed. For task functions to throw. */
export class NonRetryableError extends AlgernonError {
  override readonly name = 'NonRetryableError';

  constructor(message: string, cause?: unknown) {
    super('NON_RETRYABLE', message, { cause });
  }
}

/** A task's callback leads nowhere. */
export class CallbackError extends AlgernonError {
  override readonly name = 'CallbackError';

  constructor(callback: string, reason: string) {
    const shown = callback.length > 80 ? `${callback.slice(0, 80)}…` : callback;
    super('BAD_CALLBACK', `The callback ${JSON.stringify(shown)} cannot be followed: ${reason}.`, {
      path: '$.callback',
    });
  }
}

/** Stages were declared for a batch, and nothing ran them. */
export class PipelineNotRunError extends AlgernonError {
  override readonly name = 'PipelineNotRunError';

  constructor(stage: string) {
    super(
      'PIPELINE_NOT_RUN',
      `${stage} has had no part in this batch: wrap the handler in queued(), or run each record with runTask().`,
      { retryable: true },
    );
  }
}

/** The records are not those that the stages were declared for. */
export class EventReplacedError extends AlgernonError {
  override readonly name = 'EventReplacedError';

  constructor() {
    super(
      'EVENT_REPLACED',
      'Another middleware has replaced, resized or reordered event.Records, so failures could not be told apart.',
      { retryable: true },
    );
  }
}

/** The invocation ends before the task is done. */
export class DeadlineError extends AlgernonError {
  override readonly name = 'DeadlineError';

  constructor() {
    super('DEADLINE', 'The invocation ends before this task is done; its message comes back.', {
      retryable: true,
    });
  }
}

/** An earlier message of the same FIFO group failed, so this one was not started. */
export class GroupHaltedError extends AlgernonError {
  override readonly name = 'GroupHaltedError';

  constructor() {
    super('GROUP_HALTED', 'An earlier message of the same group failed; this one comes back untouched.', {
      retryable: true,
    });
  }
}

/** A batch has failures, and nothing in the stack reports them record by record. */
export class BatchFailedError extends AlgernonError {
  override readonly name = 'BatchFailedError';
  /** What failed each record that did. */
  readonly errors: readonly unknown[];

  constructor(errors: readonly unknown[], records: number) {
    super(
      'BATCH_FAILED',
      `${errors.length} of ${records} records failed, and the whole batch stays in the queue: ` +
        'use sqsPartialBatchFailure() to give back only those.',
      { cause: errors[0], retryable: true },
    );
    this.errors = errors;
  }
}

/** A pointer to a stored value is not to be followed, or leads to nothing that can be read. */
export class StoredDataError extends AlgernonError {
  override readonly name: string = 'StoredDataError';
}

/** The text of a pointer is not `bucket#folder/name!timestamp.json`. */
export class PointerError extends StoredDataError {
  override readonly name = 'PointerError';

  constructor(path: string) {
    super('BAD_POINTER', `The pointer at ${path} is not of the form bucket#folder/name!timestamp.json.`, {
      path,
    });
  }
}

/** A pointer leads to a bucket that the worker was not told to read. */
export class BucketNotAllowedError extends StoredDataError {
  override readonly name = 'BucketNotAllowedError';

  constructor(bucket: string, path: string) {
    super(
      'BUCKET_NOT_ALLOWED',
      `The pointer at ${path} leads to the bucket ${JSON.stringify(bucket)}: list it in the option buckets to allow it.`,
      { path },
    );
  }
}

/** There is no object where a pointer leads. */
export class StoredDataMissingError extends StoredDataError {
  override readonly name = 'StoredDataMissingError';

  constructor(key: string, cause?: unknown) {
    super('STORED_DATA_MISSING', `There is no object ${key}: a lifecycle rule may have removed it.`, {
      cause,
    });
  }
}

/** The worker may not read or write a stored value. */
export class StoredDataAccessError extends StoredDataError {
  override readonly name = 'StoredDataAccessError';

  constructor(key: string, cause?: unknown) {
    super(
      'STORED_DATA_ACCESS',
      `Access to ${key} is refused: the function's role needs s3:GetObject and s3:PutObject ` +
        '(without s3:ListBucket, S3 says this of a missing object too).',
      { cause },
    );
  }
}

/** Stored values point to stored values, and do not come to an end. */
export class TooManyPointersError extends StoredDataError {
  override readonly name = 'TooManyPointersError';

  constructor(path: string, maxDepth: number) {
    super(
      'TOO_MANY_POINTERS',
      `The pointer at ${path} leads to pointers, more than ${maxDepth} deep: do they point at each other?`,
      { path },
    );
  }
}

/** Stored values are larger than the worker was told to read. */
export class StoredDataTooLargeError extends StoredDataError {
  override readonly name = 'StoredDataTooLargeError';

  constructor(key: string, bytes: number, maxBytes: number) {
    super(
      'STORED_DATA_TOO_LARGE',
      `${key} would bring what this task reads to ${bytes} bytes; the option maxBytes allows ${maxBytes}.`,
    );
  }
}

/** A stored object is not `{ data_string, full_unpack, safe_mode }`. */
export class StoredDataBodyError extends StoredDataError {
  override readonly name = 'StoredDataBodyError';

  constructor(pointer: string, reason: string, cause?: unknown) {
    super('STORED_DATA_BODY', `${pointer} is no stored value: ${reason}.`, { cause });
  }
}

/** S3 refused a request for what it is: the bucket is in another region, or the name is one it cannot have. */
export class StoredDataRefusedError extends StoredDataError {
  override readonly name = 'StoredDataRefusedError';

  constructor(key: string, cause: unknown) {
    super('STORED_DATA_REFUSED', `S3 refused the request for ${key}: ${String(cause)}`, { cause });
  }
}

/** S3 did not answer, or asked to be left alone for a while. */
export class StoredDataUnavailableError extends StoredDataError {
  override readonly name = 'StoredDataUnavailableError';

  constructor(key: string, cause: unknown) {
    super('STORED_DATA_UNAVAILABLE', `${key} could not be reached: ${String(cause)}`, {
      cause,
      retryable: true,
    });
  }
}

/** An environment variable, or the option in its place, is missing. */
export class NotConfiguredError extends AlgernonError {
  override readonly name = 'NotConfiguredError';

  constructor(what: string, variable: string, option: string) {
    super('NOT_CONFIGURED', `${what} is not known: set ${variable}, or give the option ${option}.`);
  }
}

/** A package that is needed here, and optional elsewhere, is not installed. */
export class MissingPackageError extends AlgernonError {
  override readonly name = 'MissingPackageError';

  constructor(packageName: string, neededBy: string, cause?: unknown) {
    super('MISSING_PACKAGE', `${neededBy} needs ${packageName}: npm install ${packageName}`, {
      cause,
    });
  }
}

/** An option of `startLocalAws` or `startWorker` cannot be. */
export class LocalOptionError extends AlgernonError {
  override readonly name = 'LocalOptionError';

  constructor(message: string) {
    super('LOCAL_OPTION', message);
  }
}

/** A local worker could not become idle. */
export class WorkerNotIdleError extends AlgernonError {
  override readonly name = 'WorkerNotIdleError';

  constructor(message: string) {
    super('WORKER_NOT_IDLE', message);
  }
}

/** An invocation of a local worker's function failed as a whole. */
export class InvocationError extends AlgernonError {
  override readonly name = 'InvocationError';

  constructor(message: string, cause?: unknown) {
    super('INVOCATION', message, { retryable: true, cause });
  }
}

// Resources

/** Resources are made of one another in a circle. `circle` names them, the first again at the end. */
export class ResourceCircleError extends AlgernonError {
  override readonly name = 'ResourceCircleError';
  readonly circle: readonly string[];

  constructor(circle: readonly string[]) {
    super(
      'RESOURCE_CIRCLE',
      `contextResources: ${circle.join(' → ')} is a circle: make one of them without the other.`,
    );
    this.circle = circle;
  }
}

/** A resource that lives on is made of one that ends with the batch. */
export class ResourceScopeError extends AlgernonError {
  override readonly name = 'ResourceScopeError';

  constructor(owner: string, part: string) {
    super(
      'RESOURCE_SCOPE',
      `contextResources: ${owner} has the scope container and ${part} ends with the batch: ` +
        `give ${part} the scope container too.`,
    );
  }
}

/** A resource was asked for when the batch was over. */
export class BatchEndedError extends AlgernonError {
  override readonly name = 'BatchEndedError';

  constructor(resource: string) {
    super('BATCH_ENDED', `contextResources: ${resource} was asked for when the batch was over.`, {
      retryable: true,
    });
  }
}

/** Nothing says where the topic of a task is. */
export class TopicNotFoundError extends AlgernonError {
  override readonly name = 'TopicNotFoundError';

  constructor(taskName: string) {
    super(
      'TOPIC_NOT_FOUND',
      `Where is the topic of the task ${taskName}? Give its ARN in the option topics; ` +
        'without that option, the topic named as the task is taken, in the region and account of the function, ' +
        'which sendTask knows by the option functionArn: context.invokedFunctionArn.',
    );
  }
}

/** A message is larger than its topic takes. */
export class MessageTooLargeError extends AlgernonError {
  override readonly name = 'MessageTooLargeError';

  constructor(bytes: number, maxBytes: number) {
    super(
      'MESSAGE_TOO_LARGE',
      `The message has ${bytes} bytes, and a topic takes ${maxBytes}: let large values go through S3, ` +
        'or raise the topic and with it the option maxMessageBytes.',
    );
  }
}

/** SNS did not take a message. */
export class PublishError extends AlgernonError {
  override readonly name = 'PublishError';

  constructor(topicArn: string, cause: unknown, retryable: boolean) {
    super('PUBLISH_FAILED', `${topicArn} did not take the message: ${String(cause)}`, { cause, retryable });
  }
}

// failures

/** A task failed for good, and its message could not be put in the dead-letter queue: it comes back. */
export class DeadLetterError extends AlgernonError {
  override readonly name = 'DeadLetterError';
  /** What failed the task. */
  readonly failure: unknown;

  constructor(failure: unknown, cause: unknown) {
    super(
      'DEAD_LETTER',
      `The task failed for good (${String(failure)}), and the dead-letter queue did not take it: ${String(cause)}`,
      { cause, retryable: true },
    );
    this.failure = failure;
  }
}
