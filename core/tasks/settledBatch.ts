import { BatchFailedError } from '../errors.ts';
import { messageIdOf, type TaskRecord } from './events.ts';

/** The outcome of each record, in the order of `event.Records`, and the same in the words of Lambda's batch response. */
export interface SettledBatch<R> extends Array<PromiseSettledResult<R>> {
  /** The messages that must come back. */
  readonly batchItemFailures: { itemIdentifier: string }[];
  /** What Lambda gets when nothing in the stack maps the outcome. */
  toJSON(): { batchItemFailures: { itemIdentifier: string }[] };
}

const beingRead = new WeakSet<object>();

/**
 * Has an outcome serialise for the hook that has just read it, and for as long as it goes on without a wait: one that
 * logs the answer must not fail the batch. Lambda gets the answer only after a wait.
 */
export function letHookRead(response: unknown): void {
  if (!Array.isArray(response)) return;
  beingRead.add(response);
  queueMicrotask(() => beingRead.delete(response));
}

/**
 * Makes the outcome of a batch safe to return as it is. Without `ReportBatchItemFailures` Lambda takes any answer for
 * success and deletes all ten messages, so an outcome with a failure in it does not serialise: Lambda's runtime
 * then fails the invocation, and the whole batch stays in the queue. With no failure in it, it serialises to a few
 * bytes, however large the results are.
 *
 * @param logged whether each failure is logged already
 */
export function settledBatch<R>(
  settled: PromiseSettledResult<R>[],
  records: readonly TaskRecord[],
  logged = false,
): SettledBatch<R> {
  const failures = () => settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const named = () =>
    records.flatMap((record, i) =>
      settled[i]?.status === 'fulfilled' ? [] : [{ itemIdentifier: messageIdOf(record) }],
    );
  let areLogged = logged;
  return Object.defineProperties(settled, {
    batchItemFailures: { get: named },
    toJSON: {
      value: () => {
        const reasons = failures();
        if (reasons.length === 0) return { batchItemFailures: [] };
        if (beingRead.has(settled)) return { batchItemFailures: named() };
        // The runtime reports that serialising failed, not why: the reasons would be lost.
        if (!areLogged) for (const reason of reasons) console.error(reason);
        areLogged = true;
        throw new BatchFailedError(reasons, records.length);
      },
    },
  }) as SettledBatch<R>;
}
