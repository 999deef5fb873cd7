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

/**
 * The base class of every error this project throws.
 *
 * `code` is stable across versions, for programs to compare. `retryable` tells whether the same message may
 * succeed when it is delivered again.
 */
export class AlgernonError extends Error {
  override readonly name: string = 'AlgernonError';
  readonly code: string;
  path: string | undefined;
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

/** An option is unknown or has a bad value. Thrown where the function is called, not at the first message. */
export class OptionError extends AlgernonError {
  override readonly name = 'OptionError';

  constructor(message: string) {
    super('BAD_OPTION', message);
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

// ajson

/** What an {@link AjsonError} is about. */
export type AjsonErrorKind = 'syntax' | 'depth' | 'digits' | 'tag' | 'class' | 'value';

/** Where in a text, and in the value it holds, an {@link AjsonError} happened. */
export interface AjsonErrorDetails extends ErrorDetails {
  /** The characters before the place in the text; for `loads` and `raw` alone. */
  offset?: number | undefined;
  /** The text that was read, from which `line` and `column` are counted. */
  text?: string | undefined;
}

/**
 * ajson could not write a value or read a text. `path` is the place in the value; `offset` (from 0), `line` and
 * `column` (from 1) the place in the text, when a text was read. `kind` is one of:
 *
 * - `syntax`: the text is not JSON;
 * - `depth`: it goes deeper than `maxDepth`, or is a cycle;
 * - `digits`: a number has more digits than `maxDigits`, or is beyond what a number can hold;
 * - `tag`: a tag such as `datetime` holds what it cannot hold;
 * - `class`: a class is not registered, or its own code threw (see `cause`);
 * - `value`: the value has no place on the wire.
 */
export class AjsonError extends AlgernonError {
  override readonly name: string = 'AjsonError';
  readonly kind: AjsonErrorKind;
  readonly offset: number | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(kind: AjsonErrorKind, message: string, details: AjsonErrorDetails = {}, code?: string) {
    const { path, offset, text } = details;
    const before = offset === undefined ? undefined : text?.slice(0, offset).split('\n');
    const place = before && `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    const where = path === undefined ? '' : `${shorten(path)}: `;
    super(code ?? `AJSON_${kind.toUpperCase()}`, `${where}${message}${place ? ` (${place})` : ''}`, {
      ...details,
      path: path ?? '$',
    });
    this.kind = kind;
    this.offset = offset;
    this.line = before?.length;
    this.column = before && (before.at(-1)?.length ?? 0) + 1;
  }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 100)}…${text.slice(-99)}` : text;
}

/** A message holds an object of a class that is not registered. `className` and `module` say which. */
export class UnknownClassError extends AjsonError {
  override readonly name = 'UnknownClassError';
  readonly className: string;
  readonly module: string;

  constructor(className: string, module: string, details: AjsonErrorDetails = {}) {
    const message = `class ${shorten(className)} of module ${shorten(module)} is not registered: ajson.register it, or load with { unknown: 'keep' }`;
    super('class', message, details, 'UNKNOWN_CLASS');
    this.className = className;
    this.module = module;
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
