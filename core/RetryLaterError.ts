import { checkOption, finite } from './checkOptions.ts';
import { AlgernonError, isAlgernonError } from './errors.ts';

/**
 * For task functions to throw when a task must be tried again after a certain time: `failurePolicy` brings its message back
 * then. Without `failurePolicy` it is an error like any other. The attempt counts as a receive of the message.
 *
 * @throws OptionError when the seconds are not a number from 0
 * @example
 * if (job.status === 'running') throw new RetryLaterError(60, 'the export is not ready');
 */
export class RetryLaterError extends AlgernonError {
  override readonly name = 'RetryLaterError';
  /** When the task must be tried again, in seconds from now. */
  readonly retryAfterSeconds: number;

  /** @param seconds counted from now; SQS hides a message for 42,000 seconds at most here */
  constructor(seconds: number, message: string = `The task must be tried again in ${seconds} seconds.`) {
    checkOption('RetryLaterError', 'seconds', seconds, finite('seconds', 0));
    super('RETRY_LATER', message, { retryable: true });
    this.retryAfterSeconds = seconds;
  }
}

/** The time that an error of this library asks for, in seconds; undefined if it asks for none. */
export function askedSeconds(error: unknown): number | undefined {
  const { retryAfterSeconds } = Object(error) as { retryAfterSeconds?: unknown };
  return isAlgernonError(error) && typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined;
}

/** How many causes of an error are looked at. */
const maxDepth = 10;

/**
 * How long an error asks to wait before the next attempt: that of a `RetryLaterError`, or the `Retry-After` of a response with
 * the status 429 or 503. The response is thrown itself, is the `response` or `$response` of the error, or has left its headers on
 * the error. Causes are looked at too.
 *
 * @param now in milliseconds since 1970, for a date in the header
 * @returns seconds from 0; undefined if the error does not say
 */
export function retryAfterSeconds(error: unknown, now: number = Date.now()): number | undefined {
  try {
    for (let cause = error, depth = 0; cause && depth < maxDepth; depth += 1) {
      const seconds = askedSeconds(cause) ?? fromResponse(cause as Fault, now);
      if (seconds !== undefined) return seconds;
      ({ cause } = cause as Fault);
    }
  } catch {
    // A getter of a foreign error threw, and the error itself matters more.
  }
  return undefined;
}

interface Answer {
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly headers?: unknown;
}

interface Fault extends Answer {
  readonly response?: Answer | null;
  readonly $response?: Answer | null;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  /** Of the SDK's retry strategy. */
  readonly retryAfterHint?: unknown;
  readonly cause?: unknown;
}

function fromResponse(fault: Fault, now: number): number | undefined {
  const { retryAfterHint, response, $response, $metadata } = fault;
  if (retryAfterHint instanceof Date) return secondsUntil(retryAfterHint.getTime(), now);
  for (const answer of [response, $response, fault]) {
    const { status, statusCode, headers } = answer ?? {};
    const code = status ?? statusCode ?? fault.status ?? fault.statusCode ?? $metadata?.httpStatusCode;
    if (code !== undefined && code !== 429 && code !== 503) continue;
    const seconds = parseRetryAfter(headerOf(headers), now);
    if (seconds !== undefined) return seconds;
  }
  return undefined;
}

/** `Headers`, those of axios and maps have `get`; others are objects with names in any case. */
function headerOf(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  if (typeof get === 'function') return get.call(headers, 'retry-after');
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'retry-after');
  return name === undefined ? undefined : (headers as Record<string, unknown>)[name];
}

/** A number of seconds, or a date as HTTP writes it. */
function parseRetryAfter(value: unknown, now: number): number | undefined {
  const text = String(value).trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  return /\d\d:\d\d:\d\d GMT$/.test(text) ? secondsUntil(Date.parse(text), now) : undefined;
}

function secondsUntil(time: number, now: number): number | undefined {
  return Number.isNaN(time) ? undefined : Math.max(0, (time - now) / 1000);
}
