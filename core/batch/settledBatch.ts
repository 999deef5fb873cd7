import { AlgernonError } from '../errors.ts';
import type { Ledger } from './ledger.ts';

/** The identifier of a failed record, as in Lambda's batch response. */
export interface ItemFailure {
  itemIdentifier: string;
}

/** The outcome of each record, in the order of `event.Records`, and the same as Lambda's batch response. */
export interface SettledBatch<R> extends Array<PromiseSettledResult<R>> {
  /** The messages that return to the queue. */
  readonly batchItemFailures: ItemFailure[];
  /** The answer if nothing in the stack maps the outcome. Throws when a record failed. */
  toJSON(): { batchItemFailures: ItemFailure[] };
}

const beingRead = new WeakSet<object>();

/**
 * Lets an outcome serialise for the hook that has just read it, until the hook waits: a hook that logs the answer must not
 * fail the batch. Lambda gets the answer only after a wait.
 */
export function letHookRead(response: unknown): void {
  if (!Array.isArray(response)) return;
  beingRead.add(response);
  // Not queueMicrotask, which fake timers stop.
  void Promise.resolve().then(() => beingRead.delete(response));
}

/**
 * Makes the outcome of a batch safe to return as it is. Without `ReportBatchItemFailures` Lambda takes any answer for
 * success and deletes all messages, so an outcome with a failure does not serialise: the invocation fails, and the whole
 * batch stays in the queue. Without a failure it serialises to a few bytes.
 *
 * @param ledger says which records are not done, even if the array was changed since
 * @param isLogged whether each failure is logged already
 */
export function settledBatch<R>(
  settled: PromiseSettledResult<R>[],
  ledger: Ledger,
  isLogged = false,
): SettledBatch<R> {
  const named = (): ItemFailure[] => {
    const undone = new Set(ledger.undone({ exceptUntouched: true }).map(({ index }) => index));
    return ledger.ids.flatMap((id, index) =>
      settled[index]?.status !== 'fulfilled' || undone.has(index) ? [{ itemIdentifier: id }] : [],
    );
  };
  let isTold = isLogged;
  const toJSON = () => {
    const failures = named();
    if (failures.length === 0 || beingRead.has(settled)) return { batchItemFailures: failures };
    const reasons = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    // The runtime reports that serialising failed, not why.
    if (!isTold) for (const reason of reasons) console.error(reason);
    isTold = true;
    throw new BatchFailedError(reasons, failures.length, ledger.ids.length);
  };
  // Defining both in one call takes twice as long.
  Object.defineProperty(settled, 'batchItemFailures', { get: named });
  return Object.defineProperty(settled, 'toJSON', { value: toJSON }) as SettledBatch<R>;
}

/** A batch has failures, and nothing in the stack reports them record by record. */
export class BatchFailedError extends AlgernonError {
  override readonly name = 'BatchFailedError';
  /** The error of each record that failed. */
  readonly errors: readonly unknown[];

  constructor(
    errors: readonly unknown[],
    failed: number,
    records: number,
    advice = 'add sqsPartialBatchFailure() to return only those that failed',
  ) {
    super(
      'BATCH_FAILED',
      `${failed} of ${records} records failed, and the whole batch returns to the queue: ${advice}.`,
      { cause: errors[0], retryable: true },
    );
    this.errors = errors;
  }
}
