/** The details of an {@link AlgernonError}. */
export interface ErrorDetails {
  /** The path in the message, such as `$.task_kwargs.x[3]`. */
  path?: string | undefined;
  /** The id of the message. */
  messageId?: string | undefined;
  /** Whether the same message may succeed when it is delivered again. Default false. */
  retryable?: boolean | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/** The brand of our errors: `instanceof` fails across two copies of this package. */
const brand: unique symbol = /* @__PURE__ */ Symbol.for('algernon-middy.error');

const BrandedError: ErrorConstructor = /* @__PURE__ */ brandedError();

function brandedError(): ErrorConstructor {
  return class extends Error {
    get [brand](): true {
      return true;
    }
  } as unknown as ErrorConstructor;
}

/** Whether an error is an {@link AlgernonError}, also one of another copy of this package. */
export function isAlgernonError(error: unknown): error is AlgernonError {
  return typeof error === 'object' && error !== null && brand in error;
}

/**
 * The base class of every error of this library.
 *
 * `code` is stable across versions, so programs can compare it. `retryable` tells whether the same message may
 * succeed when it is delivered again.
 */
export class AlgernonError extends BrandedError {
  override readonly name: string = 'AlgernonError';
  /** Identifies the error: see docs/errors.md. */
  readonly code: string;
  /** The path of the bad value, such as `$.task_kwargs.x[3]`. */
  path: string | undefined;
  /** Whether another attempt may succeed. */
  readonly retryable: boolean;
  /** The id of the message, if the error is about one. */
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

/** For task functions to throw when a task will never succeed, so that it is not delivered again. */
export class NonRetryableError extends AlgernonError {
  override readonly name = 'NonRetryableError';

  constructor(message: string, cause?: unknown) {
    super('NON_RETRYABLE', message, { cause });
  }
}
