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
