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

const BrandedError: ErrorConstructor = /* @__PURE__ */ brandedError();

function brandedError(): ErrorConstructor {
  return class extends Error {
    get [BRAND](): true {
      return true;
    }
  } as unknown as ErrorConstructor;
}

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

/** A task must not be delivered again: it will never succeed. For task functions to throw. */
export class NonRetryableError extends AlgernonError {
  override readonly name = 'NonRetryableError';

  constructor(message: string, cause?: unknown) {
    super('NON_RETRYABLE', message, { cause });
  }
}

/** An environment variable, or the option in its place, is missing. */
export class NotConfiguredError extends AlgernonError {
  override readonly name = 'NotConfiguredError';

  constructor(what: string, variable: string, option: string) {
    super('NOT_CONFIGURED', `${what} is not known: set ${variable}, or give the option ${option}.`);
  }
}
