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
